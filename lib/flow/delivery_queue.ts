/**
 * A receiver around one sink: takes every update at once and never blocks, writes in batches, several at a time, in
 * order. While the sink keeps up, updates are encoded when offered; when it does not, `DeliveryBacklog` conflates within
 * written bounds. A rejected write is put back and tried again after a backoff, or at once when the sink says `wake`.
 */
import { Backoff } from "../base/backoff.ts";
import { type Clock, type Timer, withDeadline } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import { type Log, RateLimitedLog } from "../base/log.ts";
import type { Metrics } from "../base/metrics.ts";
import { Random } from "../base/random.ts";
import type { HubUpdate, MarketUpdate } from "../market/update.ts";
import { DeliveryBacklog, type DeliveryBatch, type DeliveryEntry } from "./delivery_backlog.ts";
import { type DeliveryMetrics, deliveryMetrics } from "./delivery_metrics.ts";
import {
  DELIVERED,
  type DeliveryLimits,
  type DeliveryTarget,
  type UpdateKind,
  WriteRejected,
} from "./delivery_target.ts";
import type { BookState, Receiver } from "./hub.ts";

/** The bounds where neither the sink nor its owner says otherwise. */
export const DELIVERY_LIMITS: DeliveryLimits = {
  max_trades: 100_000,
  max_bytes: 64 * 1024 * 1024,
  max_batch: 1_024,
  max_writes: 4,
  lag_messages: 4_096,
  linger_ms: 0,
  write_timeout_ms: 30_000,
};

/**
 * While a write is under way another begins only with so many messages: a write costs some 20 µs whatever its size, an
 * answer comes back in about 100 µs, so waiting for it gathers the next batch for free.
 */
const MIN_FURTHER_BATCH = 32;

const RETRY = { first_ms: 50, max_ms: 500 };

export interface DeliveryContext {
  readonly clock: Clock;
  /** Names the sink already. */
  readonly log: Log;
  readonly metrics: Metrics;
  readonly seed: string;
  /** The live book, for conflated updates: `hub.book`. */
  readBook(venue: string, symbol: string): BookState | undefined;
}

export class DeliveryQueue<Message> implements Receiver {
  readonly name: string;
  readonly limits: DeliveryLimits;
  readonly #backlog: DeliveryBacklog<Message>;
  readonly #metrics: DeliveryMetrics;
  readonly #log: RateLimitedLog;
  readonly #backoff: Backoff;
  readonly #stopCollecting: () => void;
  /** Writes begun, oldest first; a settled one stays until those before it are, and keeps its place of `max_writes`. */
  #batches: DeliveryBatch<Message>[] = [];
  #writing = 0;
  #in_flight = 0;
  /** A write was rejected: nothing new is written until all of `#batches` are settled and put back in order. */
  #recovering = false;
  #retry: Timer | undefined;
  /** Runs while a small batch waits for more. */
  #linger: Timer | undefined;
  /** It has waited long enough: what is there goes now. */
  #lingered = false;
  #state: "open" | "closing" | "closed" = "open";
  #onIdle: (() => void) | undefined;

