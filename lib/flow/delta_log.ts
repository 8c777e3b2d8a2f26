/**
 * Copies of book deltas waiting for a snapshot, bounded by count and by levels. Entries are pooled: a symbol that
 * resyncs often does not churn memory. At the bound `push` refuses and the owner restarts the symbol.
 */
import type { BookDelta } from "../market/event.ts";
import { emptyDelta } from "../market/event_batch.ts";

export interface DeltaLogLimits {
  max_deltas: number;
  max_levels: number;
}
/** About a minute of the busiest stream seen (19 deltas/s of 68 levels), and at most 16 MiB a symbol. */
export const DELTA_LOG_LIMITS: DeltaLogLimits = { max_deltas: 4_096, max_levels: 1_000_000 };
/** Pooled entries kept when the log is cleared; the rest is given back. */
const KEPT_ENTRIES = 16;

export class DeltaLog {
  readonly #entries: BookDelta[] = [];
  #size = 0;
  #levels = 0;

  constructor(readonly limits: DeltaLogLimits = DELTA_LOG_LIMITS) {}

  get size(): number {
    return this.#size;
  }
  at(i: number): BookDelta {
    return this.#entries[i];
  }
  /** False when the log is full; the delta is not kept. */
  push(delta: BookDelta): boolean {
    const levels = delta.bids.size + delta.asks.size;
    if (this.#size >= this.limits.max_deltas || this.#levels + levels > this.limits.max_levels) return false;
    const entry = this.#entries[this.#size] ?? this.#newEntry();
    entry.venue = delta.venue;
    entry.symbol = delta.symbol;
    entry.exchange_ms = delta.exchange_ms;
    entry.sent_ms = delta.sent_ms;
    entry.received_us = delta.received_us;
    entry.first_id = delta.first_id;
    entry.last_id = delta.last_id;
    entry.previous_id = delta.previous_id;
    entry.depth_limit = delta.depth_limit;
    entry.checksum = delta.checksum;
    entry.precision = delta.precision;
    entry.bids.copyFrom(delta.bids);
    entry.asks.copyFrom(delta.asks);
    this.#size++;
    this.#levels += levels;
    return true;
  }
  /** Forgets the first `count` entries. */
  dropFirst(count: number): void {
    const gone = this.#entries.splice(0, count);
    for (const entry of gone) this.#levels -= entry.bids.size + entry.asks.size;
    this.#size -= gone.length;
  }
  /** Forgets entry `i`. */
  drop(i: number): void {
    const [gone] = this.#entries.splice(i, 1);
    this.#levels -= gone.bids.size + gone.asks.size;
    this.#size--;
  }
  clear(): void {
    this.#size = 0;
    this.#levels = 0;
    this.#entries.length = Math.min(this.#entries.length, KEPT_ENTRIES);
  }
  #newEntry(): BookDelta {
    const entry = emptyDelta();
    this.#entries.push(entry);
    return entry;
  }
}
