/**
 * Frames of Bybit's v5 public WebSockets, spot and linear alike: `{"topic":"orderbook.50.BTCUSDT","type":"delta",…}`.
 * Books come as a snapshot and deltas, quotes as the book of depth 1, tickers of linear as changes to the last one.
 */
import { readDecimal } from "../../base/decimal.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import type { Ticker } from "../../market/event.ts";
import { LevelList } from "../../market/level_list.ts";
import { EVENTS, type FrameOutcome } from "../feed.ts";
import { readRows } from "../json/levels.ts";
import { JsonMapper, malformed, NO_NEWS, quoted, UNKNOWN_SYMBOL } from "../json/mapper.ts";
import { ARRAY, OBJECT } from "../json/tape.ts";
import { INTERVAL_OF_WORD } from "./intervals.ts";
import { UpdateChain } from "./update_chain.ts";

/** The depth of the book that serves as quote. */
export const QUOTE_DEPTH = 1;
const MAX_SYMBOLS = 4_096;
const MAX_FRACTION_TEXT = 40;

export class BybitMapper extends JsonMapper {
  readonly #chains = new Map<string, UpdateChain>();
  readonly #tickers = new Map<string, Ticker>();

  constructor(readonly venue: string, symbols?: Iterable<string>) {
    super(symbols);
  }
  override removeSymbol(symbol: string): void {
    super.removeSymbol(symbol);
    this.#chains.delete(symbol);
    this.#tickers.delete(symbol);
  }

