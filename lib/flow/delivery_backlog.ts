/**
 * What a delivery queue holds, and its policy per kind. On time: one queue, in order. Lagging: a book is only a mark that
 * its instrument changed (encoded when sent, so always the newest), quotes and tickers keep the latest per
 * instrument, trades, candles and book status stay in order up to `max_trades`, then the oldest is dropped.
 * A book never overtakes a status of its instrument that was told before it. All bounds are here; no time, no transport.
 */
import { BoundedQueue } from "../base/bounded_queue.ts";
import type { DeliveryMetrics } from "./delivery_metrics.ts";
import type { DeliveryLimits, UpdateKind } from "./delivery_target.ts";

export interface DeliveryEntry<Message> {
  readonly kind: UpdateKind;
  readonly venue: string;
  readonly symbol: string;
  readonly message: Message;
  readonly bytes: number;
}

/** One write and its end. `retry` and `refused` are empty when all was taken. */
export interface DeliveryBatch<Message> {
  readonly entries: readonly DeliveryEntry<Message>[];
  settled: boolean;
  retry: readonly number[];
  refused: readonly number[];
}

export type BacklogLimits = Pick<DeliveryLimits, "max_trades" | "max_bytes" | "lag_messages">;

interface Instrument {
  readonly venue: string;
  readonly symbol: string;
}

/** Books encoded for one batch at most: encoding is the only work here that takes microseconds. */
const MAX_BOOKS_PER_BATCH = 256;

const keyOf = (of: Instrument) => `${of.venue}\u0000${of.symbol}`;
const latestKeyOf = (entry: { kind: UpdateKind } & Instrument) => `${entry.kind}\u0000${keyOf(entry)}`;
/** Only the newest state of these matters; books too, but they are marks. */
const isState = (kind: UpdateKind) => kind === "quote" || kind === "ticker";

export class DeliveryBacklog<Message> {
  readonly #queue: BoundedQueue<DeliveryEntry<Message>>;
  readonly #latest = new Map<string, DeliveryEntry<Message>>();
  readonly #dirty = new Map<string, Instrument>();
  /** Status entries in the queue per instrument: its book waits for them. */
  readonly #statuses = new Map<string, number>();
  #bytes = 0;
  #lagging = false;

  constructor(
    readonly limits: BacklogLimits,
    readonly metrics: DeliveryMetrics,
    readonly onDrop: (kind: UpdateKind, why: string) => void,
  ) {
    this.#queue = new BoundedQueue(limits.max_trades, "refuse_new");
  }
  /** Everything that waits, without what is in flight. */
  get size(): number {
    return this.#queue.size + this.#latest.size + this.#dirty.size;
  }
  /** Memory of what waits and of what is in flight. */
  get bytes(): number {
    return this.#bytes;
  }
  get lagging(): boolean {
    return this.#lagging;
  }

