/**
 * The market side's words as records of a shared ring, and back: the writer is an `EdgeInbox` for all workers, or for one
 * while `to` names it; the reader speaks to its worker's edge.
 */
import type { EdgeInbox } from "../market_words.ts";
import type { Frame } from "../../../wire/websocket_frame.ts";
import type { RingRecord, RingWriter } from "../../../wire/record_ring.ts";

const INSTRUMENT = 1;
const REMOVED = 2;
const STATUS = 3;
const STATUS_NOW = 4;
const OPENED = 5;
const FRAME = 6;
const SNAPSHOT = 7;
const HOLD = 8;
const REFRESHED = 9;
const FLUSH = 10;
/** To a worker that was lapped: from here on it hears everything anew. */
const RETELLING = 11;
/** The book of a stream is larger than the ring takes: said in place of the snapshot. */
const TOO_LARGE = 12;
const EMPTY = new Uint8Array(0);
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export class RingInbox implements EdgeInbox {
  /** The worker that hears what is said now; 0: all. */
  to = 0;
  #unpublished = false;

  constructor(readonly ring: RingWriter, readonly onTooLarge: (stream: number, bytes: number) => void) {}

  instrument(id: number, venue: string, symbol: string, withheld: string | undefined): void {
    this.#write(INSTRUMENT, 0, id, 0, encoder.encode(JSON.stringify({ venue, symbol, withheld })));
  }
  removed(id: number, reason: string): void {
    this.#write(REMOVED, 0, id, 0, encoder.encode(reason));
  }
  status(id: number, in_sync: boolean, frame: Frame): void {
    this.#write(STATUS, in_sync ? 1 : 0, id, 0, frame);
  }
  statusNow(id: number, in_sync: boolean, frame: Frame): void {
    this.#write(STATUS_NOW, in_sync ? 1 : 0, id, 0, frame);
  }
  opened(stream: number, seq: number): void {
    this.#write(OPENED, 0, stream, seq, EMPTY);
  }
  frame(stream: number, seq: number, flags: number, frame: Frame): void {
    this.#write(FRAME, flags, stream, seq, frame);
  }
  snapshot(stream: number, seq: number, frame: Frame): void {
    this.#write(SNAPSHOT, 0, stream, seq, frame);
  }
  hold(stream: number): void {
    this.#write(HOLD, 0, stream, 0, EMPTY);
  }
  refreshed(): void {
    this.#write(REFRESHED, 0, 0, 0, EMPTY);
  }
  /** The instruments there are; those that the worker still knows beside them are gone. */
  retelling(instruments: readonly number[]): void {
    this.#write(RETELLING, 0, 0, 0, encoder.encode(JSON.stringify(instruments)));
  }
  flush(): void {
    if (!this.#unpublished) return;
    this.#unpublished = false;
    this.ring.write(FLUSH, 0, 0, 0, 0, EMPTY);
    this.ring.publish();
  }
  #write(kind: number, flags: number, stream: number, seq: number, payload: Uint8Array): void {
    this.#unpublished = true;
    if (this.ring.write(kind, flags, this.to, stream, seq, payload)) return;
    this.onTooLarge(stream, payload.length);
    this.ring.write(TOO_LARGE, flags, this.to, stream, seq, EMPTY);
  }
}

/** What only a worker's own side understands. */
export interface RingListener {
  /** A frame of this stream could not pass the ring: it has a hole now. */
  hole(stream: number): void;
  /** All is told anew from here on. */
  retelling(instruments: readonly number[]): void;
}

/** Speaks records to the edge of worker `number`; after `lapped` all is dropped until everything is told anew. */
export class RingSpeaker {
  #deaf = false;

  constructor(readonly number: number, readonly inbox: EdgeInbox, readonly listener: RingListener) {}

  lapped(): void {
    this.#deaf = true;
  }
  speak(record: RingRecord): void {
    const { kind, to } = record;
    if (to !== 0 && to !== this.number) return;
    if (kind === RETELLING) {
      this.#deaf = false;
      return this.listener.retelling(JSON.parse(decoder.decode(record.payload)));
    }
    if (!this.#deaf) this.#speak(record);
  }
  #speak({ kind, flags, stream, seq, payload }: RingRecord): void {
    const { inbox } = this;
    // A reader's payload is memory of its own, never shared.
    const frame = payload as Frame;
    switch (kind) {
      case INSTRUMENT: {
        const { venue, symbol, withheld } = JSON.parse(decoder.decode(frame));
        return inbox.instrument(stream, venue, symbol, withheld);
      }
      case REMOVED:
        return inbox.removed(stream, decoder.decode(frame));
      case STATUS:
        return inbox.status(stream, flags === 1, frame);
      case STATUS_NOW:
        return inbox.statusNow(stream, flags === 1, frame);
      case OPENED:
        return inbox.opened(stream, seq);
      case FRAME:
        return inbox.frame(stream, seq, flags, frame);
      case SNAPSHOT:
        return inbox.snapshot(stream, seq, frame);
      case HOLD:
        return inbox.hold(stream);
      case REFRESHED:
        return inbox.refreshed();
      case TOO_LARGE:
        return this.listener.hole(stream);
      case FLUSH:
        return inbox.flush();
    }
  }
}
