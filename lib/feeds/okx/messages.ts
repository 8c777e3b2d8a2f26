/**
 * Frames of OKX's public and business WebSockets, v5. Every push names its channel in `arg`; books chain by
 * `prevSeqId`, which the sequence rule checks. Rows are `["price","size","0","orders"]`.
 */
import type { EventBatch } from "../../market/event_batch.ts";
import { LevelList } from "../../market/level_list.ts";
import { closeTimeMs } from "../../market/interval.ts";
import { EVENTS, type FrameOutcome } from "../feed.ts";
import { readRows } from "../json/levels.ts";
import { JsonMapper, malformed, NO_NEWS, quoted, UNKNOWN_SYMBOL } from "../json/mapper.ts";
import { ARRAY } from "../json/tape.ts";
import { INTERVAL_OF_CHANNEL } from "./intervals.ts";

export const VENUE = "okx";
/** Levels a side that the `books` channel keeps. */
export const BOOK_DEPTH = 400;
/** "The connection will soon be closed for a service upgrade." */
const CLOSING_SOON = "64008";
const MAX_BENT_SYMBOLS = 4_096;
const PONG = [112, 111, 110, 103];

export class OkxMapper extends JsonMapper {
  /** Symbols whose numbers were seen with trailing zeros: their checksum can't be told from doubles. */
  readonly #bent = new Set<string>();

