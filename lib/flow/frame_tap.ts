/**
 * Where a live source can be listened to: frames as they come and go, what the gateway noticed beside them, and which
 * of them it took as one batch. A tap must be quick, keep no frame's bytes and never throw; what it cannot keep is its own
 * affair to count and to tell. Sources without a tap pay one comparison per frame.
 */
import type { Channel } from "../market/event.ts";
import type { EventBatch } from "../market/event_batch.ts";
import type { SequenceRule } from "../market/sequence_rule.ts";

export interface TappedSource {
  name: string;
  venue: string;
  symbols: readonly string[];
  channels: readonly Channel[];
  /** Redundant connections per stream. */
  legs: number;
  sequence: SequenceRule | undefined;
}

export interface TappedConnection {
  id: string;
  url: string;
  leg: number;
  symbols: readonly string[];
  channels: readonly string[];
}

export interface TappedAnswer {
  purpose: "snapshot" | "instruments";
  url: string;
  status: number;
  body: Uint8Array;
  symbol?: string;
  depth_limit?: number;
  /** False: it came too late and is not used. */
  used: boolean;
}

/** What the gateway noticed: the words of its own calls. */
export type TappedNotice =
  | { mark: "interrupted"; symbols: readonly string[]; reason: string }
  | { mark: "trades_interrupted"; symbols: readonly string[] }
  | { mark: "damage"; symbols: readonly string[] }
  | { mark: "overlap_tick"; overlaps: boolean };

/** One source's tap. Times are Unix epoch, microseconds. */
export interface SourceTap {
  /** Returns the number by which the connection is named from now on. */
  opened(connection: TappedConnection, at_us: number): number;
  received(connection: number, frame: Uint8Array, is_binary: boolean, received_us: number): void;
  /** The events from `from` on were read from the frame last received on this connection. */
  mapped(connection: number, batch: EventBatch, from: number): void;
  sent(connection: number, text: string, at_us: number): void;
  symbolsChanged(
    connection: number,
    change: { add: readonly string[]; remove: readonly string[] },
    at_us: number,
  ): void;
  closed(connection: number, reason: string, at_us: number): void;
  answered(answer: TappedAnswer, received_us: number): void;
  noticed(notice: TappedNotice, at_us: number): void;
  /** Everything so far is one batch, which is worked on now. */
  taken(at_us: number): void;
  /** All that came was worked on: the books stand where the frames do. */
  settled(at_us: number): void;
}

export interface FrameTap {
  source(source: TappedSource): SourceTap;
}
