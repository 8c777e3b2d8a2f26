/**
 * Frames of MEXC's spot socket: protobuf (PushDataV3ApiWrapper around one body) for data, JSON for acknowledgements. The
 * body's field number says what it is, whatever the channel is called. Fields come in any order, so the wrapper is read
 * whole before its body. Unknown fields are skipped, as proto3 wants it.
 */
import type { EventBatch } from "../../market/event_batch.ts";
import { LevelList } from "../../market/level_list.ts";
import { ProtobufReader } from "../../wire/protobuf_reader.ts";
import { CandleBars } from "../candle_bars.ts";
import { readInteger } from "../decimal_text.ts";
import { EVENTS, type FrameOutcome, type Mapper } from "../feed.ts";
import { malformed, quoted, UNKNOWN_SYMBOL } from "../json/mapper.ts";
import { JsonTape } from "../json/tape.ts";
import { SymbolTable } from "../symbol_table.ts";
import { readControl } from "./control.ts";
import { FlatMessage } from "./flat_message.ts";
import { LevelReader } from "./level_reader.ts";
import { type Head, pushDelta, pushKline, pushLimitedBook } from "./market_events.ts";
import { percentOf } from "./percent.ts";

export const VENUE = "mexc-spot";
const OPEN_BRACE = 123;
const MAX_FRAME_BYTES = 4 * 1024 * 1024;
const MAX_TIME_MS = 1e14;
const BYTES = 2;
const VARINT = 0;

/** Fields of the wrapper. */
const SYMBOL = 3;
const CREATE_TIME = 5;
const SEND_TIME = 6;
const FIRST_BODY = 301;
const LAST_BODY = 399;
const BODY = {
  deals: 301,
  increase_depths: 302,
  limit_depths: 303,
  book_ticker: 305,
  kline: 308,
  mini_ticker: 309,
  mini_tickers: 310,
  book_ticker_batch: 311,
  increase_depths_batch: 312,
  aggre_depths: 313,
  aggre_deals: 314,
  aggre_book_ticker: 315,
} as const;

