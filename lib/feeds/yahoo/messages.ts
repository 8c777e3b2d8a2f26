/**
 * Frames of Yahoo's streamer: bare base64 (version 1) or `{"type":"pricing","message":"<base64>"}` (version 2), the same
 * PricingData inside. Each becomes a ticker; ticks repeat and come out of order, so an older one of its symbol is dropped.
 */
import type { EventBatch } from "../../market/event_batch.ts";
import { marketState } from "../../market/calendar.ts";
import type { Ticker } from "../../market/event.ts";
import { EVENTS, type FrameOutcome, type Mapper } from "../feed.ts";
import { decodeBase64 } from "./base64.ts";
import { MARKET_HOURS, type PricingData, PricingDataReader, QUOTE_TYPES } from "./pricing_data.ts";

export const VENUE = "yahoo";
const MAX_FRAME_BYTES = 16 * 1024;
const MAX_SYMBOL_LENGTH = 64;
const MAX_TIME_MS = 1e14;
const DEFAULT_PRICE_HINT = 2;
const MAX_PRICE_HINT = 9;
const HEARTBEAT = 7;
const EQUITY = 8;
const ETF = 20;
const CRYPTOCURRENCY = 41;
const OPEN_BRACE = 123;
const CLOSE_BRACE = 125;
const QUOTE = 34;
const PRICING = new TextEncoder().encode('{"type":"pricing","message":"');

const PONG: FrameOutcome = { kind: "pong" };
const UNKNOWN_SYMBOL: FrameOutcome = { kind: "unknown", what: "symbol" };
/** Fields that a ticker has a place for, or that only say how to read the others. */
const PLACED: ReadonlySet<string> = new Set([
  "id",
  "price",
  "time",
  "quoteType",
  "marketHours",
  "changePercent",
  "dayVolume",
  "dayHigh",
  "dayLow",
  "change",
  "openPrice",
  "lastSize",
  "bid",
  "bidSize",
  "ask",
  "askSize",
  "priceHint",
  "vol_24hr",
]);
const PRICES: ReadonlySet<string> = new Set(["previousClose", "strikePrice"]);

export class YahooMapper implements Mapper {
  readonly #data: PricingData = new Map();
  readonly #reader = new PricingDataReader();
  readonly #bytes = new Uint8Array(MAX_FRAME_BYTES);
  /** Undefined: any symbol is taken (captures). */
  readonly #symbols: Set<string> | undefined;

  constructor(symbols?: Iterable<string>) {
    this.#symbols = symbols && new Set(symbols);
  }
  addSymbol(symbol: string): void {
    this.#symbols?.add(symbol);
  }
  removeSymbol(symbol: string): void {
    this.#symbols?.delete(symbol);
  }

  map(frame: Uint8Array, received_us: number, batch: EventBatch): FrameOutcome {
    if (frame.length > MAX_FRAME_BYTES) return malformed(`frame of ${frame.length} bytes`);
    let start = 0;
    let end = frame.length;
    if (frame[0] === OPEN_BRACE) {
      start = PRICING.length;
      end = frame.length - 2;
      // The form that the streamer writes; any other spelling of the same JSON goes the long way.
      const is_usual = beginsAsPricing(frame) && frame[end] === QUOTE && frame[end + 1] === CLOSE_BRACE;
      if (!is_usual) return this.#wrapped(frame, received_us, batch);
    }
    return this.#pricing(frame, start, end, received_us, batch);
  }

