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

/** Undefined for an update that no table keeps: a candle still forming. */
export function encodeRow(update: MarketUpdate, book_depth: number): Row | undefined {
  switch (update.kind) {
    case "trade":
      return { table: "trades", line: tradeLine(update) };
    case "quote":
      return { table: "quotes", line: quoteLine(update) };
    case "book":
      return { table: "books", line: bookLine(update, book_depth) };
    case "book_status":
      return { table: "book_status", line: statusLine(update) };
    case "ticker":
      return { table: "tickers", line: tickerLine(update) };
    case "candle":
      return update.closed ? { table: "candles", line: candleLine(update) } : undefined;
  }
}

interface Head {
  readonly venue: string;
  readonly symbol: string;
  readonly exchange_ms?: number;
  readonly sent_ms?: number;
  readonly received_us: number;
}

/** The venue's time, as microseconds: a fraction of a millisecond must not lose one to the double's rounding. */
const microseconds = (time_ms: number) => Math.round(time_ms * 1000);

/** Same time, same text: many rows of one batch share it. */
let last_us = NaN;
let last_text = "";
function timeText(time_us: number): string {
  if (time_us === last_us) return last_text;
  last_us = time_us;
  return last_text = isoMicroseconds(time_us);
}
const timeOfMs = (time_ms: number | undefined) =>
  time_ms === undefined ? NULL : timeText(microseconds(time_ms));

function head(update: Head): string {
  const venue_ms = update.exchange_ms ?? update.sent_ms;
  const time = venue_ms === undefined ? timeText(update.received_us) : timeOfMs(venue_ms);
  return `${time}\t${escapeText(update.venue)}\t${escapeText(update.symbol)}`;
}
const end = (update: Head) => `\t${timeText(update.received_us)}\n`;
const decimal = (value: number | undefined) => value === undefined ? NULL : formatDecimal(value);
const integer = decimal;

function tradeLine(trade: Trade): string {
  const quantity = trade.exact_quantity ?? formatDecimal(trade.quantity);
  return `${head(trade)}\t${integer(trade.trade_id)}\t${formatDecimal(trade.price)}\t${quantity}\t${
    trade.aggressor ?? NULL
  }` +
    `\t${integer(trade.first_fill_id)}\t${integer(trade.last_fill_id)}\t${timeOfMs(trade.sent_ms)}${
      end(trade)
    }`;
}

function quoteLine(quote: Quote): string {
  const { bid, bid_quantity, ask, ask_quantity } = quote;
  return `${head(quote)}\t${integer(quote.update_id)}\t${decimal(bid)}\t${decimal(bid_quantity)}` +
    `\t${decimal(ask)}\t${decimal(ask_quantity)}${end(quote)}`;
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
