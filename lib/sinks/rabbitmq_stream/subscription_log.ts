/**
 * Subscription changes on their way into a stream of their own: kept in order until confirmed, at most so many; beyond
 * that the oldest are dropped, counted and logged. Rare as they are, one write at a time is enough.
 */
import { BoundedQueue } from "../../base/bounded_queue.ts";
import { type Clock, sleep } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { RateLimitedLog } from "../../base/log.ts";
import type { MetricValue } from "../../base/metrics.ts";
import { WriteRejected } from "../../flow/delivery_target.ts";
import type { SinkContext } from "../sink.ts";
import type { StreamRecord } from "./stream_record.ts";

const MAX_WAITING = 10_000;
const MAX_BATCH = 256;

/** What takes them: a StreamProducer. */
interface Writer {
  notReady(): string | undefined;
  write(records: readonly StreamRecord[]): Promise<void>;
}

export class SubscriptionLog {
  readonly #waiting = new BoundedQueue<StreamRecord>(MAX_WAITING, "drop_oldest");
  readonly #log: RateLimitedLog;
  readonly #published: MetricValue;
  readonly #dropped: MetricValue;
  readonly #clock: Clock;
  #writing: Promise<void> | undefined;

  constructor(readonly writer: Writer, { name, clock, log, metrics }: SinkContext) {
    this.#clock = clock;
    this.#log = new RateLimitedLog(log, clock);
    this.#published = metrics.counter("sink_subscriptions_published_total", "Subscription changes taken", [
      "sink",
    ])
      .with(name);
    this.#dropped = metrics.counter("sink_subscriptions_dropped_total", "Subscription changes lost", ["sink"])
      .with(name);
  }
  add(record: StreamRecord): void {
    if (!this.#waiting.push(record)) this.#drop(1, "too many wait");
    this.wake();
  }
  /** The writer is ready, or something waits. */
  wake(): void {
    this.#writing ??= this.#write().finally(() => this.#writing = undefined);
  }
  /** Delivers what waits, for at most `limit_ms`. */
  async close(limit_ms: number): Promise<void> {
    const late = this.#clock.monotonic_ms() + limit_ms;
    while (
      this.#waiting.size > 0 && this.#clock.monotonic_ms() < late && this.writer.notReady() === undefined
    ) {
      this.wake();
      await Promise.race([this.#writing, sleep(this.#clock, Math.max(1, late - this.#clock.monotonic_ms()))]);
    }
    if (this.#waiting.size > 0) this.#drop(this.#waiting.size, "shutdown");
    this.#waiting.clear();
  }

  async #write(): Promise<void> {
    while (this.#waiting.size > 0 && this.writer.notReady() === undefined) {
      const batch: StreamRecord[] = [];
      while (batch.length < MAX_BATCH && this.#waiting.size > 0) batch.push(this.#waiting.shift()!);
      try {
        await this.writer.write(batch);
        this.#published.value += batch.length;
      } catch (error) {
        return this.#putBack(batch, error);
      }
    }
  }
  /** The next `wake` tries again. */
  #putBack(batch: StreamRecord[], error: unknown): void {
    const again = error instanceof WriteRejected ? error.retry : [...batch.keys()];
    const refused = error instanceof WriteRejected ? error.refused.length : 0;
    if (refused > 0) this.#drop(refused, reasonOf(error));
    this.#published.value += batch.length - again.length - refused;
    for (let i = again.length - 1; i >= 0; i--) {
      if (!this.#waiting.unshift(batch[again[i]])) this.#drop(1, "too many wait");
    }
    this.#log.warn("write", "subscription changes not taken yet", {
      waiting: this.#waiting.size,
      reason: reasonOf(error),
    });
  }
  #drop(count: number, why: string): void {
    this.#dropped.value += count;
    this.#log.warn("drop", "subscription changes dropped", { count, why });
  }
}
