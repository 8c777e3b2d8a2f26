/**
 * The source itself: the client of the protocol (lib/client), its messages as events, interruptions in their place among
 * them. Books are taken whole after every break, trades and candles resumed; what was lost all the same is counted.
 * Memory is bounded: while the inbox is full the socket is not read, and the other side conflates and says so.
 */
import { RateLimitedLog } from "../../base/log.ts";
import type { MetricValue } from "../../base/metrics.ts";
import { Random } from "../../base/random.ts";
import { DISCONNECTED, RestreamClient } from "../../client/client.ts";
import type { BookEvent, Gap } from "../../client/market.ts";
import type { KeptBook } from "../../client/kept_book.ts";
import type { ChannelName, ControlMessage, MarketMessage } from "../../client/messages.ts";
import { ANY_SYMBOL, type Wish } from "../../client/wish.ts";
import type { SourceConnection } from "../../flow/session_registry.ts";
import type { BookDelta } from "../../market/event.ts";
import { EventBatch } from "../../market/event_batch.ts";
import type { SequenceRule } from "../../market/sequence_rule.ts";
import type { GatewaySourceConfig } from "../gateway.ts";
import type { Source, SourceContext, SourceEvents } from "../source.ts";
import { Inbox } from "./inbox.ts";
import { readCa } from "./read_ca.ts";
import { ToEvents } from "./to_events.ts";

/** Symbols of a wildcard; a broken peer must not grow memory. */
const MAX_SYMBOLS = 4_096;

/** The ids chain: each delta names the one before it. */
const sequence: SequenceRule = {
  in_band_snapshots: true,
  afterSnapshot: (delta, snapshot_id) => chained(delta, snapshot_id),
  afterDelta: (delta, last_id) => chained(delta, last_id),
};
function chained(delta: BookDelta, last_id: number) {
  if (delta.previous_id === last_id) return "next" as const;
  return delta.last_id <= last_id ? "stale" as const : "gap" as const;
}

export class GatewaySource implements Source {
  readonly name: string;
  readonly venue: string;
  readonly sequence = sequence;
  readonly learns: boolean;
  readonly #symbols: Set<string>;
  readonly #inbox = new Inbox();
  readonly #to_events = new ToEvents();
  readonly #log: RateLimitedLog;
  readonly #missed: MetricValue;
  readonly #malformed: MetricValue;
  #client: RestreamClient | undefined;
  #is_paused = false;
  /** Told to wait, however little is gathered. */
  #is_held = false;
  #is_up = false;
  #disconnects = 0;
  #heard_ms: number | undefined;
  /** Why it gave up. */
  #final: string | undefined;

