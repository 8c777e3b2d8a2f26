/**
 * The sink itself: updates become records, batches go to the stream or to the partitions of their symbols. A write
 * resolves when the broker has confirmed all of it; what it has not confirmed is tried again under the same publishing
 * ids, so nothing is stored twice.
 */
import { RateLimitedLog } from "../../base/log.ts";
import type { HistogramValue, MetricFamily, MetricValue } from "../../base/metrics.ts";
import { Random } from "../../base/random.ts";
import { type DeliveryLimits, type UpdateKind, WriteRejected } from "../../flow/delivery_target.ts";
import type { SubscriptionChange } from "../../market/subscription_change.ts";
import type { MarketUpdate } from "../../market/update.ts";
import { StreamBroker } from "../../wire/rabbitmq_stream/broker.ts";
import type { RabbitmqStreamConfig } from "../rabbitmq_stream.ts";
import type { Sink, SinkContext } from "../sink.ts";
import { RecordMaker } from "./record_maker.ts";
import { partitionNames, partitionOf, type StreamLayout } from "./stream_layout.ts";
import { StreamProducer } from "./stream_producer.ts";
import type { StreamRecord } from "./stream_record.ts";
import { SubscriptionLog } from "./subscription_log.ts";

/** Seconds. */
const LATENCY_BOUNDS_S = [0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.5, 1, 5];
/** Objects around a message, bytes, roughly: its buffer is one of its own. */
const MESSAGE_OVERHEAD_BYTES = 400;
/** So much memory belongs to each trade that may wait, that the number and not the memory is the bound. */
const BYTES_PER_TRADE = 1_000;
const MIN_QUEUE_BYTES = 64 * 1024 * 1024;
const CLOSE_DEADLINE_MS = 1_000;

export interface StreamSinkMessage {
  readonly record: StreamRecord;
  readonly partition: number;
  readonly published: MetricValue;
  readonly errors: MetricValue;
}

export class StreamSink implements Sink<StreamSinkMessage> {
  readonly name: string;
  readonly limits: Pick<DeliveryLimits, "max_trades" | "max_bytes" | "write_timeout_ms">;
  readonly #kinds: ReadonlySet<UpdateKind>;
  readonly #maker: RecordMaker;
  readonly #market: StreamProducer[];
  readonly #subscriptions: StreamProducer;
  readonly #subscription_log: SubscriptionLog;
  readonly #published: MetricFamily<MetricValue>;
  readonly #errors: MetricFamily<MetricValue>;
  readonly #latency: HistogramValue;
  readonly #log: RateLimitedLog;

