/**
 * The two sides of the server and what they say to each other. The market side makes frames, each once; edges hold
 * clients. In one thread these are plain calls, with Workers they go through a ring of shared memory: nothing here
 * returns a value, so that both are the same. Words of the market side come in order.
 */
import type { Frame } from "../../wire/websocket_frame.ts";

/** Flag of a frame that a slow client may do without once a newer one is there (a bar still forming). */
export const MERGEABLE = 1;

/** What an edge hears. */
export interface EdgeInbox {
  /** An instrument is known from now on. `withheld`: why clients may not have it. */
  instrument(id: number, venue: string, symbol: string, withheld: string | undefined): void;
  /** It is gone; whatever was subscribed to it ends. */
  removed(id: number, reason: string): void;
  /** Its book left or reached sync; `frame` tells clients. */
  status(id: number, in_sync: boolean, frame: Frame): void;
  /** How it stands now, asked for by `tellStatus`. */
  statusNow(id: number, in_sync: boolean, frame: Frame): void;
  /** A stream flows from now on; `seq` is that of its last frame. */
  opened(stream: number, seq: number): void;
  frame(stream: number, seq: number, flags: number, frame: Frame): void;
  /** The whole state. With a newer `seq` it is news for all, else an answer to `tellSnapshot`. */
  snapshot(stream: number, seq: number, frame: Frame): void;
  /** What was told of this stream is no longer true; a snapshot or a value follows when there is one. */
  hold(stream: number): void;
  /** Every instrument that the hub knew at `refresh` has been told. */
  refreshed(): void;
  /** The end of a batch: let it go out. */
  flush(): void;
}

/** What an edge asks for. */
export interface MarketDesk {
  open(stream: number): void;
  close(stream: number): void;
  tellSnapshot(stream: number): void;
  tellStatus(instrument: number): void;
  refresh(): void;
}
