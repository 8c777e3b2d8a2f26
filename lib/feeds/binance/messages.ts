/**
 * Frames of Binance, spot and USDⓈ-M futures, to events. Both send the same shapes with a few fields more or less; what
 * differs (ids, clocks, families) is told by `BinanceDialect`, so that each market stays one small file.
 * Source: Binance API documents, spot "WebSocket Streams" and USDⓈ-M "Websocket Market Streams".
 */
import { readDecimal } from "../../base/decimal.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import type { BookDelta, Ticker } from "../../market/event.ts";
import { EVENTS, type FrameOutcome, type Mapper } from "../feed.ts";
import { SymbolTable } from "../symbol_table.ts";
import { FrameScanner, LAST_UPDATE_ID, PU, ST } from "./frame_scanner.ts";

export interface BinanceDialect {
  venue: string;
  /** Futures carry `pu`, without which a depth event can't be chained. */
  needs_previous_id: boolean;
}

const CODE = (letter: string) => letter.charCodeAt(0);
const E = CODE("E"), T = CODE("T"), U = CODE("U"), A = CODE("A"), B = CODE("B");
const a = CODE("a"), b = CODE("b"), e = CODE("e"), f = CODE("f"), k = CODE("k"), l = CODE("l"), m = CODE("m");
const p = CODE("p"), q = CODE("q"), s = CODE("s"), t = CODE("t"), u = CODE("u");
/** Spot with `timeUnit=MICROSECOND` sends 16 digits; milliseconds have 13 until the year 2286. */
const MICROSECONDS_FROM = 1e14;
const UNKNOWN_SYMBOL: FrameOutcome = { kind: "unknown", what: "symbol" };
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const text_decoder = new TextDecoder("utf-8", { fatal: true });

export class BinanceMapper implements Mapper {
  readonly #scanner = new FrameScanner();
  readonly #symbols: SymbolTable;
  /** The delta whose lists the current scan fills. */
  #delta!: BookDelta;

  constructor(readonly dialect: BinanceDialect, symbols?: Iterable<string>) {
    this.#symbols = new SymbolTable(symbols);
  }

  addSymbol(symbol: string): void {
    this.#symbols.add(symbol);
  }
  removeSymbol(symbol: string): void {
    this.#symbols.remove(symbol);
  }

  map(frame: Uint8Array, received_us: number, batch: EventBatch): FrameOutcome {
    if (frame.length > MAX_FRAME_BYTES) return malformed(`frame of ${frame.length} bytes`);
    const scanner = this.#scanner;
    const delta = this.#delta = batch.freeDelta();
    if (!scanner.scan(frame, delta.bids, delta.asks)) return malformed("not one well-formed JSON value");
    if (scanner.is_array) return { kind: "unknown", what: "array stream" };
    if (scanner.is_control) return this.#control(frame);
    if (scanner.equals(e, "depthUpdate")) return this.#depth(frame, received_us, batch);
    if (scanner.equals(e, "bookTicker") || (!scanner.has(e) && scanner.has(B))) {
      return this.#quote(frame, received_us, batch);
    }
    if (scanner.equals(e, "aggTrade")) return this.#trade(frame, received_us, batch, a, true);
    if (scanner.equals(e, "trade")) return this.#trade(frame, received_us, batch, t, false);
    if (scanner.equals(e, "24hrTicker")) return this.#ticker(frame, received_us, batch);
    if (scanner.equals(e, "kline")) return this.#candle(frame, received_us, batch);
    if (scanner.equals(e, "serverShutdown")) return { kind: "shutdown" };
    if (scanner.has(e)) return { kind: "unknown", what: `event ${scanner.text(e).slice(0, 64)}` };
    if (scanner.has(LAST_UPDATE_ID)) return { kind: "unknown", what: "partial depth or REST snapshot" };
    return malformed("no event type");
  }