  protected override readOther(frame: Uint8Array): FrameOutcome | undefined {
    return frame.length === PONG.length && PONG.every((code, i) => frame[i] === code) ? NO_NEWS : undefined;
  }
  protected read(received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const event = tape.field(0, "event");
    if (event >= 0) return this.#control(event);
    const arg = tape.field(0, "arg");
    const channel = tape.field(arg, "channel");
    const data = tape.field(0, "data");
    const name = tape.field(arg, "instId");
    if (channel < 0 || name < 0 || tape.kind(data) !== ARRAY) {
      return malformed("no channel, instrument or data");
    }
    const symbol = this.symbol(name);
    if (symbol === undefined) return UNKNOWN_SYMBOL;
    if (tape.is(channel, "books")) {
      return this.#rows(data, (row) => this.#book(row, symbol, received_us, batch));
    }
    if (tape.is(channel, "bbo-tbt")) {
      return this.#rows(data, (row) => this.#quote(row, symbol, received_us, batch));
    }
    if (tape.is(channel, "trades")) {
      return this.#rows(data, (row) => this.#trade(row, symbol, received_us, batch));
    }
    if (tape.is(channel, "tickers")) {
      return this.#rows(data, (row) => this.#ticker(row, symbol, received_us, batch));
    }
    const word = tape.text(channel);
    const interval = INTERVAL_OF_CHANNEL.get(word);
    if (interval === undefined) return { kind: "unknown", what: `channel ${quoted(word)}` };
    return this.#rows(data, (row) => this.#candle(row, symbol, interval, received_us, batch));
  }
  #rows(data: number, read: (row: number) => FrameOutcome): FrameOutcome {
    const { tape } = this;
    if (tape.next(data) === data + 1) return malformed("empty data");
    for (let row = data + 1, end = tape.next(data); row < end; row = tape.next(row)) {
      const outcome = read(row);
      if (outcome !== EVENTS) return outcome;
    }
    return EVENTS;
  }

  /** `{"asks":[["p","sz","0","n"]],"bids":[],"ts":"…","checksum":0,"prevSeqId":123,"seqId":124}`; a snapshot: prevSeqId −1 */
  #book(row: number, symbol: string, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const action = tape.field(0, "action");
    const is_snapshot = tape.is(action, "snapshot");
    if (!is_snapshot && !tape.is(action, "update")) return malformed("book without action");
    const delta = is_snapshot ? undefined : batch.freeDelta();
    const bids = delta?.bids ?? new LevelList();
    const asks = delta?.asks ?? new LevelList();
    if (!readRows(tape, tape.field(row, "bids"), bids)) return malformed("book: bad bids");
    if (!readRows(tape, tape.field(row, "asks"), asks)) return malformed("book: bad asks");
    const last_id = tape.integer(tape.field(row, "seqId"));
    const previous_id = this.#previousId(tape.field(row, "prevSeqId"));
    if (!(last_id >= 0) || (!is_snapshot && !(previous_id >= -1))) return malformed("book without seqId");
    const exchange_ms = this.milliseconds(tape.field(row, "ts"));
    const checksum = this.#checksum(row, symbol);
    if (delta === undefined) {
      const head = { venue: VENUE, symbol, received_us, exchange_ms, last_id, checksum };
      batch.push({ kind: "book_snapshot", ...head, depth_limit: BOOK_DEPTH, bids, asks });
      return EVENTS;
    }
    delta.venue = VENUE;
    delta.symbol = symbol;
    delta.received_us = received_us;
    delta.exchange_ms = exchange_ms;
    delta.sent_ms = undefined;
    delta.first_id = delta.last_id = last_id;
    delta.previous_id = previous_id;
    delta.depth_limit = BOOK_DEPTH;
    delta.checksum = checksum;
    delta.precision = undefined;
    batch.pushDelta(delta);
    return EVENTS;
  }
  #previousId(node: number): number {
    const id = this.tape.integer(node);
    return id >= 0 ? id : this.tape.decimal(node) === -1 ? -1 : NaN;
  }
  /** The checksum where it can be compared: never 0, and only while every text is what its number prints as. */
  #checksum(row: number, symbol: string): number | undefined {
    const { tape } = this;
    const node = tape.field(row, "checksum");
    const value = tape.decimal(node);
    if (!Number.isInteger(value) || value === 0 || Math.abs(value) > 2 ** 32) return undefined;
    if (this.#bent.has(symbol)) return undefined;
    for (const side of [tape.field(row, "bids"), tape.field(row, "asks")]) {
      for (let level = side + 1, end = tape.next(side); level < end; level = tape.next(level)) {
        if (this.#isPlain(level + 1) && this.#isPlain(level + 2)) continue;
        if (this.#bent.size < MAX_BENT_SYMBOLS) this.#bent.add(symbol);
        return undefined;
      }
    }
    return value;
  }
  /** No trailing zero after the point. `level` was read as a level before, so its first two values are decimals. */
  #isPlain(node: number): boolean {
    this.tape.decimal(node);
    return this.tape.exact_text !== undefined || this.tape.decimals === this.tape.significantDecimals(node);
  }

  /** `{"asks":[["111.06","55154","0","2"]],"bids":[["111.05","57745","0","2"]],"ts":"…","seqId":363996337}`; a side may be empty */
  #quote(row: number, symbol: string, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const asks = tape.field(row, "asks");
    const bids = tape.field(row, "bids");
    if (tape.kind(asks) !== ARRAY || tape.kind(bids) !== ARRAY) return malformed("quote without sides");
    const ask = tape.soleElement(asks);
    const bid = tape.soleElement(bids);
    const bid_price = this.#column(bid, 1);
    const ask_price = this.#column(ask, 1);
    if ((bid >= 0 && bid_price === undefined) || (ask >= 0 && ask_price === undefined)) {
      return malformed("quote: bad level");
    }
    const quote = batch.pushQuote();
    quote.venue = VENUE;
    quote.symbol = symbol;
    quote.received_us = received_us;
    quote.sent_ms = undefined;
    quote.exchange_ms = this.milliseconds(tape.field(row, "ts"));
    // Whether bbo-tbt and books share their seqId is said nowhere; a wrong match would fault right books.
    quote.update_id = undefined;
    quote.bid = bid_price;
    quote.bid_quantity = this.#column(bid, 2);
    quote.ask = ask_price;
    quote.ask_quantity = this.#column(ask, 2);
    return EVENTS;
  }
  /** The n-th value of a level row, counted from 1. */
  #column(row: number, n: number): number | undefined {
    return this.tape.kind(row) === ARRAY && this.tape.next(row) > row + n ? this.amount(row + n) : undefined;
  }

  /** `{"instId":"BTC-USDT","tradeId":"130639474","px":"42219.9","sz":"0.12060306","side":"buy","ts":"…","count":"3"}`: taker's side */
  #trade(row: number, symbol: string, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const trade_id = tape.integer(tape.field(row, "tradeId"));
    const price = tape.decimal(tape.field(row, "px"));
    const quantity = tape.decimal(tape.field(row, "sz"));
    const exact_quantity = tape.exact_text;
    const side = tape.field(row, "side");
    const is_buy = tape.is(side, "buy");
    if (!(trade_id >= 0) || !(price >= 0) || !(quantity >= 0) || (!is_buy && !tape.is(side, "sell"))) {
      return malformed("trade without id, price, size or side");
    }
    batch.push({
      kind: "trade",
      venue: VENUE,
      symbol,
      received_us,
      exchange_ms: this.milliseconds(tape.field(row, "ts")),
      trade_id,
      price,
      quantity,
      exact_quantity,
      aggressor: is_buy ? "buy" : "sell",
    });
    return EVENTS;
  }

  /** `{"instType":"SPOT","instId":"BTC-USDT","last":"…","lastSz":"…","askPx","askSz","bidPx","bidSz","open24h","high24h",…}` */
  #ticker(row: number, symbol: string, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const amount = (name: string) => this.amount(tape.field(row, name));
    const last_price = amount("last");
    if (last_price === undefined) return malformed("ticker without last price");
    // Of derivatives `volCcy24h` counts base currency, not quote.
    const is_spot = tape.is(tape.field(row, "instType"), "SPOT");
    batch.push({
      kind: "ticker",
      venue: VENUE,
      symbol,
      received_us,
      exchange_ms: this.milliseconds(tape.field(row, "ts")),
      last_price,
      last_quantity: amount("lastSz"),
      bid_price: amount("bidPx"),
      bid_quantity: amount("bidSz"),
      ask_price: amount("askPx"),
      ask_quantity: amount("askSz"),
      open_price: amount("open24h"),
      high_price: amount("high24h"),
      low_price: amount("low24h"),
      volume: amount("vol24h"),
      quote_volume: is_spot ? amount("volCcy24h") : undefined,
    });
    return EVENTS;
  }

  /** `["1597026383085","o","h","l","c","vol","volCcy","volCcyQuote","0"]`, the last "1" when the bar is final */
  #candle(
    row: number,
    symbol: string,
    interval: Parameters<typeof closeTimeMs>[0],
    received_us: number,
    batch: EventBatch,
  ): FrameOutcome {
    const { tape } = this;
    // Nine values of one node each.
    if (tape.kind(row) !== ARRAY || tape.next(row) - row < 10) {
      return malformed("candle of fewer than 9 values");
    }
    const open_time_ms = this.milliseconds(row + 1);
    const values = [2, 3, 4, 5, 6].map((n) => this.amount(row + n));
    const is_closed = tape.is(row + 9, "1");
    if (open_time_ms === undefined || values.includes(undefined) || (!is_closed && !tape.is(row + 9, "0"))) {
      return malformed("candle without time, prices, volume or state");
    }
    const [open, high, low, close, volume] = values as number[];
    batch.push({
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
      quote_volume: this.amount(row + 8),
      closed: is_closed,
    });
    return EVENTS;
  }

  /** `{"event":"subscribe","arg":{…},"connId":"…"}`, `{"event":"error","code":"60012","msg":"…"}`, `{"event":"notice",…}` */
  #control(event: number): FrameOutcome {
    const { tape } = this;
    const arg = tape.field(0, "arg");
    const channel = tape.text(tape.field(arg, "channel"));
    const streams = channel === "" ? undefined : [`${channel}:${tape.text(tape.field(arg, "instId"))}`];
    if (tape.is(event, "subscribe") || tape.is(event, "unsubscribe")) return { kind: "ack", streams };
    const code = tape.text(tape.field(0, "code"));
    if (tape.is(event, "notice")) return code === CLOSING_SOON ? { kind: "shutdown" } : NO_NEWS;
    if (!tape.is(event, "error")) return { kind: "unknown", what: `event ${quoted(tape.text(event))}` };
    const message = tape.text(tape.field(0, "msg"));
    // Some messages name the stream in words; else the oldest request is meant.
    const named = /channel:([\w-]+),instId:([\w-]+)/.exec(message);
    return {
      kind: "ack",
      streams: streams ?? (named ? [`${named[1]}:${named[2]}`] : undefined),
      error: quoted(`${code}: ${message}`),
    };
  }
}
