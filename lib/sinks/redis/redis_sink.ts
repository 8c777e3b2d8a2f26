/**
 * The sink itself: updates become channel and payload, batches become commands of one write, PUBLISH, SPUBLISH or XADD. Answers are
 * looked at one by one, so only what was not taken is tried again, and what Redis refuses for good is not.
 */
import { RateLimitedLog } from "../../base/log.ts";
import type { HistogramValue, MetricFamily, MetricValue } from "../../base/metrics.ts";
import { type UpdateKind, WriteRejected } from "../../flow/delivery_target.ts";
import { bookPayload, tradePayload } from "../../flow/json_payload.ts";
import type { MarketUpdate } from "../../market/update.ts";
import { clusterSlot } from "../../wire/redis/cluster_slot.ts";
import { openRedis } from "../../wire/redis/open_redis.ts";
import { passes } from "../../wire/redis/passing_error.ts";
import type { RedisAddress, RedisAnswer, RedisLink } from "../../wire/redis/redis_link.ts";
import type { RespWriter } from "../../wire/redis/resp_writer.ts";
import type { RedisConfig } from "../redis.ts";
import type { Sink, SinkContext } from "../sink.ts";
import { channelOf } from "../../wire/redis/channel_of.ts";
import { type LatestBook, LatestBooks } from "./latest_books.ts";

/** Seconds; 200 µs is the old service's target. */
const LATENCY_BOUNDS_S = [0.000_05, 0.000_1, 0.000_2, 0.000_5, 0.001, 0.002, 0.005, 0.01, 0.05, 0.2, 1];
/** Objects and strings around a payload, bytes, roughly. */
const MESSAGE_OVERHEAD_BYTES = 160;
/** What to do about a reply that people meet, after its own words. */
const ADVICE: Readonly<Record<string, string>> = {
  OOM: "redis is full: raise maxmemory, or keep less (streams.max_trades, streams.max_books)",
  NOPERM: "the user may not: grant it with ACL SETUSER",
  NOAUTH: "set password",
};

/** A channel or a stream, with its slot. */
interface Channel {
  readonly name: string;
  readonly slot: number;
  /** Entries kept, where it is a stream. */
  readonly max_length: number;
}

interface Instrument {
  readonly book_channel: Channel;
  readonly trade_channel: Channel;
  readonly latest: LatestBook;
  readonly books: MetricValue;
  readonly trades: MetricValue;
  readonly errors: MetricValue;
}

export interface RedisMessage {
  readonly channel: string;
  readonly slot: number;
  readonly max_length: number;
  readonly payload: string;
  readonly published: MetricValue;
  readonly errors: MetricValue;
}

type Append = (commands: RespWriter, message: RedisMessage) => void;
const APPEND: Readonly<Record<RedisConfig["deliver"], Append>> = {
  pubsub: (commands, { channel, payload }) => commands.command("PUBLISH", channel, payload),
  sharded_pubsub: (commands, { channel, payload }) => commands.command("SPUBLISH", channel, payload),
  streams: (commands, { channel, payload, max_length }) =>
    commands.command("XADD", channel, "MAXLEN", "~", max_length, "*", "payload", payload),
};

export class RedisSink implements Sink<RedisMessage> {
  readonly name: string;
  readonly limits: { readonly max_trades: number };
  readonly #link: RedisLink;
  readonly #append: Append;
  readonly #latest: LatestBooks;
  readonly #instruments = new Map<string, Map<string, Instrument>>();
  readonly #publishes: MetricFamily<MetricValue>;
  readonly #errors: MetricFamily<MetricValue>;
  readonly #latency: HistogramValue;
  readonly #log: RateLimitedLog;

  constructor(readonly config: RedisConfig, address: RedisAddress, readonly context: SinkContext) {
    const { metrics, clock, log, name, seed } = context;
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
      "From a write of messages begun to its last answer",
      ["sink"],
      LATENCY_BOUNDS_S,
    ).with(name);
    this.#log = new RateLimitedLog(log, clock);
    this.#append = APPEND[config.deliver];
    const unreplicated = metrics.counter(
      "redis_unreplicated_writes_total",
      "Writes that fewer replicas than wanted had in time",
      ["sink"],
    ).with(name);
    this.#link = openRedis(address, {
      name,
      clock,
      log,
      seed,
      onReady: () => context.writable(),
      onFewReplicas: (count) => {
        unreplicated.value++;
        this.#log.warn("replicas", "redis has it, too few replicas do", {
          count,
          wanted: config.wait_replicas,
        });
      },
    });
    this.#latest = new LatestBooks(
      this.#link,
      clock,
      { interval_ms: config.latest_interval_ms, ttl_ms: config.latest_ttl_ms },
      (error) => this.#log.warn("latest", "latest book not written", { reason: this.#reason(error) }),
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
      return this.#message(instrument.book_channel, payload, instrument.books, instrument.errors);
    }
    if (update.kind === "trade") {
      const { trade_channel, trades, errors } = instrument;
      return this.#message(trade_channel, tradePayload(update), trades, errors);
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
    const answers = await this.#link.send(messages, this.#append);
    this.#latency.observe((clock.monotonic_ms() - began_ms) / 1000);
    this.#readAnswers(messages, answers);
  }
  notReady(): string | undefined {
    return this.#link.notReady();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#latest.close();
    await this.#link.close();
  }

  #message(to: Channel, payload: string, published: MetricValue, errors: MetricValue): RedisMessage {
    const { name: channel, slot, max_length } = to;
    return { channel, slot, max_length, payload, published, errors };
  }
  #readAnswers(messages: readonly RedisMessage[], answers: readonly RedisAnswer[]): void {
    const retry: number[] = [];
    const refused: number[] = [];
    let first: Error | undefined;
    for (let i = 0; i < messages.length; i++) {
      const [error] = answers[i];
      if (error === null) {
        messages[i].published.value++;
        continue;
      }
      first ??= error;
      messages[i].errors.value++;
      (passes(error) ? retry : refused).push(i);
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
    const said = this.#link.reason(error);
    const [code] = said.split(" ", 1);
    const is_unknown_cluster = code === "MOVED" && this.config.topology !== "cluster";
    const advice = is_unknown_cluster ? 'this is a Cluster: set topology "cluster"' : ADVICE[code];
    return advice ? `${said} (${advice})` : said;
  }
  #instrument(venue: string, symbol: string): Instrument {
    let symbols = this.#instruments.get(venue);
    if (!symbols) this.#instruments.set(venue, symbols = new Map());
    const found = symbols.get(symbol);
    if (found) return found;
    const { channels, latest_key, streams } = this.config;
    const channel = (template: string, max_length: number): Channel => {
      const name = channelOf(template, venue, symbol);
      return { name, slot: clusterSlot(name), max_length };
    };
    const made: Instrument = {
      book_channel: channel(channels.book, streams.max_books),
      trade_channel: channel(channels.trades, streams.max_trades),
      latest: this.#latest.add(channelOf(latest_key, venue, symbol)),
      books: this.#publishes.with(symbol, "orderbook"),
      trades: this.#publishes.with(symbol, "trade"),
      errors: this.#errors.with(symbol),
    };
    symbols.set(symbol, made);
    return made;
  }
}