  protected read(received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const topic = tape.field(0, "topic");
    if (topic < 0) return this.#control();
    const data = tape.field(0, "data");
    if (this.#topicIs(topic, "orderbook.")) {
      const depth = tape.integerAt(topic, "orderbook.".length);
      if (!(depth > 0)) return malformed("order book topic without depth");
      return depth === QUOTE_DEPTH
        ? this.#quote(data, received_us, batch)
        : this.#book(data, depth, received_us, batch);
    }
    if (this.#topicIs(topic, "publicTrade.")) {
      return this.#rows(data, (row) => this.#trade(row, received_us, batch));
    }
    if (this.#topicIs(topic, "tickers.")) return this.#ticker(data, received_us, batch);
    if (this.#topicIs(topic, "kline.")) return this.#candles(tape.text(topic), data, received_us, batch);
    return { kind: "unknown", what: `topic ${quoted(tape.text(topic))}` };
  }
  #topicIs(topic: number, beginning: string): boolean {
    return this.tape.startsWith(topic, beginning);
  }
  #rows(data: number, read: (row: number) => FrameOutcome): FrameOutcome {
    const { tape } = this;
    if (tape.kind(data) !== ARRAY || tape.next(data) === data + 1) return malformed("no data");
    for (let row = data + 1, end = tape.next(data); row < end; row = tape.next(row)) {
      const outcome = read(row);
      if (outcome !== EVENTS && outcome !== UNKNOWN_SYMBOL) return outcome;
    }
    return EVENTS;
  }
  #symbolAt(row: number, name: string): string | FrameOutcome {
    const node = this.tape.field(row, name);
    return node < 0 ? malformed("no symbol") : this.symbol(node) ?? UNKNOWN_SYMBOL;
  }
  /** When the venue sent the frame. */
  #sent(): number | undefined {
    return this.milliseconds(this.tape.field(0, "ts"));
  }
  /** When the matching engine made it. */
  #made(): number | undefined {
    return this.milliseconds(this.tape.field(0, "cts"));
  }

  /** `"ts":1672304484978,"data":{"s":"BTCUSDT","b":[["16493.50","0.006"]],"a":[],"u":18521288,"seq":7961638724},"cts":…` */
  #book(data: number, depth: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const type = tape.field(0, "type");
    const id = tape.integer(tape.field(data, "u"));
    // A service restart: u is 1 and the levels are the whole book, whatever the type says.
    const restarts = id === 1;
    const is_snapshot = restarts || tape.is(type, "snapshot");
    if (!is_snapshot && !tape.is(type, "delta")) return malformed("book without type");
    const symbol = this.#symbolAt(data, "s");
    if (typeof symbol !== "string") return symbol;
    const delta = is_snapshot ? undefined : batch.freeDelta();
    const bids = delta?.bids ?? new LevelList();
    const asks = delta?.asks ?? new LevelList();
    if (!readRows(tape, tape.field(data, "b"), bids)) return malformed("book: bad bids");
    if (!readRows(tape, tape.field(data, "a"), asks)) return malformed("book: bad asks");
    if (!(id > 0)) return malformed("book without u");
    const sent_ms = this.#sent();
    const exchange_ms = this.#made();
    if (delta === undefined) {
      this.#chain(symbol).restart(id);
      const head = { venue: this.venue, symbol, received_us, sent_ms, exchange_ms, last_id: id };
      const resets = restarts ? true : undefined;
      batch.push({ kind: "book_snapshot", ...head, depth_limit: depth, resets, bids, asks });
      return EVENTS;
    }
    delta.venue = this.venue;
    delta.symbol = symbol;
    delta.received_us = received_us;
    delta.sent_ms = sent_ms;
    delta.exchange_ms = exchange_ms;
    delta.first_id = delta.last_id = id;
    delta.previous_id = this.#chain(symbol).previousOf(id);
    delta.depth_limit = depth;
    delta.checksum = undefined;
    delta.precision = undefined;
    batch.pushDelta(delta);
    return EVENTS;
  }
  #chain(symbol: string): UpdateChain {
    const found = this.#chains.get(symbol);
    if (found) return found;
    const made = new UpdateChain();
    if (this.#chains.size < MAX_SYMBOLS) this.#chains.set(symbol, made);
    return made;
  }

  /** The book of depth 1: one row a side, or none; its `u` does not count with other depths. */
  #quote(data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const symbol = this.#symbolAt(data, "s");
    if (typeof symbol !== "string") return symbol;
    const [bid, bid_quantity] = this.#best(tape.field(data, "b"));
    const [ask, ask_quantity] = this.#best(tape.field(data, "a"));
    if (Number.isNaN(bid) || Number.isNaN(ask)) return malformed("quote: bad level");
    const quote = batch.pushQuote();
    quote.venue = this.venue;
    quote.symbol = symbol;
    quote.received_us = received_us;
    quote.sent_ms = this.#sent();
    quote.exchange_ms = this.#made();
    quote.update_id = undefined;
    quote.bid = bid;
    quote.bid_quantity = bid_quantity;
    quote.ask = ask;
    quote.ask_quantity = ask_quantity;
    return EVENTS;
  }
  /** Price and quantity of the last row that is no deletion; [] without one, [NaN] where it is no level. */
  #best(side: number): number[] {
    const { tape } = this;
    if (tape.kind(side) !== ARRAY) return [NaN];
    let best: number[] = [];
    for (let row = side + 1, end = tape.next(side); row < end; row = tape.next(row)) {
      if (tape.kind(row) !== ARRAY || tape.next(row) - row < 3) return [NaN];
      const price = tape.decimal(row + 1);
      const quantity = tape.decimal(row + 2);
      if (!(price >= 0) || !(quantity >= 0)) return [NaN];
      if (quantity > 0) best = [price, quantity];
    }
    return best;
  }

  /** `{"T":1672304486865,"s":"BTCUSDT","S":"Buy","v":"0.001","p":"16578.50","i":"20f43950-…","BT":false}`: taker's side */
  #trade(row: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const symbol = this.#symbolAt(row, "s");
    if (typeof symbol !== "string") return symbol;
    const price = tape.decimal(tape.field(row, "p"));
    const quantity = tape.decimal(tape.field(row, "v"));
    const exact_quantity = tape.exact_text;
    const side = tape.field(row, "S");
    const is_buy = tape.is(side, "Buy");
    const id = tape.field(row, "i");
    if (!(price >= 0) || !(quantity >= 0) || id < 0 || (!is_buy && !tape.is(side, "Sell"))) {
      return malformed("trade without id, price, size or side");
    }
    // Spot ids have 19 digits, those of linear are UUIDs: both are names.
    const trade_id = this.count(id);
    batch.push({
      kind: "trade",
      venue: this.venue,
      symbol,
      received_us,
      exchange_ms: this.milliseconds(tape.field(row, "T")),
      sent_ms: this.#sent(),
      trade_id,
      venue_trade_id: trade_id === undefined ? quoted(tape.text(id)) : undefined,
      price,
      quantity,
      exact_quantity,
      aggressor: is_buy ? "buy" : "sell",
    });
    return EVENTS;
  }

  /** Spot sends whole tickers; linear a snapshot, then only what changed: `{"symbol":"BTCUSDT","lastPrice":"…","bid1Price":…}` */
  #ticker(data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    if (tape.kind(data) !== OBJECT) return malformed("ticker without data");
    const symbol = this.#symbolAt(data, "symbol");
    if (typeof symbol !== "string") return symbol;
    const is_delta = tape.is(tape.field(0, "type"), "delta");
    const known = is_delta ? this.#tickers.get(symbol) : undefined;
    const field = (name: string) => tape.field(data, name);
    const amount = (name: string, last: number | undefined) => this.amount(field(name)) ?? last;
    const ticker: Ticker = {
      kind: "ticker",
      venue: this.venue,
      symbol,
      received_us,
      sent_ms: this.#sent(),
      exchange_ms: this.#made(),
      price_change_percent: this.#percent(field("price24hPcnt")) ?? known?.price_change_percent,
      last_price: amount("lastPrice", known?.last_price),
      bid_price: amount("bid1Price", known?.bid_price),
      bid_quantity: amount("bid1Size", known?.bid_quantity),
      ask_price: amount("ask1Price", known?.ask_price),
      ask_quantity: amount("ask1Size", known?.ask_quantity),
      open_price: amount("prevPrice24h", known?.open_price),
      high_price: amount("highPrice24h", known?.high_price),
      low_price: amount("lowPrice24h", known?.low_price),
      volume: amount("volume24h", known?.volume),
      quote_volume: amount("turnover24h", known?.quote_volume),
    };
    if (ticker.last_price === undefined && !is_delta) return malformed("ticker without last price");
    if (known !== undefined || this.#tickers.size < MAX_SYMBOLS) this.#tickers.set(symbol, ticker);
    batch.push(ticker);
    return EVENTS;
  }
  /** A fraction as percent, without a rounding of ours: "0.0123" is 1.23. */
  #percent(node: number): number | undefined {
    const text = this.tape.text(node);
    return text.length <= MAX_FRACTION_TEXT ? readDecimal(`${text}e2`)?.value : undefined;
  }

  /** Topic "kline.5.BTCUSDT"; `{"start":…,"end":…,"interval":"5","open":"…","close","high","low","volume","turnover","confirm":false}` */
  #candles(topic: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const symbol = this.symbols.find(topic.slice(topic.indexOf(".", "kline.".length) + 1));
    if (symbol === undefined) return UNKNOWN_SYMBOL;
    return this.#rows(data, (row) => {
      const interval = INTERVAL_OF_WORD.get(tape.text(tape.field(row, "interval")));
      const times = ["start", "end"].map((name) => this.milliseconds(tape.field(row, name)));
      const values = ["open", "high", "low", "close", "volume"].map((name) =>
        this.amount(tape.field(row, name))
      );
      const confirm = tape.field(row, "confirm");
      const closed = tape.isTrue(confirm);
      if (interval === undefined) return { kind: "unknown", what: "candle interval" };
      if (values.includes(undefined) || times.includes(undefined) || (!closed && !tape.isFalse(confirm))) {
        return malformed("candle without times, prices, volume or state");
      }
      const [open_time_ms, close_time_ms] = times as number[];
      const [open, high, low, close, volume] = values as number[];
      const bar = { interval, open_time_ms, close_time_ms, open, high, low, close, volume, closed };
      const quote_volume = this.amount(tape.field(row, "turnover"));
      const head = { venue: this.venue, symbol, received_us, sent_ms: this.#sent() };
      batch.push({ kind: "candle", ...head, ...bar, quote_volume });
      return EVENTS;
    });
  }

  /** `{"success":true,"ret_msg":"","conn_id":"…","req_id":"1","op":"subscribe"}`; a ping is answered by `op` ping or pong */
  #control(): FrameOutcome {
    const { tape } = this;
    const op = tape.field(0, "op");
    if (tape.is(op, "ping") || tape.is(op, "pong")) return NO_NEWS;
    const success = tape.field(0, "success");
    if (op < 0 || success < 0) return malformed("neither a topic nor an answer");
    const message = quoted(tape.text(tape.field(0, "ret_msg")));
    const id = this.count(tape.field(0, "req_id"));
    const error = tape.isTrue(success) ? undefined : message || "refused without a reason";
    return { kind: "ack", id, error };
  }
}