  constructor(readonly config: RabbitmqStreamConfig, readonly context: SinkContext) {
    const { metrics, clock, log, name, seed } = context;
    this.name = name;
    // The producer's own deadline comes first: it alone knows which records are in doubt.
    this.limits = {
      max_trades: config.max_queued_trades,
      max_bytes: Math.max(MIN_QUEUE_BYTES, config.max_queued_trades * BYTES_PER_TRADE),
      write_timeout_ms: 2 * config.confirm_timeout_ms,
    };
    this.#kinds = new Set(config.kinds);
    this.#log = new RateLimitedLog(log, clock);
    this.#published = metrics.counter("rabbitmq_stream_publishes_total", "Messages confirmed by the broker", [
      "symbol",
      "type",
    ]);
    this.#errors = metrics.counter("rabbitmq_stream_errors_total", "Messages not confirmed at an attempt", [
      "symbol",
    ]);
    this.#latency = metrics.histogram(
      "rabbitmq_stream_confirm_latency_seconds",
      "From a batch begun to its last confirm",
      ["sink"],
      LATENCY_BOUNDS_S,
    ).with(name);
    const salt = new Random(`${seed}:${name}`).uint32().toString(36);
    const instance = `${Math.floor(clock.now_us()).toString(36)}-${salt}`;
    this.#maker = new RecordMaker(
      { producer: config.producer, instance, depth: config.order_book_depth },
      metrics.counter(
        "rabbitmq_stream_unordered_trades_total",
        "Trades late or without an id: kept, but not told from the same trades of another producer",
        ["sink"],
      ).with(name),
    );
    this.#market = marketLayouts(config).map((layout) => this.#producer(layout, () => context.writable()));
    const { subscriptions: stream } = config.streams;
    this.#subscriptions = this.#producer(
      { stream, create: config.create, retention: retentionOf(config) },
      () => this.#subscription_log.wake(),
    );
    this.#subscription_log = new SubscriptionLog(this.#subscriptions, context);
  }

  takes(kind: UpdateKind): boolean {
    // A removed instrument is told by its status, which may itself not be wanted.
    return this.#kinds.has(kind) || kind === "book_status";
  }
  encode(update: MarketUpdate): StreamSinkMessage | undefined {
    const { venue, symbol, kind } = update;
    const record = this.#kinds.has(kind) ? this.#maker.record(update) : undefined;
    if (kind === "book_status" && update.reason === "removed") this.#maker.forget(venue, symbol);
    return record && {
      record,
      partition: partitionOf(symbol, this.#market.length),
      published: this.#published.with(symbol, kind),
      errors: this.#errors.with(symbol),
    };
  }
  sizeBytes(message: StreamSinkMessage): number {
    return message.record.bytes.length + MESSAGE_OVERHEAD_BYTES;
  }
  async write(messages: readonly StreamSinkMessage[]): Promise<void> {
    const { clock } = this.context;
    const began_ms = clock.monotonic_ms();
    try {
      await this.#writeParts(messages);
    } catch (error) {
      if (error instanceof WriteRejected) this.#count(messages, error);
      throw error;
    }
    this.#latency.observe((clock.monotonic_ms() - began_ms) / 1_000);
    for (const message of messages) message.published.value++;
  }
  noteSubscription(change: SubscriptionChange): void {
    try {
      this.#subscription_log.add(this.#maker.subscription(change));
    } catch (error) {
      this.#log.warn("subscription", "subscription change not encoded", { reason: this.#reason(error) });
    }
  }
  notReady(): string | undefined {
    for (const producer of this.#market) {
      const why = producer.notReady();
      if (why !== undefined) return why;
    }
    return undefined;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#subscription_log.close(CLOSE_DEADLINE_MS);
    await Promise.all([...this.#market, this.#subscriptions].map((producer) => producer.close()));
  }

  #producer(layout: StreamLayout, onReady: () => void): StreamProducer {
    const { config, context, context: { clock } } = this;
    const broker = new StreamBroker(config, clock, `mdg ${context.name} ${layout.stream}`);
    return new StreamProducer(layout, broker, config.confirm_timeout_ms, context, onReady);
  }
  async #writeParts(messages: readonly StreamSinkMessage[]): Promise<void> {
    if (this.#market.length === 1) return await this.#market[0].write(messages.map((one) => one.record));
    const parts = new Map<number, number[]>();
    messages.forEach(({ partition }, i) => {
      const part = parts.get(partition);
      if (part) part.push(i);
      else parts.set(partition, [i]);
    });
    const retry: number[] = [];
    const refused: number[] = [];
    let reason = "";
    await Promise.all(
      parts.entries().map(async ([partition, indices]) => {
        try {
          await this.#market[partition].write(indices.map((i) => messages[i].record));
        } catch (error) {
          reason ||= this.#reason(error);
          const of_part = error instanceof WriteRejected ? error : new WriteRejected("", [...indices.keys()]);
          for (const i of of_part.retry) retry.push(indices[i]);
          for (const i of of_part.refused) refused.push(indices[i]);
        }
      }),
    );
    if (retry.length + refused.length > 0) throw new WriteRejected(reason, retry, refused);
  }
  #count(messages: readonly StreamSinkMessage[], { retry, refused }: WriteRejected): void {
    const untaken = new Set([...retry, ...refused]);
    messages.forEach((message, i) => untaken.has(i) ? message.errors.value++ : message.published.value++);
  }
  #reason(error: unknown): string {
    return error instanceof Error ? error.message : String(error);
  }
}

function retentionOf({ retention }: RabbitmqStreamConfig): Record<string, string> {
  return {
    "max-age": retention.max_age,
    "max-length-bytes": String(retention.max_length_bytes),
    "stream-max-segment-size-bytes": String(retention.max_segment_bytes),
  };
}

function marketLayouts(config: RabbitmqStreamConfig): StreamLayout[] {
  const { streams: { market: name }, partitions, create } = config;
  const retention = retentionOf(config);
  if (partitions === 0) return [{ stream: name, create, retention }];
  return partitionNames(name, partitions).map((stream) => ({
    stream,
    super_stream: { name, partitions },
    create,
    retention,
  }));
}