  constructor(readonly config: GatewaySourceConfig, readonly context: SourceContext) {
    this.name = context.name;
    this.venue = config.venue;
    this.learns = config.symbols.includes(ANY_SYMBOL);
    this.#symbols = new Set(this.learns ? [] : config.symbols);
    this.#log = new RateLimitedLog(context.log.with({ source: this.name }), context.clock);
    const { metrics } = context;
    this.#missed = metrics.counter(
      "gateway_trades_missed_total",
      "Trades the other gateway had and we did not get: it told so, or its numbering",
      ["source"],
    ).with(this.name);
    this.#malformed = metrics.counter(
      "gateway_messages_malformed_total",
      "Messages of the other gateway that could not be read",
      ["source"],
    ).with(this.name);
  }
  get symbols(): readonly string[] {
    return [...this.#symbols];
  }
  notReady(): string | undefined {
    const client = this.#client;
    const why = client === undefined ? "not connected yet" : client.notReady();
    if (why === undefined) return undefined;
    return `${client?.url ?? this.config.url}: ${why}${this.#final === undefined ? "" : ", given up"}`;
  }
  /** A snapshot that is on its way, or that the other side will send when it can, is not asked for again. */
  requestSnapshot(symbol: string): void {
    if (!this.config.channels.includes("book")) return;
    if (this.#client?.book(this.venue, symbol)?.in_sync) {
      this.#client.refresh({ symbol, channel: "book", venue: this.venue });
    }
  }

  /** The other side conflates for us meanwhile and says what it skipped. */
  pause(): void {
    this.#is_held = this.#is_paused = true;
    this.#client?.pause();
  }
  resume(): void {
    this.#is_held = this.#is_paused = false;
    this.#client?.resume();
  }
  connections(): SourceConnection[] {
    const client = this.#client;
    const reason = client === undefined ? "not connected yet" : client.notReady();
    return [{
      connection: new URL(client?.url ?? this.config.url).host,
      ...(reason === undefined ? { state: "connected" } : { state: "connecting", reason }),
      symbols: this.#symbols.size,
      last_message_age_ms: this.#heard_ms === undefined
        ? undefined
        : Math.round(this.context.clock.monotonic_ms() - this.#heard_ms),
      disconnects: this.#disconnects,
    }];
  }

  async *batches(signal: AbortSignal, events: SourceEvents): AsyncIterable<EventBatch> {
    const client = this.#client = await this.#open();
    const stop = () => {
      client.close();
      this.#inbox.wake();
    };
    signal.addEventListener("abort", stop);
    if (signal.aborted) stop();
    try {
      while (!signal.aborted) {
        for (const item of await this.#inbox.take()) {
          if (signal.aborted) return;
          if (item instanceof EventBatch) {
            yield item;
            this.#inbox.reuse(item);
          } else if (item.of === "all") events.interrupted(item.symbols, item.reason);
          else events.tradesInterrupted?.(item.symbols);
        }
        if (this.#is_paused && !this.#is_held && !this.#inbox.is_full) {
          this.#is_paused = false;
          client.resume();
        }
      }
    } finally {
      signal.removeEventListener("abort", stop);
      client.close();
    }
  }

  async #open(): Promise<RestreamClient> {
    const { config, context: { clock, seed } } = this;
    const client = new RestreamClient(
      {
        urls: [config.url, ...config.other_urls],
        token: config.token,
        ca: await readCa(config.ca_file),
        binary: config.binary,
        keeps_books: false,
        reconnect: { first_ms: config.reconnect_delay_ms, max_ms: config.max_reconnect_delay_ms },
        max_silence_ms: config.max_silence_ms,
      },
      { clock, random: new Random(`${seed}:${this.name}`) },
      {
        up: ({ server }, url) => {
          this.#is_up = true;
          this.context.log.info("connected to a gateway", { source: this.name, url, server });
        },
        down: (reason, retry_ms) => this.#down(reason, retry_ms),
        market: (message, received_us) => this.#market(message, received_us),
        book: (book, event) => this.#book(book, event),
        gap: (gap) => this.#gap(gap),
        unreadable: () => void this.#malformed.value++,
        control: (message) => this.#control(message),
      },
    );
    for (const wish of this.#wishes()) client.subscribe(wish);
    if (this.#is_held) client.pause();
    return client;
  }
  *#wishes(): Iterable<Wish> {
    const { channels, candle_intervals, symbols } = this.config;
    for (const symbol of this.learns ? [ANY_SYMBOL] : symbols) {
      for (const channel of [...channels, "status"] as ChannelName[]) {
        const wish = { symbol, channel, venue: this.venue };
        if (channel !== "candles") yield wish;
        else for (const interval of candle_intervals) yield { ...wish, interval };
      }
    }
  }
  #market(message: MarketMessage, received_us: number): void {
    const { venue, symbol } = message;
    this.#heard_ms = this.context.clock.monotonic_ms();
    if (venue !== this.venue || !this.#admits(symbol)) return;
    const is_book = message.type === "snapshot" || message.type === "delta";
    const levels = is_book ? message.bids.size + message.asks.size : 0;
    this.#to_events.push(message, received_us, this.#inbox.room(levels));
    this.#bound();
  }
  #admits(symbol: string): boolean {
    if (this.#symbols.has(symbol)) return true;
    if (!this.learns || this.#symbols.size >= MAX_SYMBOLS) return false;
    this.#symbols.add(symbol);
    return true;
  }
  #bound(): void {
    if (this.#is_paused || !this.#inbox.is_full) return;
    this.#is_paused = true;
    this.#client?.pause();
  }
  #book({ venue, symbol, reason }: KeptBook, event: BookEvent): void {
    // Of a connection that ended all symbols are told at once.
    if (event !== "lost" || venue !== this.venue || reason === DISCONNECTED) return;
    this.#inbox.interrupt({ of: "all", symbols: [symbol], reason });
    this.#bound();
  }
  #gap({ venue, symbol, channel, missed }: Gap): void {
    if (venue !== this.venue) return;
    if (channel === "bbo") {
      // Quotes were skipped: which one stood between two others is unknown.
      const received_us = this.context.clock.now_us();
      this.#inbox.room(0).push({ kind: "damage", venue, symbol, received_us });
    }
    if (channel !== "trades") return;
    this.#inbox.interrupt({ of: "trades", symbols: [symbol], reason: "trades missed" });
    if (missed === undefined) return;
    this.#missed.value += missed;
    this.#log.warn("missed", "trades were missed", { symbol, trades: missed });
  }
  #down(reason: string, retry_ms: number | undefined): void {
    const client = this.#client;
    if (this.#is_up) this.#disconnects++;
    this.#is_up = false;
    this.#inbox.interrupt({ of: "all", symbols: this.symbols, reason: DISCONNECTED });
    if (reason === "stopped") return;
    const url = client?.url ?? this.config.url;
    if (retry_ms !== undefined) {
      return this.#log.warn("down", "connection to the gateway lost", { url, reason });
    }
    this.#final = reason;
    this.#log.warn("final", "the gateway does not want us, given up until the config changes", {
      url,
      reason,
    });
  }
  #control({ type, code, message, reason, channel, symbol }: ControlMessage): void {
    if (type === "error") {
      this.#log.warn(`error ${code}`, "the gateway refused a request", { code, message });
    } else if (type === "notice") {
      this.#log.warn(`notice ${code}`, "notice of the gateway", { code, message });
    } else if (type === "unsubscribed" && typeof reason === "string") {
      this.#log.warn("ended", "the gateway ended a subscription", { symbol, channel, reason });
    }
  }
}