export class MexcSpotMapper implements Mapper {
  readonly #symbols: SymbolTable;
  readonly #reader = new ProtobufReader();
  readonly #book_reader = new ProtobufReader();
  /** Fields 4 and 5 of the book read last. */
  readonly #versions = [NaN, NaN];
  readonly #flat = new FlatMessage();
  readonly #levels = new LevelReader();
  readonly #tape = new JsonTape();
  readonly #bars = new CandleBars();
  /** What the wrapper says of its body; the symbol is "" where only the body names it. */
  readonly #head: Head = {
    venue: VENUE,
    symbol: "",
    received_us: 0,
    exchange_ms: undefined,
    sent_ms: undefined,
  };
  #frame: Uint8Array = new Uint8Array(0);

  constructor(symbols?: Iterable<string>) {
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
    if (frame[0] === OPEN_BRACE) {
      return this.#tape.scan(frame) ? readControl(this.#tape) : malformed("text frame is no JSON");
    }
    this.#frame = frame;
    const before = batch.size;
    const outcome = this.#wrapper(received_us, batch);
    if (outcome !== EVENTS && batch.size > before) batch.truncate(before);
    return outcome === EVENTS && batch.size === before ? UNKNOWN_SYMBOL : outcome;
  }

  #wrapper(received_us: number, batch: EventBatch): FrameOutcome {
    const reader = this.#reader;
    const head = this.#head;
    let [body, start, end] = [0, 0, 0];
    let [symbol_start, symbol_end] = [0, 0];
    head.received_us = received_us;
    head.symbol = "";
    head.exchange_ms = head.sent_ms = undefined;
    reader.open(this.#frame);
    while (reader.next()) {
      const { field, wire } = reader;
      if (wire === BYTES) {
        if (field === SYMBOL) [symbol_start, symbol_end] = [reader.start, reader.end];
        else if (field >= FIRST_BODY && field <= LAST_BODY) {
          [body, start, end] = [field, reader.start, reader.end];
        }
      } else if (wire === VARINT) {
        if (field === CREATE_TIME) head.exchange_ms = milliseconds(reader.uint());
        else if (field === SEND_TIME) head.sent_ms = milliseconds(reader.uint());
      }
    }
    if (reader.failed) return malformed("damaged protobuf");
    if (body === 0) return malformed("wrapper without body");
    if (body !== BODY.mini_tickers) {
      if (symbol_end === symbol_start) return malformed("wrapper without symbol");
      const symbol = this.#symbols.lookup(this.#frame, symbol_start, symbol_end);
      if (symbol === undefined) return UNKNOWN_SYMBOL;
      head.symbol = symbol;
    }
    return this.#body(body, start, end, batch);
  }
  #body(body: number, start: number, end: number, batch: EventBatch): FrameOutcome {
    switch (body) {
      case BODY.aggre_depths:
        return this.#depths(start, end, "from-to", batch);
      case BODY.increase_depths:
        return this.#depths(start, end, "version", batch);
      case BODY.increase_depths_batch:
        return this.#items(start, end, (from, to) => this.#depths(from, to, "version", batch));
      case BODY.limit_depths:
        return this.#limitDepths(start, end, batch);
      case BODY.aggre_deals:
      case BODY.deals:
        return this.#items(start, end, (from, to) => this.#deal(from, to, batch));
      case BODY.aggre_book_ticker:
      case BODY.book_ticker:
        return this.#bookTicker(start, end, batch);
      case BODY.book_ticker_batch:
        return this.#items(start, end, (from, to) => this.#bookTicker(from, to, batch));
      case BODY.mini_ticker:
        return this.#miniTicker(start, end, batch);
      case BODY.mini_tickers:
        return this.#items(start, end, (from, to) => this.#miniTicker(from, to, batch));
      case BODY.kline:
        return this.#kline(start, end, batch);
      default:
        return { kind: "unknown", what: `body ${body}` };
    }
  }

  /** The repeated field 1; each item must be good. */
  #items(start: number, end: number, read: (start: number, end: number) => FrameOutcome): FrameOutcome {
    const reader = this.#reader;
    let outcome: FrameOutcome = malformed("no items");
    reader.open(this.#frame, start, end);
    while (reader.next()) {
      if (reader.field !== 1 || reader.wire !== BYTES) continue;
      const [from, to] = [reader.start, reader.end];
      const became = read(from, to);
      if (became !== EVENTS && became !== UNKNOWN_SYMBOL) return became;
      if (outcome !== EVENTS) outcome = became;
    }
    return reader.failed ? malformed("damaged items") : outcome;
  }

  /** asks 1, bids 2 (in this order), fromVersion 4 and toVersion 5; the older form has one version, in 4. */
  #depths(start: number, end: number, ids: "from-to" | "version", batch: EventBatch): FrameOutcome {
    const delta = batch.freeDelta();
    if (!this.#readBook(start, end, delta.bids, delta.asks)) return malformed("depth: bad level");
    const [from, to] = this.#versions;
    return pushDelta(this.#head, delta, from, ids === "version" ? from : to, batch);
  }
  #limitDepths(start: number, end: number, batch: EventBatch): FrameOutcome {
    const bids = new LevelList();
    const asks = new LevelList();
    if (!this.#readBook(start, end, bids, asks)) return malformed("depth: bad level");
    return pushLimitedBook(this.#head, bids, asks, this.#versions[0], batch);
  }
  /** Leaves fields 4 and 5 in `#versions`. */
  #readBook(start: number, end: number, bids: LevelList, asks: LevelList): boolean {
    const reader = this.#book_reader;
    this.#versions[0] = this.#versions[1] = NaN;
    reader.open(this.#frame, start, end);
    while (reader.next()) {
      if (reader.wire !== BYTES) continue;
      const { field } = reader;
      if (field === 1 || field === 2) {
        const list = field === 1 ? asks : bids;
        if (!this.#levels.push(this.#frame, reader.start, reader.end, list)) return false;
      } else if (field === 4 || field === 5) {
        this.#versions[field - 4] = readInteger(this.#frame, reader.start, reader.end);
      }
    }
    return !reader.failed;
  }

  /** price 1, quantity 2, tradeType 3 (1 buy, 2 sell: the taker's side, as all adapters have it), time 4, tradeId 5 */
  #deal(start: number, end: number, batch: EventBatch): FrameOutcome {
    const flat = this.#flat;
    if (!flat.read(this.#frame, start, end)) return malformed("damaged deal");
    const price = flat.decimal(1);
    const quantity = flat.decimal(2);
    const { exact_text } = flat;
    if (!(price >= 0) || !(quantity >= 0)) return malformed("deal without price or quantity");
    const type = flat.integer(3);
    const trade_id = flat.integerText(5);
    const { symbol, sent_ms, received_us } = this.#head;
    batch.push({
      kind: "trade",
      venue: VENUE,
      symbol,
      received_us,
      exchange_ms: milliseconds(flat.integer(4)),
      sent_ms,
      trade_id: trade_id >= 0 ? trade_id : undefined,
      // Said since 2026, and in no documented form.
      venue_trade_id: trade_id >= 0 ? undefined : quoted(flat.text(5)) || undefined,
      price,
      quantity,
      exact_quantity: exact_text,
      aggressor: type === 1 ? "buy" : type === 2 ? "sell" : undefined,
    });
    return EVENTS;
  }

  /**
   * bidPrice 1, bidQuantity 2, askPrice 3, askQuantity 4. Its `version` is no `update_id`: tops are told every 10 or
   * 100 ms, not at each change, so they can't vouch for the versions in between.
   */
  #bookTicker(start: number, end: number, batch: EventBatch): FrameOutcome {
    const flat = this.#flat;
    if (!flat.read(this.#frame, start, end)) return malformed("damaged book ticker");
    for (let field = 1; field <= 4; field++) {
      const is_said = flat.end(field) > flat.start(field) && flat.start(field) >= 0;
      if (is_said && !(flat.decimal(field) >= 0)) return malformed("book ticker: bad number");
    }
    const bid = flat.amount(1);
    const ask = flat.amount(3);
    if (bid === undefined && ask === undefined) return malformed("book ticker without prices");
    const { symbol, exchange_ms, sent_ms, received_us } = this.#head;
    const quote = batch.pushQuote();
    quote.venue = VENUE;
    quote.symbol = symbol;
    quote.received_us = received_us;
    quote.exchange_ms = exchange_ms;
    quote.sent_ms = sent_ms;
    quote.update_id = undefined;
    quote.bid = bid;
    quote.bid_quantity = bid === undefined ? undefined : flat.amount(2);
    quote.ask = ask;
    quote.ask_quantity = ask === undefined ? undefined : flat.amount(4);
    return EVENTS;
  }

  /**
   * symbol 1, price 2, rate 3 (of the day by UTC+8), zonedRate 4 (of the time zone asked for), high 5, low 6, volume 7
   * (quote currency), quantity 8 (base). What the last close was is not told.
   */
  #miniTicker(start: number, end: number, batch: EventBatch): FrameOutcome {
    const flat = this.#flat;
    if (!flat.read(this.#frame, start, end)) return malformed("damaged mini ticker");
    const { exchange_ms, sent_ms, received_us } = this.#head;
    const symbol = this.#head.symbol ||
      (flat.start(1) < 0 ? undefined : this.#symbols.lookup(this.#frame, flat.start(1), flat.end(1)));
    const last_price = flat.amount(2);
    if (last_price === undefined) return malformed("mini ticker without price");
    if (symbol === undefined) return UNKNOWN_SYMBOL;
    batch.push({
      kind: "ticker",
      venue: VENUE,
      symbol,
      received_us,
      exchange_ms,
      sent_ms,
      price_change_percent: percentOf(flat.decimal(4)) ?? percentOf(flat.decimal(3)),
      last_price,
      high_price: flat.amount(5),
      low_price: flat.amount(6),
      volume: flat.amount(8),
      quote_volume: flat.amount(7),
    });
    return EVENTS;
  }

  /** interval 1, windowStart 2 (s), open 3, close 4, high 5, low 6, volume 7 (base), amount 8 (quote), windowEnd 9 (s) */
  #kline(start: number, end: number, batch: EventBatch): FrameOutcome {
    const flat = this.#flat;
    if (!flat.read(this.#frame, start, end)) return malformed("damaged kline");
    const kline = {
      word: flat.text(1),
      start_s: flat.integer(2),
      end_s: flat.integer(9),
      open: flat.amount(3),
      close: flat.amount(4),
      high: flat.amount(5),
      low: flat.amount(6),
      volume: flat.amount(7),
      quote_volume: flat.amount(8),
    };
    return pushKline(this.#head, kline, this.#bars, batch);
  }
}

/** Epoch milliseconds; undefined for what is none. */
function milliseconds(time_ms: number): number | undefined {
  return time_ms > 0 && time_ms < MAX_TIME_MS ? time_ms : undefined;
}
