/**
 * Frames of Kraken's spot WebSocket v2. Prices are JSON numbers without trailing zeros; the `instrument` channel tells
 * the decimals that the checksum needs. Updates carry no number: their time in microseconds serves as id, the checksum
 * proves the chain.
 */
import type { EventBatch } from "../../market/event_batch.ts";
import type { BookPrecision, Candle } from "../../market/event.ts";
import { LevelList } from "../../market/level_list.ts";
import { CandleBars } from "../candle_bars.ts";
import { EVENTS, type FrameOutcome } from "../feed.ts";
import { FieldNames } from "../json/field_names.ts";
import { readNamedRows } from "../json/levels.ts";
import { JsonMapper, malformed, NO_NEWS, quoted, UNKNOWN_SYMBOL } from "../json/mapper.ts";
import { ARRAY } from "../json/tape.ts";
import { offeredDepth } from "../offered_depth.ts";
import { INTERVAL_OF_MINUTES } from "./intervals.ts";
import { closeTimeMs } from "../../market/interval.ts";

export const VENUE = "kraken";
export const DEPTHS = [10, 25, 100, 500, 1000] as const;
const MAX_INSTRUMENTS = 16_384;
const MAX_DECIMALS = 22;

const BOOK = ["symbol", "bids", "asks", "checksum", "timestamp"];
const TRADE = ["symbol", "side", "price", "qty", "trade_id", "timestamp"];
const TICKER = [
  ...["symbol", "timestamp", "bid", "bid_qty", "ask", "ask_qty", "last"],
  ...["change", "change_pct", "vwap", "high", "low", "volume"],
];

/** What is known of one symbol's book stream on this connection. */
interface BookStream {
  /** As the acknowledgement says, else as the snapshot lets guess. */
  depth: number | undefined;
  /** Time of the last update, microseconds, and the id that it got. */
  last_us: number;
  last_id: number;
}

export class KrakenMapper extends JsonMapper {
  readonly #precisions = new Map<string, BookPrecision>();
  readonly #streams = new Map<string, BookStream>();
  readonly #bars = new CandleBars();
  readonly #book_fields = new FieldNames(BOOK);
  readonly #trade_fields = new FieldNames(TRADE);
  readonly #ticker_fields = new FieldNames(TICKER);

  override removeSymbol(symbol: string): void {
    super.removeSymbol(symbol);
    this.#streams.delete(symbol);
  }

