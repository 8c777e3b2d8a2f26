/**
 * An update as one row of one table, in COPY text. Numbers are printed exactly (base/decimal.ts); what the venue did not
 * say is NULL. The time of a row is the venue's own where there is one, so that a second producer writes the same key.
 */
import { formatDecimal } from "../../base/decimal.ts";
import type { BookSide } from "../../market/book_side.ts";
import type { Candle, Quote, Ticker, Trade } from "../../market/event.ts";
import type { BookStatus, BookUpdate, MarketUpdate } from "../../market/update.ts";
import { isoMicroseconds } from "../../wire/iso_time.ts";
import { escapeText, NULL } from "./copy_text.ts";
import { type TableName, TICKER_COLUMNS } from "./tables.ts";

/** One row; `line` ends with a newline. */
export interface Row {
  readonly table: TableName;
  readonly line: string;
}

/** Different trades without ids at one time of one instrument; beyond, the numbering starts anew. */
const MAX_AT_ONE_TIME = 10_000;

export class RowEncoder {
  /** Instrument → the time of its last trade without an id, and how often each such trade came at that time. */
  readonly #unnamed = new Map<string, { time_us: number; seen: Map<string, number> }>();

  constructor(readonly book_depth: number) {}

  /** Undefined for an update that no table keeps: a candle still forming. */
  encode(update: MarketUpdate): Row | undefined {
    switch (update.kind) {
      case "trade":
        return row("trades", tradeLine(update, this.#tradeKey(update)));
      case "quote":
        return row("quotes", quoteLine(update));
      case "book":
        return row("books", bookLine(update, this.book_depth));
      case "book_status":
        if (update.reason === "removed") this.#unnamed.delete(instrumentOf(update));
        return row("book_status", statusLine(update));
      case "ticker":
        return row("tickers", tickerLine(update));
      case "candle":
        return update.closed ? row("candles", candleLine(update)) : undefined;
    }
  }
  /** Two trades without ids may be alike to the digit and both be real: they are numbered within their time. */
  #tradeKey(trade: Trade): string {
    if (trade.trade_id !== undefined) return integer(trade.trade_id);
    if (trade.venue_trade_id !== undefined) return escapeText(trade.venue_trade_id);
    const time_us = timeOf(trade);
    const instrument = instrumentOf(trade);
    let unnamed = this.#unnamed.get(instrument);
    if (unnamed?.time_us !== time_us) {
      this.#unnamed.set(instrument, unnamed = { time_us, seen: new Map() });
    }
    const content = `${formatDecimal(trade.price)} ${quantityOf(trade)} ${trade.aggressor ?? "-"}`;
    const count = (unnamed.seen.get(content) ?? 0) + 1;
    if (unnamed.seen.size >= MAX_AT_ONE_TIME) unnamed.seen.clear();
    unnamed.seen.set(content, count);
    return `${content} ${count}`;
  }
}

/**
 * A row whose line is one piece of memory. V8 keeps joined texts as a tree of their parts until somebody reads a
 * character; thousands of such trees waiting in the queue cost the garbage collector more than all the printing.
 */
function row(table: TableName, line: string): Row {
  if (line.charCodeAt(0) === NEWLINE) throw new RangeError(`print row of "${table}": empty`);
  return { table, line };
}
const NEWLINE = 10;

const instrumentOf = ({ venue, symbol }: { venue: string; symbol: string }) => `${venue}\u0000${symbol}`;

interface Head {
  readonly venue: string;
  readonly symbol: string;
  readonly exchange_ms?: number;
  readonly sent_ms?: number;
  readonly received_us: number;
}

/** The venue's time, as microseconds: a fraction of a millisecond must not lose one to the double's rounding. */
const microseconds = (time_ms: number) => Math.round(time_ms * 1000);

/** The second last printed: rows of one batch share it, and the host's formatter costs more than all the rest of a row. */
let last_second = NaN;
let second_text = "";
/** "000" … "999": a row prints six of them. */
const THREE_DIGITS: readonly string[] = Array.from({ length: 1_000 }, (_, i) => String(1_000 + i).slice(1));
function timeText(time_us: number): string {
  const whole_us = Math.floor(time_us);
  const second = Math.floor(whole_us / 1e6);
  if (second !== last_second) {
    second_text = isoMicroseconds(second * 1e6).slice(0, -7);
    last_second = second;
  }
  const rest_us = whole_us - second * 1e6;
  const ms = Math.floor(rest_us / 1_000);
  return `${second_text}${THREE_DIGITS[ms]}${THREE_DIGITS[rest_us - ms * 1_000]}Z`;
}
const timeOfMs = (time_ms: number | undefined) =>
  time_ms === undefined ? NULL : timeText(microseconds(time_ms));

/** When it happened, as far as the venue says; microseconds. */
function timeOf(update: Head): number {
  const venue_ms = update.exchange_ms ?? update.sent_ms;
  return venue_ms === undefined ? Math.floor(update.received_us) : microseconds(venue_ms);
}

/** Updates of one instrument come in runs. */
let last_venue = "";
let last_symbol = "";
let instrument_text = "\t\t";

function head(update: Head): string {
  const { venue, symbol } = update;
  if (symbol !== last_symbol || venue !== last_venue) {
    instrument_text = `\t${escapeText(venue)}\t${escapeText(symbol)}`;
    last_venue = venue;
    last_symbol = symbol;
  }
  return timeText(timeOf(update)) + instrument_text;
}
const end = (update: Head) => `\t${timeText(update.received_us)}\n`;
const decimal = (value: number | undefined) => value === undefined ? NULL : formatDecimal(value);
const integer = decimal;
const text = (value: string | undefined) => value === undefined ? NULL : escapeText(value);

function tradeLine(trade: Trade, key: string): string {
  const { trade_id, venue_trade_id, first_fill_id, last_fill_id, aggressor } = trade;
  const id = trade_id === undefined ? NULL : key;
  return `${head(trade)}\t${id}\t${text(venue_trade_id)}\t${formatDecimal(trade.price)}` +
    `\t${quantityOf(trade)}\t${aggressor ?? NULL}\t${integer(first_fill_id)}\t${integer(last_fill_id)}` +
    `\t${timeOfMs(trade.sent_ms)}\t${key}${end(trade)}`;
}
const quantityOf = (trade: Trade) => trade.exact_quantity ?? formatDecimal(trade.quantity);

function quoteLine(quote: Quote): string {
  const { update_id, bid, bid_quantity, ask, ask_quantity } = quote;
  const sides = `${decimal(bid)}\t${decimal(bid_quantity)}\t${decimal(ask)}\t${decimal(ask_quantity)}`;
  // Without an id the same sides at the same time are the same quote.
  const key = update_id === undefined
    ? sides.replaceAll("\t", " ").replaceAll(NULL, "-")
    : integer(update_id);
  return `${head(quote)}\t${integer(update_id)}\t${sides}\t${key}${end(quote)}`;
}

function bookLine(update: BookUpdate, depth: number): string {
  const { book, last_update_id } = update;
  return `${head(update)}\t${integer(last_update_id)}\t${levels(book.bids, depth)}\t${
    levels(book.asks, depth)
  }${end(update)}`;
}

/** The best `depth` of the levels that are known for sure. */
function levels(side: BookSide, depth: number): string {
  const printed: string[] = [];
  for (let i = 0, count = Math.min(depth, side.known); i < count; i++) {
    const quantity = side.exactQuantity(i) ?? formatDecimal(side.quantity(i));
    printed.push(`{${formatDecimal(side.price(i))},${quantity}}`);
  }
  return `{${printed.join(",")}}`;
}

function statusLine(status: BookStatus): string {
  return `${head(status)}\t${status.in_sync}\t${escapeText(status.reason)}\t${
    integer(status.missing_from_id)
  }` + `\t${integer(status.missing_to_id)}\t${decimal(status.out_of_sync_ms)}${end(status)}`;
}

function tickerLine(ticker: Ticker): string {
  const decimals = TICKER_COLUMNS.decimals.map((name) => decimal(ticker[name])).join("\t");
  const integers = TICKER_COLUMNS.integers.map((name) => integer(ticker[name])).join("\t");
  return `${head(ticker)}\t${decimals}\t${timeOfMs(ticker.open_time_ms)}\t${timeOfMs(ticker.close_time_ms)}` +
    `\t${integers}${end(ticker)}`;
}

function candleLine(candle: Candle): string {
  const { open, high, low, close, volume } = candle;
  const prices = [open, high, low, close, volume].map(formatDecimal).join("\t");
  const opened = { ...candle, exchange_ms: candle.open_time_ms };
  return `${head(opened)}\t${escapeText(candle.interval)}\t${timeOfMs(candle.close_time_ms)}\t${prices}` +
    `\t${decimal(candle.quote_volume)}\t${integer(candle.trade_count)}${end(candle)}`;
}
