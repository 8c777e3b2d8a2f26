/** Trades of which every field follows from the event's sequence; scripts/shared_memory/reader.c knows the same. */
import type { Trade } from "../../../../lib/market/event.ts";
import { LevelList } from "../../../../lib/market/level_list.ts";
import { OrderBook } from "../../../../lib/market/order_book.ts";
import type { BookUpdate } from "../../../../lib/market/update.ts";

export const PATTERN = { venue: "pattern", symbol: "BTCUSDT" };

/** Becomes event `n`. */
export function setPattern(trade: Trade, n: number): void {
  trade.exchange_ms = n;
  trade.received_us = n + 0.125;
  trade.price = n * 0.5 + 1;
  trade.quantity = n % 1000 + 0.25;
  trade.trade_id = n;
  trade.first_fill_id = n * 3;
  trade.last_fill_id = n * 3 + 7;
}

export function patternTrade(n: number): Trade {
  const trade: Trade = {
    ...PATTERN,
    kind: "trade",
    received_us: 0,
    trade_id: 0,
    price: 0,
    quantity: 0,
    aggressor: "buy",
  };
  setPattern(trade, n);
  return trade;
}

/** The book at update `n`: every level follows from it. */
export function patternBook(n: number, depth: number): BookUpdate {
  const bids = new LevelList();
  const asks = new LevelList();
  for (let i = 0; i < depth; i++) {
    bids.push(100_000 + n - i, n + i / 4);
    asks.push(100_001 + n + i, n + i / 4);
  }
  const book = new OrderBook();
  book.replace(bids, asks);
  return { ...PATTERN, kind: "book", book, sequence: n, last_update_id: n, received_us: n + 0.125 };
}
