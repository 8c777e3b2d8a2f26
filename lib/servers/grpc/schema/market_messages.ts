/**
 * Answers of the query layer as messages of market_data.proto. Prices and quantities are doubles there: exact up to 15
 * significant digits, the nearest double beyond (HTTP has every digit). What a venue does not give stays unset, which
 * proto3 reads as 0; so do 0 itself and ids that are no numbers.
 */
import { tradeTimeMs } from "../../../flow/json_payload.ts";
import type { BookAnswer, Level } from "../../../flow/market_queries.ts";
import { type Ticker, TICKER_FIELDS, type Trade } from "../../../market/event.ts";
import { prefixed } from "../protocol/messages.ts";
import { MARKET_FILE, messageType } from "./schemas.ts";

interface BookMessage {
  symbol: string;
  last_update_id?: number;
  bids: readonly Level[];
  asks: readonly Level[];
  timestamp?: number;
}
interface TradeMessage {
  id?: number;
  symbol: string;
  price: number;
  quantity: number;
  timestamp?: number;
  is_buyer_maker?: boolean;
}
type TickerMessage = { symbol: string } & Record<string, number | string>;

export const BookRequest = messageType<{ symbol: string; depth?: number }>(
  MARKET_FILE,
  "market_data.OrderBookRequest",
);
export const TickerRequest = messageType<{ symbol: string }>(MARKET_FILE, "market_data.TickerRequest");
export const TradesRequest = messageType<{ symbol: string; limit?: number }>(
  MARKET_FILE,
  "market_data.RecentTradesRequest",
);
export const BookSubscription = messageType<{ symbol: string; depth?: number; update_speed?: number }>(
  MARKET_FILE,
  "market_data.OrderBookSubscriptionRequest",
);
export const TradeSubscription = messageType<{ symbol: string }>(
  MARKET_FILE,
  "market_data.TradeSubscriptionRequest",
);
export const TickerSubscription = messageType<{ symbol: string }>(
  MARKET_FILE,
  "market_data.TickerSubscriptionRequest",
);

const Book = messageType<BookMessage>(MARKET_FILE, "market_data.OrderBookResponse");
const Tickers = messageType<TickerMessage>(MARKET_FILE, "market_data.TickerResponse");
const Trades = messageType<{ trades: TradeMessage[] }>(MARKET_FILE, "market_data.RecentTradesResponse");
const BookUpdate = messageType<{ symbol: string; is_snapshot: boolean; order_book: BookMessage }>(
  MARKET_FILE,
  "market_data.OrderBookUpdate",
);
const TradeUpdate = messageType<{ trade: TradeMessage }>(MARKET_FILE, "market_data.TradeUpdate");
const TickerUpdate = messageType<{ ticker: TickerMessage }>(MARKET_FILE, "market_data.TickerUpdate");

export function bookFrame(book: BookAnswer): Uint8Array {
  return prefixed(Book.encode(bookMessage(book)));
}
export function bookUpdateFrame(book: BookAnswer, is_snapshot: boolean): Uint8Array {
  const { symbol } = book;
  return prefixed(BookUpdate.encode({ symbol, is_snapshot, order_book: bookMessage(book) }));
}
export function tickerFrame(ticker: Ticker): Uint8Array {
  return prefixed(Tickers.encode(tickerMessage(ticker)));
}
export function tickerUpdateFrame(ticker: Ticker): Uint8Array {
  return prefixed(TickerUpdate.encode({ ticker: tickerMessage(ticker) }));
}
export function tradesFrame(trades: readonly Trade[]): Uint8Array {
  return prefixed(Trades.encode({ trades: trades.map(tradeMessage) }));
}
export function tradeUpdateFrame(trade: Trade): Uint8Array {
  return prefixed(TradeUpdate.encode({ trade: tradeMessage(trade) }));
}

function bookMessage({ symbol, last_update_id, bids, asks, timestamp_ms }: BookAnswer): BookMessage {
  return { symbol, last_update_id: unsigned(last_update_id), bids, asks, timestamp: unsigned(timestamp_ms) };
}

function tradeMessage(trade: Trade): TradeMessage {
  const { symbol, trade_id, price, quantity, aggressor } = trade;
  const message: TradeMessage = { symbol, price, quantity, timestamp: unsigned(tradeTimeMs(trade)) };
  const id = unsigned(trade_id);
  if (id !== undefined) message.id = id;
  if (aggressor !== undefined) message.is_buyer_maker = aggressor === "sell";
  return message;
}

/** Ours → the contract's, where the words differ. */
const RENAMED: Readonly<Record<string, string>> = {
  weighted_average_price: "weighted_avg_price",
  open_time_ms: "open_time",
  close_time_ms: "close_time",
  first_trade_id: "first_id",
  last_trade_id: "last_id",
  trade_count: "count",
};
const UNSIGNED: ReadonlySet<string> = new Set(["open_time", "close_time", "first_id", "last_id", "count"]);

/** Field of the contract → value; what is unknown is not there. */
export function tickerFields(ticker: Ticker): [string, number][] {
  const fields: [string, number][] = [];
  for (const name of TICKER_FIELDS) {
    const value = ticker[name];
    const field = RENAMED[name] ?? name;
    const known = UNSIGNED.has(field) ? unsigned(value) : value;
    if (known !== undefined) fields.push([field, known]);
  }
  return fields;
}

function tickerMessage(ticker: Ticker): TickerMessage {
  return { symbol: ticker.symbol, ...Object.fromEntries(tickerFields(ticker)) };
}

/** What a uint64 can hold: a venue's "none" may be −1. */
function unsigned(value: number | undefined): number | undefined {
  return value === undefined || !(value >= 0) ? undefined : Math.floor(value);
}