  constructor(
    readonly target: DeliveryTarget<Message>,
    readonly context: DeliveryContext,
    limits: Partial<DeliveryLimits> = {},
  ) {
    this.name = target.name;
    const wanted = { ...DELIVERY_LIMITS, ...target.limits, ...limits };
    this.limits = { ...wanted, lag_messages: Math.min(wanted.lag_messages, wanted.max_trades) };
    this.#metrics = deliveryMetrics(context.metrics, target.name);
    this.#log = new RateLimitedLog(context.log, context.clock);
    this.#backoff = new Backoff(RETRY, new Random(`${context.seed}:${target.name}`));
    this.#backlog = new DeliveryBacklog(this.limits, this.#metrics, (kind, why) => this.#onDrop(kind, why));
    this.#stopCollecting = context.metrics.onCollect(() => {
      this.#metrics.queued.value = this.queued;
      this.#metrics.queued_bytes.value = this.#backlog.bytes;
    });
  }
  /** Messages that wait or are in flight. */
  get queued(): number {
    return this.#backlog.size + this.#in_flight;
  }
  /** Their memory, as the target states it. */
  get queued_bytes(): number {
    return this.#backlog.bytes;
  }
  /** Books and quotes are being conflated. */
  get lagging(): boolean {
    return this.#backlog.lagging;
  }

  offer(update: HubUpdate): void {
    if (this.#state !== "open" || update.kind === "orders") return;
    if (this.target.takes && !this.target.takes(update.kind)) return;
    if (update.kind === "book" && this.#backlog.lagging) {
      return this.#backlog.markDirty(update.venue, update.symbol);
    }
    const entry = this.#encode(update);
    if (entry === undefined) return;
    this.#backlog.add(entry);
    if (this.#backlog.size >= this.limits.max_batch && this.#batches.length < this.limits.max_writes) {
      this.#pump();
    }
  }
  flush(): void {
    this.#pump();
  }
  /** The target is writable again: no need to wait for the next attempt. */
  wake(): void {
    this.#retry?.cancel();
    this.#retry = undefined;
    this.#pump();
  }
  /**
   * Takes nothing more, delivers what it holds, and gives up after `deadline_ms`. Returns how many messages were left;
   * those in flight count among them, though the other side may have taken them.
   */
  async close(deadline_ms: number): Promise<number> {
    if (this.#state === "closed") return 0;
    this.#state = "closing";
    this.wake();
    if (this.queued > 0) {
      let timer: Timer | undefined;
      await new Promise<void>((resolve) => {
        this.#onIdle = resolve;
        timer = this.context.clock.after(deadline_ms, resolve);
      });
      timer?.cancel();
    }
    this.#state = "closed";
    this.#retry?.cancel();
    this.#linger?.cancel();
    const left = this.queued;
    for (const batch of this.#batches) {
      if (!batch.settled) { for (const entry of batch.entries) this.#backlog.abandon(entry, "shutdown"); }
    }
    this.#backlog.dropAll("shutdown");
    this.#in_flight = 0;
    this.#batches = [];
    if (left > 0) this.context.log.warn("sink closed with messages left", { left });
    this.context.metrics.collect();
    this.#stopCollecting();
    return left;
  }

  #encode(update: MarketUpdate): DeliveryEntry<Message> | undefined {
    const { kind, venue, symbol } = update;
    try {
      const message = this.target.encode(update);
      if (message === undefined) return undefined;
      if (message === DELIVERED) {
        this.#metrics.published[kind].value++;
        return undefined;
      }
      return { kind, venue, symbol, message, bytes: this.target.sizeBytes(message) };
    } catch (error) {
      // A receiver must not throw: one sink's fault would stop the feed and every other sink.
      this.#metrics.errors.value++;
      this.#metrics.dropped[kind].value++;
      this.#log.warn("encode", "sink failed to encode", { type: kind, symbol, reason: reasonOf(error) });
      return undefined;
    }
  }
  /** The book as it is now; undefined while it is out of sync or gone: its return will be offered again. */
  readonly #encodeBook = (venue: string, symbol: string): DeliveryEntry<Message> | undefined => {
    const state = this.context.readBook(venue, symbol);
    if (state === undefined || !state.in_sync) return undefined;
    return this.#encode({
      kind: "book",
      venue,
      symbol,
      book: state.book,
      sequence: state.sequence,
      last_update_id: state.last_update_id,
      exchange_ms: state.exchange_ms,
      sent_ms: state.sent_ms,
      received_us: state.received_us,
    });
  };

  #pump(): void {
    if (this.#state === "closed" || this.#recovering || this.#retry !== undefined) return;
    if (this.#backlog.size > 0 && !this.#lingers()) {
      if (!(this.target.accepts?.() ?? this.target.notReady() === undefined)) {
        this.#backlog.beginLagging();
        return this.#retryLater();
      }
      while (this.#mayWrite()) {
        const entries = this.#backlog.take(this.limits.max_batch, this.#encodeBook);
        if (entries.length === 0) break;
        this.#write(entries);
      }
    }
    this.#backlog.endLaggingWhenEmpty();
    if (this.#onIdle && this.queued === 0) this.#onIdle();
  }
  /** True while the next batch is small and may still grow. A closing queue does not wait. */
  #lingers(): boolean {
    const { linger_ms, max_batch } = this.limits;
    const is_due = linger_ms === 0 || this.#lingered || this.#state !== "open" ||
      this.#backlog.size >= max_batch;
    if (is_due) {
      this.#linger?.cancel();
      this.#linger = undefined;
      this.#lingered = false;
      return false;
    }
    this.#linger ??= this.context.clock.after(linger_ms, () => {
      this.#linger = undefined;
      this.#lingered = true;
      this.#pump();
    });
    return true;
  }
  #mayWrite(): boolean {
    const { size } = this.#backlog;
    if (this.#batches.length === 0) return size > 0;
    return this.#batches.length < this.limits.max_writes &&
      size >= Math.min(MIN_FURTHER_BATCH, this.limits.max_batch);
  }
  #write(entries: DeliveryEntry<Message>[]): void {
    const batch: DeliveryBatch<Message> = { entries, settled: false, retry: [], refused: [] };
    this.#batches.push(batch);
    this.#writing++;
    this.#in_flight += entries.length;
    const { clock } = this.context;
    const { write_timeout_ms } = this.limits;
    const written = withDeadline(clock, write_timeout_ms, `write to ${this.name}`, this.#begin(entries));
    written.then(() => this.#settle(batch, undefined), (error) => this.#settle(batch, error));
  }
  /** A throw of `write` becomes a rejection. */
  async #begin(entries: DeliveryEntry<Message>[]): Promise<void> {
    await this.target.write(entries.map((entry) => entry.message));
  }
  #settle(batch: DeliveryBatch<Message>, error: unknown): void {
    if (this.#state === "closed") return;
    batch.settled = true;
    this.#writing--;
    this.#in_flight -= batch.entries.length;
    if (error === undefined) this.#countTaken(batch);
    else this.#onRejected(batch, error);
    if (!this.#recovering) {
      while (this.#batches.length > 0 && this.#batches[0].settled) this.#batches.shift();
      if (this.#batches.length === 0) this.#backoff.reset();
    } else if (this.#writing === 0) this.#recover();
    this.#pump();
  }
  #onRejected(batch: DeliveryBatch<Message>, error: unknown): void {
    this.#metrics.errors.value++;
    this.#recovering = true;
    if (error instanceof WriteRejected) {
      batch.retry = error.retry;
      batch.refused = error.refused;
    } else {
      batch.retry = batch.entries.keys().toArray();
    }
    this.#countTaken(batch);
    const { retry, refused } = batch;
    this.#log.warn("write", "sink rejected a write", {
      reason: reasonOf(error),
      retry: retry.length,
      refused: refused.length,
    });
  }
  #countTaken(batch: DeliveryBatch<Message>): void {
    const { entries, retry, refused } = batch;
    if (retry.length + refused.length === 0) {
      for (const entry of entries) this.#backlog.published(entry);
      return;
    }
    const untaken = new Set([...retry, ...refused]);
    entries.forEach((entry, i) => untaken.has(i) || this.#backlog.published(entry));
  }
  #recover(): void {
    const batches = this.#batches;
    this.#batches = [];
    this.#recovering = false;
    this.#backlog.putBack(batches);
    if (batches.some((batch) => batch.retry.length > 0)) this.#retryLater();
  }
  #retryLater(): void {
    this.#retry = this.context.clock.after(this.#backoff.next_ms(), () => {
      this.#retry = undefined;
      this.#pump();
    });
  }
  #onDrop(kind: UpdateKind, why: string): void {
    this.#log.warn("drop", "message dropped", { type: kind, why, queued: this.queued });
  }
}
