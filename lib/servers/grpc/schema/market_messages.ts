/**
 * Answers of the query layer as messages of market_data.proto. Prices and quantities are doubles there: exact up to 15
 * significant digits, the nearest double beyond (HTTP has every digit). What a venue does not give stays unset, which
 * proto3 reads as 0; so do 0 itself and ids that are no numbers.
 */
import {
  type BookFields,
  bookFields,
  type TickerFields,
  tickerFields,
  type TradeFields,
  tradeFields,
} from "../../../flow/market_contract.ts";
import type { BookAnswer } from "../../../flow/market_queries.ts";
import type { Ticker, Trade } from "../../../market/event.ts";
import { prefixed } from "../protocol/messages.ts";
import { MARKET_FILE, messageType } from "./schemas.ts";

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

const Book = messageType<BookFields>(MARKET_FILE, "market_data.OrderBookResponse");
const Tickers = messageType<TickerFields>(MARKET_FILE, "market_data.TickerResponse");
const Trades = messageType<{ trades: TradeFields[] }>(MARKET_FILE, "market_data.RecentTradesResponse");
const BookUpdate = messageType<{ symbol: string; is_snapshot: boolean; order_book: BookFields }>(
  MARKET_FILE,
  "market_data.OrderBookUpdate",
);
const TradeUpdate = messageType<{ trade: TradeFields }>(MARKET_FILE, "market_data.TradeUpdate");
const TickerUpdate = messageType<{ ticker: TickerFields }>(MARKET_FILE, "market_data.TickerUpdate");

export function bookFrame(book: BookAnswer): Uint8Array {
  return prefixed(Book.encode(bookFields(book)));
}
export function bookUpdateFrame(book: BookAnswer, is_snapshot: boolean): Uint8Array {
  const { symbol } = book;
  return prefixed(BookUpdate.encode({ symbol, is_snapshot, order_book: bookFields(book) }));
}
export function tickerFrame(ticker: Ticker): Uint8Array {
  return prefixed(Tickers.encode(tickerFields(ticker)));
}
export function tickerUpdateFrame(ticker: Ticker): Uint8Array {
  return prefixed(TickerUpdate.encode({ ticker: tickerFields(ticker) }));
}
export function tradesFrame(trades: readonly Trade[]): Uint8Array {
  return prefixed(Trades.encode({ trades: trades.map(tradeFields) }));
}
export function tradeUpdateFrame(trade: Trade): Uint8Array {
  return prefixed(TradeUpdate.encode({ trade: tradeFields(trade) }));
}
