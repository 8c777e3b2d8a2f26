/**
 * One update of the normalised model as one JSON object, for every sink that stores or forwards the model itself
 * (schema version 1): `kind`, `venue`, `symbol`, the fields of lib/market under their own names, times last. Numbers are
 * exact and never have an exponent; a field that is not known is not there. A book is its best levels, best first.
 */
import type { BookStatus, BookUpdate, MarketUpdate } from "../market/update.ts";
import { type Candle, type Quote, type Ticker, TICKER_FIELDS, type Trade } from "../market/event.ts";
import type { ByteWriter } from "../wire/byte_writer.ts";
import { writeLevels } from "../wire/orderbook_json.ts";

/** The version of the fields below; told beside each message. */
export const UPDATE_JSON_VERSION = "1";

/** Hints only: a number with more digits is printed exactly too. */
const PRICE_DECIMALS = 8;
const TIME_DECIMALS = 3;

const bytesOf = (text: string) => new TextEncoder().encode(text);
const KIND = bytesOf('{"kind":"');
const VENUE = bytesOf('","venue":');
const SYMBOL = bytesOf(',"symbol":');
const BIDS = bytesOf(',"bids":[');
const ASKS = bytesOf('],"asks":[');
const END_LIST = bytesOf("]");
const TRUE = bytesOf("true");
const FALSE = bytesOf("false");
const END = 125;

const named = <Name extends string>(...names: Name[]): [Name, Uint8Array][] =>
  names.map((name) => [name, bytesOf(`,${JSON.stringify(name)}:`)]);
const TIMES = named("exchange_ms", "sent_ms");
const BOOK = named("sequence", "last_update_id");
const STATUS = named("missing_from_id", "missing_to_id", "out_of_sync_ms");
const label = (name: string) => named(name)[0][1];
const RECEIVED_US = label("received_us");
const IN_SYNC = label("in_sync");
const REASON = label("reason");
const AGGRESSOR = label("aggressor");
const QUANTITY = label("quantity");
const INTERVAL = label("interval");
const CLOSED = label("closed");
const VENUE_TRADE_ID = label("venue_trade_id");
const TRADE_HEAD = named("trade_id", "price");
const TRADE_FILLS = named("first_fill_id", "last_fill_id");
const QUOTE = named("update_id", "bid", "bid_quantity", "ask", "ask_quantity");
const CANDLE = named(
  "open_time_ms",
  "close_time_ms",
  "open",
  "high",
  "low",
  "close",
  "volume",
  "quote_volume",
  "trade_count",
);
const TICKER = named(...TICKER_FIELDS);

/** Appends the object, without a line end; at most `depth` levels a side of a book. */
export function writeUpdateJson(writer: ByteWriter, update: MarketUpdate, depth: number): void {
  writer.raw(KIND);
  writer.text(update.kind);
  writer.raw(VENUE);
  writer.jsonString(update.venue);
  writer.raw(SYMBOL);
  writer.jsonString(update.symbol);
  writeBody(writer, update, depth);
  writeNumbers(writer, update as { exchange_ms?: number; sent_ms?: number }, TIMES, TIME_DECIMALS);
  writer.raw(RECEIVED_US);
  writer.integer(Math.floor(update.received_us));
  writer.byte(END);
}

function writeBody(writer: ByteWriter, update: MarketUpdate, depth: number): void {
  switch (update.kind) {
    case "book":
      return writeBook(writer, update, depth);
    case "trade":
      return writeTrade(writer, update);
    case "quote":
      return writeNumbers<keyof Quote>(writer, update, QUOTE, PRICE_DECIMALS);
    case "ticker":
      return writeTicker(writer, update);
    case "candle":
      return writeCandle(writer, update);
    case "book_status":
      return writeStatus(writer, update);
  }
}

function writeNumbers<Name extends string>(
  writer: ByteWriter,
  from: { readonly [name in Name]?: unknown },
  names: readonly (readonly [Name, Uint8Array])[],
  decimals: number,
): void {
  for (const [name, label] of names) {
    const value = from[name];
    if (typeof value !== "number") continue;
    writer.raw(label);
    writer.decimal(value, decimals);
  }
}

function writeBook(writer: ByteWriter, update: BookUpdate, depth: number): void {
  const { book } = update;
  writer.raw(BIDS);
  writeLevels(writer, book.bids, depth, book.price_decimals, book.quantity_decimals);
  writer.raw(ASKS);
  writeLevels(writer, book.asks, depth, book.price_decimals, book.quantity_decimals);
  writer.raw(END_LIST);
  writeNumbers<keyof BookUpdate>(writer, update, BOOK, 0);
}

function writeTrade(writer: ByteWriter, trade: Trade): void {
  if (trade.venue_trade_id !== undefined) {
    writer.raw(VENUE_TRADE_ID);
    writer.jsonString(trade.venue_trade_id);
  }
  writeNumbers<keyof Trade>(writer, trade, TRADE_HEAD, PRICE_DECIMALS);
  writer.raw(QUANTITY);
  if (trade.exact_quantity === undefined) writer.decimal(trade.quantity, PRICE_DECIMALS);
  else writer.text(trade.exact_quantity);
  if (trade.aggressor !== undefined) {
    writer.raw(AGGRESSOR);
    writer.jsonString(trade.aggressor);
  }
  writeNumbers<keyof Trade>(writer, trade, TRADE_FILLS, 0);
}

function writeTicker(writer: ByteWriter, ticker: Ticker): void {
  writeNumbers<keyof Ticker>(writer, ticker, TICKER, PRICE_DECIMALS);
  if (ticker.session !== undefined) writer.text(`,"session":"${ticker.session}"`);
  if (ticker.extra !== undefined) writer.text(`,"extra":${JSON.stringify(ticker.extra)}`);
}

function writeCandle(writer: ByteWriter, candle: Candle): void {
  writer.raw(INTERVAL);
  writer.jsonString(candle.interval);
  writeNumbers<keyof Candle>(writer, candle, CANDLE, PRICE_DECIMALS);
  writer.raw(CLOSED);
  writer.raw(candle.closed ? TRUE : FALSE);
  if (candle.incomplete) writer.text(',"incomplete":true');
  if (candle.revised) writer.text(',"revised":true');
}

function writeStatus(writer: ByteWriter, status: BookStatus): void {
  writer.raw(IN_SYNC);
  writer.raw(status.in_sync ? TRUE : FALSE);
  writer.raw(REASON);
  writer.jsonString(status.reason);
  writeNumbers<keyof BookStatus>(writer, status, STATUS, TIME_DECIMALS);
}