  protected read(received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const channel = tape.field(0, "channel");
    if (channel < 0) return this.#control();
    const type = tape.field(0, "type");
    const data = tape.field(0, "data");
    if (tape.is(channel, "book")) {
      return this.#rows(data, (row) => this.#book(row, tape.is(type, "snapshot"), received_us, batch));
    }
    if (tape.is(channel, "trade")) return this.#rows(data, (row) => this.#trade(row, received_us, batch));
    if (tape.is(channel, "ticker")) return this.#rows(data, (row) => this.#ticker(row, received_us, batch));
    if (tape.is(channel, "ohlc")) return this.#candles(data, received_us, batch);
    if (tape.is(channel, "instrument")) return this.#instruments(data);
    if (tape.is(channel, "heartbeat") || tape.is(channel, "status")) return NO_NEWS;
    return { kind: "unknown", what: `channel ${quoted(tape.text(channel))}` };
  }
  #rows(data: number, read: (row: number) => FrameOutcome): FrameOutcome {
    const { tape } = this;
    if (tape.kind(data) !== ARRAY) return malformed("no data");
    // The history of a symbol that has none yet.
    if (tape.next(data) === data + 1) return NO_NEWS;
    for (let row = data + 1, end = tape.next(data); row < end; row = tape.next(row)) {
      const outcome = read(row);
      if (outcome !== EVENTS && outcome !== UNKNOWN_SYMBOL) return outcome;
    }
    return EVENTS;
  }
  /** The symbol of a row, UNKNOWN_SYMBOL, or what is wrong. */
  #symbolOf(row: number): string | FrameOutcome {
    return this.#symbolAt(this.tape.field(row, "symbol"));
  }
  #symbolAt(node: number): string | FrameOutcome {
    return node < 0 ? malformed("no symbol") : this.symbol(node) ?? UNKNOWN_SYMBOL;
  }

  /** `{"symbol":"BTC/USD","bids":[{"price":45283.5,"qty":0.1}],"asks":[],"checksum":3310070434,"timestamp":"…"}` */
  #book(row: number, is_snapshot: boolean, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    tape.fields(row, this.#book_fields);
    const { at } = this.#book_fields;
    const symbol = this.#symbolAt(at[0]);
    if (typeof symbol !== "string") return symbol;
    const delta = is_snapshot ? undefined : batch.freeDelta();
    const bids = delta?.bids ?? new LevelList();
    const asks = delta?.asks ?? new LevelList();
    if (!readNamedRows(tape, at[1], bids, "price", "qty")) {
      return malformed("book: bad bids");
    }
    if (!readNamedRows(tape, at[2], asks, "price", "qty")) {
      return malformed("book: bad asks");
    }
    const checksum = tape.integer(at[3]);
    if (!(checksum <= 0xffffffff)) return malformed("book without checksum");
    const time_us = this.isoMicroseconds(at[4]);
    // Old descriptions of the channel have no time on snapshots; an update always has one.
    if (!(time_us > 0) && (at[4] >= 0 || !is_snapshot)) return malformed("book without timestamp");
    const stream = this.#stream(symbol);
    const exchange_ms = time_us > 0 ? time_us / 1000 : undefined;
    const precision = this.#precisions.get(symbol);
    const last_id = this.#nextId(stream, time_us, is_snapshot);
    // Without the decimals there is nothing to compare with.
    const provable = precision && checksum;
    if (delta === undefined) {
      const levels = Math.max(bids.size, asks.size);
      const depth_limit = stream.depth ??= offeredDepth(DEPTHS, levels);
      const head = { venue: VENUE, symbol, received_us, exchange_ms, last_id, depth_limit };
      batch.push({ kind: "book_snapshot", ...head, checksum: provable, precision, bids, asks });
      return EVENTS;
    }
    delta.venue = VENUE;
    delta.symbol = symbol;
    delta.received_us = received_us;
    delta.exchange_ms = exchange_ms;
    delta.sent_ms = undefined;
    delta.first_id = delta.last_id = last_id;
    delta.previous_id = undefined;
    delta.depth_limit = stream.depth;
    delta.checksum = provable;
    delta.precision = precision;
    batch.pushDelta(delta);
    return EVENTS;
  }
  #stream(symbol: string): BookStream {
    const found = this.#streams.get(symbol);
    if (found) return found;
    const made = { depth: undefined, last_us: 0, last_id: 0 };
    this.#streams.set(symbol, made);
    return made;
  }
  /** Two updates within one microsecond must not share an id; an older time keeps its own, which makes it stale. */
  #nextId(stream: BookStream, time_us: number, is_snapshot: boolean): number {
    if (!(time_us > 0)) return stream.last_id;
    if (time_us < stream.last_us) return is_snapshot ? stream.last_us = stream.last_id = time_us : time_us;
    const id = time_us === stream.last_us && !is_snapshot ? stream.last_id + 1 : time_us;
    stream.last_us = time_us;
    return stream.last_id = id;
  }

  /** `{"symbol":"BTC/USD","side":"buy","price":64010.1,"qty":0.25,"ord_type":"limit","trade_id":4665846,"timestamp":"…"}` */
  #trade(row: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    tape.fields(row, this.#trade_fields);
    const { at } = this.#trade_fields;
    const symbol = this.#symbolAt(at[0]);
    if (typeof symbol !== "string") return symbol;
    const trade_id = tape.integer(at[4]);
    const price = tape.decimal(at[2]);
    const quantity = tape.decimal(at[3]);
    const exact_quantity = tape.exact_text;
    const is_buy = tape.is(at[1], "buy");
    if (!(trade_id >= 0) || !(price >= 0) || !(quantity >= 0) || (!is_buy && !tape.is(at[1], "sell"))) {
      return malformed("trade without id, price, quantity or side");
    }
    batch.push({
      kind: "trade",
      venue: VENUE,
      symbol,
      received_us,
      exchange_ms: this.isoMilliseconds(at[5]),
      trade_id,
      price,
      quantity,
      exact_quantity,
      aggressor: is_buy ? "buy" : "sell",
    });
    return EVENTS;
  }

  /**
   * One row is a quote and a ticker: which of the two triggers the venue was asked for does not show in it.
   * `{"symbol":"ALGO/USD","bid":0.10025,"bid_qty":740.0,"ask":…,"ask_qty":…,"last":…,"volume":…,"vwap":…,"low":…,"high":…,
   * "change":-0.00017,"change_pct":-0.17}`
   */
  #ticker(row: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    tape.fields(row, this.#ticker_fields);
    const { at } = this.#ticker_fields;
    const symbol = this.#symbolAt(at[0]);
    if (typeof symbol !== "string") return symbol;
    const bid = this.amount(at[2]);
    const bid_quantity = this.amount(at[3]);
    const ask = this.amount(at[4]);
    const ask_quantity = this.amount(at[5]);
    const last_price = this.amount(at[6]);
    if (bid === undefined && ask === undefined && last_price === undefined) {
      return malformed("ticker without bid, ask and last");
    }
    const exchange_ms = this.isoMilliseconds(at[1]);
    const quote = batch.pushQuote();
    quote.venue = VENUE;
    quote.symbol = symbol;
    quote.received_us = received_us;
    quote.exchange_ms = exchange_ms;
    quote.sent_ms = quote.update_id = undefined;
    quote.bid = bid;
    quote.bid_quantity = bid_quantity;
    quote.ask = ask;
    quote.ask_quantity = ask_quantity;
    batch.push({
      kind: "ticker",
      venue: VENUE,
      symbol,
      received_us,
      exchange_ms,
      price_change: this.decimal(at[7]),
      price_change_percent: this.decimal(at[8]),
      weighted_average_price: this.amount(at[9]),
      last_price,
      bid_price: bid,
      bid_quantity,
      ask_price: ask,
      ask_quantity,
      high_price: this.amount(at[10]),
      low_price: this.amount(at[11]),
      volume: this.amount(at[12]),
    });
    return EVENTS;
  }

  #candles(data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const bars: Candle[] = [];
    const outcome = this.#rows(data, (row) => this.#candle(row, received_us, bars));
    if (outcome === EVENTS) this.#bars.push(bars, batch);
    return outcome;
  }
  /** `{"symbol","open","high","low","close","trades":12,"volume","vwap","interval_begin":"…","interval":5,"timestamp":"…"}` */
  #candle(row: number, received_us: number, bars: Candle[]): FrameOutcome {
    const { tape } = this;
    const symbol = this.#symbolOf(row);
    if (typeof symbol !== "string") return symbol;
    const interval = INTERVAL_OF_MINUTES.get(tape.integer(tape.field(row, "interval")));
    if (interval === undefined) return { kind: "unknown", what: "candle interval" };
    const values = ["open", "high", "low", "close", "volume"].map((name) =>
      this.amount(tape.field(row, name))
    );
    const open_time_ms = this.isoMilliseconds(tape.field(row, "interval_begin"));
    if (values.includes(undefined) || open_time_ms === undefined) {
      return malformed("candle without prices, volume or begin");
    }
    const [open, high, low, close, volume] = values as number[];
    bars.push({
      kind: "candle",
      venue: VENUE,
      symbol,
      received_us,
      interval,
      open_time_ms,
      close_time_ms: closeTimeMs(interval, open_time_ms),
      open,
      high,
      low,
      close,
      volume,
      trade_count: this.count(tape.field(row, "trades")),
      closed: false,
    });
    return EVENTS;
  }

  /** `{"assets":[…],"pairs":[{"symbol":"BTC/USD","price_precision":1,"qty_precision":8,…}]}` */
  #instruments(data: number): FrameOutcome {
    const { tape } = this;
    const pairs = tape.field(data, "pairs");
    if (tape.kind(pairs) !== ARRAY) return malformed("instrument list without pairs");
    for (let pair = pairs + 1, end = tape.next(pairs); pair < end; pair = tape.next(pair)) {
      const price_decimals = tape.integer(tape.field(pair, "price_precision"));
      const quantity_decimals = tape.integer(tape.field(pair, "qty_precision"));
      if (!(price_decimals <= MAX_DECIMALS) || !(quantity_decimals <= MAX_DECIMALS)) continue;
      const symbol = tape.text(tape.field(pair, "symbol"));
      if (!this.#precisions.has(symbol) && this.#precisions.size >= MAX_INSTRUMENTS) break;
      this.#precisions.set(symbol, { price_decimals, quantity_decimals });
    }
    return NO_NEWS;
  }

  /** `{"method":"subscribe","req_id":1,"success":true,"result":{"channel":"book","symbol":"BTC/USD","depth":10}}` */
  #control(): FrameOutcome {
    const { tape } = this;
    const method = tape.field(0, "method");
    if (tape.is(method, "pong")) return NO_NEWS;
    const success = tape.field(0, "success");
    const error = tape.field(0, "error");
    const id = this.count(tape.field(0, "req_id"));
    if (tape.isTrue(success)) {
      this.#noteDepth(tape.is(method, "subscribe"));
      return { kind: "ack", id };
    }
    if (error < 0) return malformed("neither a channel nor an answer");
    const symbol = tape.text(tape.field(0, "symbol"));
    const message = quoted(symbol === "" ? tape.text(error) : `${tape.text(error)}: ${symbol}`);
    if (method < 0) return { kind: "error", message };
    // One connection takes both triggers of the ticker, or holds the second for a repetition: then the first serves both.
    return { kind: "ack", id, error: /already subscribed/i.test(message) ? undefined : message };
  }
  #noteDepth(is_subscribe: boolean): void {
    const { tape } = this;
    const result = tape.field(0, "result");
    const depth = tape.integer(tape.field(result, "depth"));
    if (!is_subscribe || !(depth > 0) || !tape.is(tape.field(result, "channel"), "book")) return;
    const symbol = this.symbol(tape.field(result, "symbol"));
    if (symbol !== undefined) this.#stream(symbol).depth = depth;
  }
}