  add(entry: DeliveryEntry<Message>): void {
    this.#bytes += entry.bytes;
    if (this.#lagging && isState(entry.kind)) this.#keepLatest(entry);
    else this.#append(entry);
    if (!this.#lagging && this.#queue.size >= this.limits.lag_messages) this.beginLagging();
    if (this.#bytes > this.limits.max_bytes) this.#shrink();
  }
  /** While lagging: the book of this instrument changed. */
  markDirty(venue: string, symbol: string): void {
    const key = keyOf({ venue, symbol });
    if (this.#dirty.has(key)) this.metrics.conflated.value++;
    else this.#dirty.set(key, { venue, symbol });
  }
  /** From now on conflate, and turn what is queued into marks and latest states. */
  beginLagging(): void {
    if (this.#lagging) return;
    this.#lagging = true;
    for (let left = this.#queue.size; left > 0; left--) {
      const entry = this.#queue.shift()!;
      if (entry.kind === "book") {
        this.#bytes -= entry.bytes;
        this.markDirty(entry.venue, entry.symbol);
      } else if (isState(entry.kind)) this.#keepLatest(entry);
      else this.#queue.push(entry);
    }
  }
  endLaggingWhenEmpty(): void {
    if (this.#lagging && this.size === 0) this.#lagging = false;
  }

  /** The next batch, in order; `encodeBook` gives undefined where the book may not be shown now. */
  take(
    max_batch: number,
    encodeBook: (venue: string, symbol: string) => DeliveryEntry<Message> | undefined,
  ): DeliveryEntry<Message>[] {
    const taken: DeliveryEntry<Message>[] = [];
    // Trades may not starve the current states, nor the states the trades.
    const for_states = Math.min(this.#latest.size + this.#dirty.size, max_batch >> 1);
    while (taken.length < max_batch - for_states && this.#queue.size > 0) taken.push(this.#shift());
    for (const [key, entry] of this.#latest) {
      if (taken.length >= max_batch) break;
      this.#latest.delete(key);
      taken.push(entry);
    }
    let books = 0;
    for (const [key, { venue, symbol }] of this.#dirty) {
      if (taken.length >= max_batch || books >= MAX_BOOKS_PER_BATCH) break;
      // Over the memory bound only what cannot be put off: one book, so that there is progress.
      if (this.#bytes >= this.limits.max_bytes && taken.length > 0) break;
      if (this.#statuses.has(key)) continue;
      this.#dirty.delete(key);
      const entry = encodeBook(venue, symbol);
      if (entry === undefined) {
        this.metrics.conflated.value++;
        continue;
      }
      this.#bytes += entry.bytes;
      books++;
      taken.push(entry);
    }
    return taken;
  }
  /** The other side has taken it. */
  published(entry: DeliveryEntry<Message>): void {
    this.#bytes -= entry.bytes;
    this.metrics.published[entry.kind].value++;
  }
  /**
   * Takes back what a run of batches, oldest first and all settled, did not deliver. Going from the newest to the oldest
   * keeps the order in the queue, and lets a younger state win over an older one of its instrument.
   */
  putBack(batches: readonly DeliveryBatch<Message>[]): void {
    this.beginLagging();
    const younger = new Set<string>();
    for (let i = batches.length - 1; i >= 0; i--) {
      const { entries, retry, refused } = batches[i];
      const again = new Set(retry);
      const never = new Set(refused);
      for (let j = entries.length - 1; j >= 0; j--) {
        const entry = entries[j];
        if (again.has(j)) this.#putBack(entry, younger);
        else if (never.has(j)) this.#drop(entry, "refused");
        else if (isState(entry.kind)) younger.add(latestKeyOf(entry));
      }
    }
  }
  /** Forgets everything that waits; returns how much it was. Counted as dropped. */
  dropAll(why: string): number {
    const left = this.size;
    while (this.#queue.size > 0) this.#drop(this.#shift(), why);
    for (const entry of this.#latest.values()) this.#drop(entry, why);
    for (let i = this.#dirty.size; i > 0; i--) {
      this.metrics.dropped.book.value++;
      this.onDrop("book", why);
    }
    this.#latest.clear();
    this.#dirty.clear();
    return left;
  }
  /** What was in flight when nobody could wait for it any longer. */
  abandon(entry: DeliveryEntry<Message>, why: string): void {
    this.#drop(entry, why);
  }

  #append(entry: DeliveryEntry<Message>): void {
    if (this.#queue.size === this.#queue.capacity) this.#drop(this.#shift(), "max_trades");
    this.#queue.push(entry);
    if (entry.kind === "book_status") this.#countStatus(entry, 1);
  }
  #keepLatest(entry: DeliveryEntry<Message>): void {
    const key = latestKeyOf(entry);
    const older = this.#latest.get(key);
    if (older) {
      this.#bytes -= older.bytes;
      this.metrics.conflated.value++;
    }
    this.#latest.set(key, entry);
  }
  #putBack(entry: DeliveryEntry<Message>, younger: Set<string>): void {
    if (entry.kind === "book") {
      this.#bytes -= entry.bytes;
      return this.markDirty(entry.venue, entry.symbol);
    }
    if (isState(entry.kind)) {
      const key = latestKeyOf(entry);
      if (younger.has(key) || this.#latest.has(key)) {
        this.#bytes -= entry.bytes;
        this.metrics.conflated.value++;
      } else this.#latest.set(key, entry);
      return;
    }
    if (!this.#queue.unshift(entry)) return this.#drop(entry, "max_trades");
    if (entry.kind === "book_status") this.#countStatus(entry, 1);
  }
  #shift(): DeliveryEntry<Message> {
    const entry = this.#queue.shift()!;
    if (entry.kind === "book_status") this.#countStatus(entry, -1);
    return entry;
  }
  #countStatus(of: Instrument, by: 1 | -1): void {
    const key = keyOf(of);
    const count = (this.#statuses.get(key) ?? 0) + by;
    if (count > 0) this.#statuses.set(key, count);
    else this.#statuses.delete(key);
  }
  /** Over the memory bound: conflate first, then the oldest goes. */
  #shrink(): void {
    this.beginLagging();
    while (this.#bytes > this.limits.max_bytes && this.#queue.size > 0) {
      this.#drop(this.#shift(), "max_bytes");
    }
    for (const [key, entry] of this.#latest) {
      if (this.#bytes <= this.limits.max_bytes) break;
      this.#latest.delete(key);
      this.#drop(entry, "max_bytes");
    }
  }
  #drop(entry: DeliveryEntry<Message>, why: string): void {
    this.#bytes -= entry.bytes;
    this.metrics.dropped[entry.kind].value++;
    this.onDrop(entry.kind, why);
  }
}