  #wrapped(frame: Uint8Array, received_us: number, batch: EventBatch): FrameOutcome {
    let message;
    try {
      message = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(frame));
    } catch {
      return malformed("neither base64 nor JSON");
    }
    if (message?.type !== "pricing") {
      return { kind: "unknown", what: `message type ${String(message?.type).slice(0, 64)}` };
    }
    if (typeof message.message !== "string") return malformed("pricing without a message");
    const text = new TextEncoder().encode(message.message);
    return this.#pricing(text, 0, text.length, received_us, batch);
  }
  #pricing(
    text: Uint8Array,
    start: number,
    end: number,
    received_us: number,
    batch: EventBatch,
  ): FrameOutcome {
    const length = decodeBase64(text, start, end, this.#bytes);
    if (length <= 0) return malformed("no base64");
    const why = this.#reader.read(this.#bytes, length, this.#data);
    if (why !== undefined) return malformed(why);
    const symbol = this.#data.get("id");
    if (this.#data.get("quoteType") === HEARTBEAT) return PONG;
    if (typeof symbol !== "string" || symbol === "" || symbol.length > MAX_SYMBOL_LENGTH) {
      return malformed("PricingData without id");
    }
    const time_ms = this.#data.get("time");
    // Zero and below: the vocabulary has no negative prices, and proto3 does not send zeros.
    if (!(this.#number("price")! > 0)) return malformed("PricingData without price");
    if (typeof time_ms !== "number" || !(time_ms > 0 && time_ms < MAX_TIME_MS)) {
      return malformed("PricingData without time");
    }
    if (this.#symbols && !this.#symbols.has(symbol)) return UNKNOWN_SYMBOL;
    batch.push(this.#ticker(symbol, time_ms, received_us));
    return EVENTS;
  }
  #ticker(symbol: string, time_ms: number, received_us: number): Ticker {
    const quote_type = this.#number("quoteType");
    const is_crypto = quote_type === CRYPTOCURRENCY;
    return {
      kind: "ticker",
      venue: VENUE,
      symbol,
      received_us,
      exchange_ms: time_ms,
      price_change: this.#price("change"),
      price_change_percent: this.#number("changePercent"),
      last_price: this.#price("price"),
      // Of coins it is the day's money again, no size of a trade.
      last_quantity: is_crypto ? undefined : this.#amount("lastSize"),
      bid_price: this.#price("bid"),
      bid_quantity: this.#amount("bidSize"),
      ask_price: this.#price("ask"),
      ask_quantity: this.#amount("askSize"),
      open_price: this.#price("openPrice"),
      high_price: this.#price("dayHigh"),
      low_price: this.#price("dayLow"),
      // Yahoo counts shares and contracts, but of coins the money that changed hands.
      volume: is_crypto ? undefined : this.#amount("dayVolume"),
      quote_volume: is_crypto ? this.#amount("vol_24hr") ?? this.#amount("dayVolume") : undefined,
      session: this.#session(quote_type, time_ms),
      extra: this.#extra(quote_type),
    };
  }
  /**
   * Zero is "pre" and zeros are not sent, so nothing said may mean pre-market or nothing at all. Of a US share, the
   * calendar tells which.
   */
  #session(quote_type: number | undefined, time_ms: number): Ticker["session"] {
    const hours = this.#data.get("marketHours");
    if (typeof hours === "number" && hours > 0) return MARKET_HOURS[hours] as Ticker["session"];
    if (quote_type !== EQUITY && quote_type !== ETF) return undefined;
    return marketState("us_equities", time_ms).session === "pre" ? "pre" : undefined;
  }
  /** What a ticker has no place for, under Yahoo's names. */
  #extra(quote_type: number | undefined): Ticker["extra"] {
    const extra: Record<string, number | string> = {};
    if (quote_type !== undefined) extra.quoteType = QUOTE_TYPES[quote_type] ?? quote_type;
    for (const [name, value] of this.#data) {
      if (PLACED.has(name)) continue;
      if (name === "optionsType") extra[name] = value === 0 ? "call" : "put";
      else extra[name] = PRICES.has(name) ? this.#price(name) ?? value : value;
    }
    return Object.keys(extra).length > 0 ? extra : undefined;
  }
  #number(name: string): number | undefined {
    const value = this.#data.get(name);
    return typeof value === "number" ? value : undefined;
  }
  #amount(name: string): number | undefined {
    const value = this.#number(name);
    return value !== undefined && value >= 0 ? value : undefined;
  }
  /** A binary32 price has noise past its digits: the venue says how many count. */
  #price(name: string): number | undefined {
    const value = this.#number(name);
    if (value === undefined) return undefined;
    if (value < 0 && name !== "change") return undefined;
    const hint = this.#number("priceHint") ?? DEFAULT_PRICE_HINT;
    return hint >= 0 && hint <= MAX_PRICE_HINT ? Number(value.toFixed(hint)) : value;
  }
}

function beginsAsPricing(frame: Uint8Array): boolean {
  if (frame.length < PRICING.length + 2) return false;
  for (let i = 0; i < PRICING.length; i++) if (frame[i] !== PRICING[i]) return false;
  return true;
}

function malformed(why: string): FrameOutcome {
  return { kind: "malformed", why };
}
