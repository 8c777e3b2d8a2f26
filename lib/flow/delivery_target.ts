/**
 * The words between a delivery queue and what it feeds. A target encodes an update while it is true, later takes encoded
 * messages in batches, and says honestly which of a batch it did not take. Sinks (lib/sinks/sink.ts) are the targets.
 */
import type { MarketUpdate } from "../market/update.ts";

export type UpdateKind = MarketUpdate["kind"];

/** What `encode` returns when the other side has the update already: nothing is left to queue or to write. */
export const DELIVERED: unique symbol = Symbol("delivered");

export interface DeliveryLimits {
  /** Messages that are never conflated (trades, candles, book status) kept while the target is behind. */
  readonly max_trades: number;
  /** Memory of all messages queued and in flight, as the target states their sizes. */
  readonly max_bytes: number;
  /** Messages in one `write`. */
  readonly max_batch: number;
  /** Writes under way at once; the target takes them in the order they were begun. */
  readonly max_writes: number;
  /** Queued messages from which on books and quotes are conflated. */
  readonly lag_messages: number;
  /** A write of fewer than `max_batch` messages waits so long for more: for targets where a write is dear. */
  readonly linger_ms: number;
  /** A write without an answer for so long counts as rejected. A target's own deadline should be shorter. */
  readonly write_timeout_ms: number;
}

export interface DeliveryTarget<Message = unknown> {
  /** Unique among the running sinks, for logs and metrics: "redis", "redis#2". */
  readonly name: string;
  /** Bounds that differ from the queue's own (DELIVERY_LIMITS). */
  readonly limits?: Partial<DeliveryLimits>;
  /** False for kinds that `encode` never takes; absent: every kind is offered. */
  takes?(kind: UpdateKind): boolean;
  /**
   * What `write` takes for this update, or undefined when it is not wanted. Called while the update is offered, or for a
   * conflated book when it is sent, with the state of that moment; so every update is seen at most once, in order.
   * A target that never waits may hand the update on here and return `DELIVERED`.
   */
  encode(update: MarketUpdate): Message | typeof DELIVERED | undefined;
  /** Memory that a message holds, bytes, roughly. */
  sizeBytes(message: Message): number;
  /**
   * Resolves when the other side has taken all of it. Rejects with `WriteRejected` when it took a part; any other
   * rejection means none of it: the queue puts trades back in order and forgets books for newer ones.
   */
  write(messages: readonly Message[]): Promise<void>;
  /** Undefined when connected, else why not. Read by /ready, and before each write where there is no `accepts`. */
  notReady(): string | undefined;
  /** Whether to write now, where that is another matter: a target with a spool takes messages while not connected. */
  accepts?(): boolean;
}

/** A write of which only a part was taken. Indices into the batch; what is in neither list was taken. */
export class WriteRejected extends Error {
  override readonly name = "WriteRejected";
  constructor(
    message: string,
    /** Not taken, or not known to be: another attempt may succeed. */
    readonly retry: readonly number[],
    /** Refused for good (no permission, too large): another attempt would fail again. */
    readonly refused: readonly number[] = [],
    options: { cause?: unknown } = {},
  ) {
    super(message, options);
  }
}
