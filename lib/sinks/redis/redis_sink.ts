/**
 * The sink itself: updates become channel and payload, batches become one pipeline of PUBLISH. Answers are looked at one
 * by one, so only what was not taken is tried again, and what Redis refuses for good is not.
 */
import { withDeadline } from "../../base/clock.ts";
import { RateLimitedLog } from "../../base/log.ts";
import type { HistogramValue, MetricFamily, MetricValue } from "../../base/metrics.ts";
import { type UpdateKind, WriteRejected } from "../../flow/delivery_target.ts";
import { bookPayload, tradePayload } from "../../flow/json_payload.ts";
import type { MarketUpdate } from "../../market/update.ts";
import type { RedisConfig } from "../redis.ts";
import type { Sink, SinkContext } from "../sink.ts";
import { channelOf } from "./channel_of.ts";
import { type LatestBook, LatestBooks } from "./latest_books.ts";
import { RedisConnection } from "./redis_connection.ts";

/** Seconds; 200 µs is the old service's target. */
const LATENCY_BOUNDS_S = [0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1];
/** Objects and strings around a payload, bytes, roughly. */
const MESSAGE_OVERHEAD_BYTES = 160;
/** Error replies that pass: the same command may succeed later. Every other error reply is final. */
const PASSING_ERROR =
  /^(LOADING|BUSY|MASTERDOWN|READONLY|OOM|MISCONF|CLUSTERDOWN|TRYAGAIN|NOAUTH|NOREPLICAS)\b/;

interface Instrument {
  readonly book_channel: string;
  readonly trade_channel: string;
  readonly latest: LatestBook;
  readonly books: MetricValue;
  readonly trades: MetricValue;
  readonly errors: MetricValue;
}

export interface RedisMessage {
  readonly channel: string;
  readonly payload: string;
  readonly published: MetricValue;
  readonly errors: MetricValue;
}

export class RedisSink implements Sink<RedisMessage> {
  readonly name: string;
  readonly limits: { readonly max_trades: number };
  readonly #connection: RedisConnection;
  readonly #latest: LatestBooks;
  readonly #instruments = new Map<string, Map<string, Instrument>>();
  readonly #publishes: MetricFamily<MetricValue>;
  readonly #errors: MetricFamily<MetricValue>;
  readonly #latency: HistogramValue;
  readonly #log: RateLimitedLog;

  constructor(readonly config: RedisConfig, readonly context: SinkContext) {
    const { metrics, clock, log, name } = context;
    this.name = name;
    this.limits = { max_trades: config.max_queued_trades };
    this.#publishes = metrics.counter("redis_publishes_total", "Messages published to Redis", [
      "symbol",
      "type",
    ]);
    this.#errors = metrics.counter("redis_errors_total", "Messages that Redis did not take at an attempt", [
      "symbol",
    ]);
    this.#latency = metrics.histogram(
      "redis_publish_latency_seconds",
      "From a pipeline of PUBLISH begun to its last answer",
      ["sink"],
      LATENCY_BOUNDS_S,
    ).with(name);
    this.#log = new RateLimitedLog(log, clock);
    this.#connection = new RedisConnection(config, context);
    this.#latest = new LatestBooks(
      this.#connection.client,
      clock,
      {
        interval_ms: config.latest_interval_ms,
        ttl_ms: config.latest_ttl_ms,
        timeout_ms: config.command_timeout_ms,
      },
      (error) => this.#log.warn("latest", "latest book not written", { reason: this.#reason(error) }),
      () => this.#connection.reconnect(),
    );
  }

  takes(kind: UpdateKind): boolean {
    return kind === "book" || kind === "trade" || kind === "book_status";
  }
  encode(update: MarketUpdate): RedisMessage | undefined {
    const instrument = this.#instrument(update.venue, update.symbol);
    if (update.kind === "book") {
      const payload = bookPayload(update, this.config.order_book_depth);
      instrument.latest.payload = payload;
      instrument.latest.changed = true;
      const { book_channel: channel, books: published, errors } = instrument;
      return { channel, payload, published, errors };
    }
    if (update.kind === "trade") {
      const { trade_channel: channel, trades: published, errors } = instrument;
      return { channel, payload: tradePayload(update), published, errors };
    }
    if (update.kind === "book_status" && !update.in_sync) this.#leftSync(update, instrument);
    return undefined;
  }
  sizeBytes(message: RedisMessage): number {
    return message.payload.length + MESSAGE_OVERHEAD_BYTES;
  }
  async write(messages: readonly RedisMessage[]): Promise<void> {
    const { clock } = this.context;
    const began_ms = clock.monotonic_ms();
    const pipeline = this.#connection.client.pipeline();
    for (const { channel, payload } of messages) pipeline.publish(channel, payload);
    let answers: [Error | null, unknown][] | null;
    try {
      answers = await withDeadline(clock, this.config.command_timeout_ms, "publish", pipeline.exec());
    } catch (error) {
      this.#connection.reconnect();
      for (const message of messages) message.errors.value++;
      throw new Error(this.#reason(error));
    }
    this.#latency.observe((clock.monotonic_ms() - began_ms) / 1000);
    this.#readAnswers(messages, answers ?? []);
  }
  notReady(): string | undefined {
    return this.#connection.notReady();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#latest.close();
    await this.#connection.close();
  }

  #readAnswers(messages: readonly RedisMessage[], answers: [Error | null, unknown][]): void {
    const retry: number[] = [];
    const refused: number[] = [];
    let first: Error | undefined;
    for (let i = 0; i < messages.length; i++) {
      const error = answers[i] === undefined ? new Error("no answer") : answers[i][0];
      if (error === null) {
        messages[i].published.value++;
        continue;
      }
      first ??= error;
      messages[i].errors.value++;
      const is_final = error.name === "ReplyError" && !PASSING_ERROR.test(error.message);
      (is_final ? refused : retry).push(i);
    }
    if (first) throw new WriteRejected(this.#reason(first), retry, refused);
  }
  #leftSync(update: MarketUpdate & { kind: "book_status" }, instrument: Instrument): void {
    if (update.reason === "removed") {
      this.#latest.remove(instrument.latest);
      this.#instruments.get(update.venue)?.delete(update.symbol);
      return;
    }
    this.#latest.clear(instrument.latest);
  }
  #reason(error: unknown): string {
    return this.#connection.reason(error);
  }
  #instrument(venue: string, symbol: string): Instrument {
    let symbols = this.#instruments.get(venue);
    if (!symbols) this.#instruments.set(venue, symbols = new Map());
    const found = symbols.get(symbol);
    if (found) return found;
    const { channels, latest_key } = this.config;
    const made: Instrument = {
      book_channel: channelOf(channels.book, venue, symbol),
      trade_channel: channelOf(channels.trades, venue, symbol),
      latest: this.#latest.add(channelOf(latest_key, venue, symbol)),
      books: this.#publishes.with(symbol, "orderbook"),
      trades: this.#publishes.with(symbol, "trade"),
      errors: this.#errors.with(symbol),
    };
    symbols.set(symbol, made);
    return made;
  }
}