  /** `{"e":"depthUpdate","E":…,"T":…,"s":"BTCUSDT","U":157,"u":160,"pu":149,"b":[["p","q"]],"a":[…]}` */
  #depth(frame: Uint8Array, received_us: number, batch: EventBatch): FrameOutcome {
    const scanner = this.#scanner;
    if (scanner.isOtherDepth()) return { kind: "unknown", what: "depth that is no diff" };
    const first_id = scanner.integer(U);
    const last_id = scanner.integer(u);
    const previous_id = scanner.integer(PU);
    if (!scanner.has_bids || !scanner.has_asks) return malformed("depthUpdate without bids or asks");
    if (!(first_id <= last_id)) return malformed("depthUpdate without U ≤ u");
    if (this.dialect.needs_previous_id && !(previous_id >= 0)) return malformed("depthUpdate without pu");
    const symbol = this.#symbol(frame);
    if (symbol === undefined) return this.#noSymbol();
    const delta = this.#delta;
    delta.venue = this.dialect.venue;
    delta.symbol = symbol;
    delta.received_us = received_us;
    delta.sent_ms = this.#time(E);
    delta.exchange_ms = this.#time(T);
    delta.first_id = first_id;
    delta.last_id = last_id;
    delta.previous_id = previous_id >= 0 ? previous_id : undefined;
    batch.pushDelta(delta);
    return EVENTS;
  }

  /** `{"u":…,"s":"BTCUSDT","b":"…","B":"…","a":"…","A":"…"}`; futures add e, T, E. */
  #quote(frame: Uint8Array, received_us: number, batch: EventBatch): FrameOutcome {
    const scanner = this.#scanner;
    const update_id = scanner.integer(u);
    const bid = scanner.decimal(b);
    const bid_quantity = scanner.decimal(B);
    const ask = scanner.decimal(a);
    const ask_quantity = scanner.decimal(A);
    if (!(update_id >= 0) || !(bid >= 0) || !(bid_quantity >= 0) || !(ask >= 0) || !(ask_quantity >= 0)) {
      return malformed("bookTicker without u, b, B, a, A");
    }
    const symbol = this.#symbol(frame);
    if (symbol === undefined) return this.#noSymbol();
    const quote = batch.pushQuote();
    quote.venue = this.dialect.venue;
    quote.symbol = symbol;
    quote.received_us = received_us;
    quote.sent_ms = this.#time(E);
    quote.exchange_ms = this.#time(T);
    quote.update_id = update_id;
    quote.bid = bid;
    quote.bid_quantity = bid_quantity;
    quote.ask = ask;
    quote.ask_quantity = ask_quantity;
    return EVENTS;
  }

  /** `{"e":"aggTrade","E":…,"s":"BTCUSDT","a":510001,"p":"…","q":"…","f":…,"l":…,"T":…,"m":false}` */
  #trade(
    frame: Uint8Array,
    received_us: number,
    batch: EventBatch,
    id: number,
    aggregate: boolean,
  ): FrameOutcome {
    const scanner = this.#scanner;
    const trade_id = scanner.integer(id);
    const price = scanner.decimal(p);
    const quantity = scanner.decimal(q);
    const exact_quantity = scanner.exact_text;
    const buyer_is_maker = scanner.equals(m, "true");
    if (
      !(trade_id >= 0) || !(price >= 0) || !(quantity >= 0) ||
      (!buyer_is_maker && !scanner.equals(m, "false"))
    ) {
      return malformed("trade without id, price, quantity or maker side");
    }
    const symbol = this.#symbol(frame);
    if (symbol === undefined) return this.#noSymbol();
    const first_fill_id = aggregate ? scanner.integer(f) : NaN;
    const last_fill_id = aggregate ? scanner.integer(l) : NaN;
    batch.push({
      kind: "trade",
      venue: this.dialect.venue,
      symbol,
      received_us,
      exchange_ms: this.#time(T),
      sent_ms: this.#time(E),
      trade_id,
      price,
      quantity,
      exact_quantity,
      aggressor: buyer_is_maker ? "sell" : "buy",
      first_fill_id: first_fill_id >= 0 ? first_fill_id : undefined,
      last_fill_id: last_fill_id >= 0 ? last_fill_id : undefined,
    });
    return EVENTS;
  }

  #ticker(frame: Uint8Array, received_us: number, batch: EventBatch): FrameOutcome {
    const symbol = this.#symbol(frame);
    if (symbol === undefined) return this.#noSymbol();
    const decimal = (letter: string) => this.#optional(this.#scanner.decimal(CODE(letter)));
    const amount = (letter: string) => {
      const value = decimal(letter);
      return value !== undefined && value >= 0 ? value : undefined;
    };
    const integer = (letter: string) => this.#optional(this.#scanner.integer(CODE(letter)));
    const ticker: Ticker = {
      kind: "ticker",
      venue: this.dialect.venue,
      symbol,
      received_us,
      sent_ms: this.#time(E),
      price_change: decimal("p"),
      price_change_percent: decimal("P"),
      weighted_average_price: amount("w"),
      last_price: amount("c"),
      last_quantity: amount("Q"),
      bid_price: amount("b"),
      bid_quantity: amount("B"),
      ask_price: amount("a"),
      ask_quantity: amount("A"),
      open_price: amount("o"),
      high_price: amount("h"),
      low_price: amount("l"),
      volume: amount("v"),
      quote_volume: amount("q"),
      open_time_ms: this.#time(CODE("O")),
      close_time_ms: this.#time(CODE("C")),
      first_trade_id: integer("F"),
      last_trade_id: integer("L"),
      trade_count: integer("n"),
    };
    if (ticker.last_price === undefined) return malformed("24hrTicker without last price");
    batch.push(ticker);
    return EVENTS;
  }

  /** Klines come a few times a second at most: the inner object goes through JSON.parse. */
  #candle(frame: Uint8Array, received_us: number, batch: EventBatch): FrameOutcome {
    const symbol = this.#symbol(frame);
    if (symbol === undefined) return this.#noSymbol();
    const scanner = this.#scanner;
    if (!scanner.has(k)) return malformed("kline without k");
    try {
      const bar = JSON.parse(text_decoder.decode(frame.subarray(scanner.startOf(k), scanner.stopOf(k))));
      const number = (name: string) => {
        const value = finiteNumber(bar[name]);
        return value !== undefined && value >= 0 ? value : undefined;
      };
      const required = ["t", "T", "o", "h", "l", "c", "v"].map(number);
      if (required.includes(undefined) || typeof bar.i !== "string" || typeof bar.x !== "boolean") {
        return malformed("kline without times, prices, interval or state");
      }
      const [open_time, close_time, open, high, low, close, volume] = required as number[];
      if (![open_time, close_time].every(isTime)) return malformed("kline at no time");
      batch.push({
        kind: "candle",
        venue: this.dialect.venue,
        symbol,
        received_us,
        sent_ms: this.#time(E),
        interval: bar.i,
        open_time_ms: milliseconds(open_time),
        close_time_ms: milliseconds(close_time),
        open,
        high,
        low,
        close,
        volume,
        quote_volume: number("q"),
        trade_count: number("n"),
        closed: bar.x,
      });
      return EVENTS;
    } catch {
      return malformed("kline: not an object");
    }
  }

  /** `{"result":null,"id":1}`, `{"code":2,"msg":"…"}`, `{"error":{"code","msg"},"id":1}` */
  #control(frame: Uint8Array): FrameOutcome {
    try {
      const message = JSON.parse(text_decoder.decode(frame));
      const error = message.error ?? (message.code !== undefined ? message : undefined);
      const reason = error ? `${error.code ?? "?"}: ${String(error.msg ?? "").slice(0, 200)}` : undefined;
      if (typeof message.id === "number") return { kind: "ack", id: message.id, error: reason };
      return reason ? { kind: "error", message: reason } : { kind: "unknown", what: "control message" };
    } catch {
      return malformed("control message");
    }
  }

  /** The symbol, unless the row belongs to COIN-M (`st` 2), which shares the all-market streams since 2026-06-30. */
  #symbol(frame: Uint8Array): string | undefined {
    const scanner = this.#scanner;
    if (!scanner.isString(s) || (scanner.has(ST) && !scanner.equals(ST, "1"))) return undefined;
    return this.#symbols.lookup(frame, scanner.startOf(s), scanner.stopOf(s));
  }
  #noSymbol(): FrameOutcome {
    return this.#scanner.isString(s) ? UNKNOWN_SYMBOL : malformed("no symbol");
  }
  #time(slot: number): number | undefined {
    const value = this.#scanner.integer(slot);
    return value > 0 ? milliseconds(value) : undefined;
  }
  #optional(value: number): number | undefined {
    return Number.isFinite(value) ? value : undefined;
  }
}

/** Binance's times, whichever unit the connection asked for. */
function milliseconds(time: number): number {
  return time >= MICROSECONDS_FROM ? time / 1000 : time;
}

/** A time of this or the next millennium. */
function isTime(time: number): boolean {
  return time > 0 && milliseconds(time) < MICROSECONDS_FROM;
}

/** A JSON number or a decimal text; anything else (null, "", true) is unknown, not 0. */
function finiteNumber(value: unknown): number | undefined {
  if (typeof value === "string") return readDecimal(value)?.value;
  return typeof value === "number" && Number.isFinite(value) ? value : undefined;
}

function malformed(why: string): FrameOutcome {
  return { kind: "malformed", why };
}
