/**
 * The vocabulary that the dispatcher speaks to sinks and servers: what became true, after sequence checks. A book update
 * carries the live book; encode what you need before you return, since the next update changes it in place.
 */
import type { BookDelta, Candle, Quote, Ticker, Trade } from "./event.ts";
import type { BookView } from "./order_book.ts";
import type { OrderBookView, OrderChange } from "./order_queue_book.ts";

export interface BookUpdate {
  kind: "book";
  venue: string;
  symbol: string;
  book: BookView;
  /** What changed since update `sequence - 1`; absent after a (re)sync, when the whole book must be taken. */
  delta?: BookDelta;
  /** Ours: +1 per published update of this book since start, so that any consumer can see a loss. */
  sequence: number;
  /** The venue's id of the last delta inside. */
  last_update_id: number;
  exchange_ms?: number;
  sent_ms?: number;
  received_us: number;
}

/**
 * Market by order, where the source knows it: follows the book update with the same `sequence` and says in single orders
 * what that says in levels. For servers; sinks are not offered it.
 */
export interface OrdersUpdate {
  kind: "orders";
  venue: string;
  symbol: string;
  /** Live: read what you need before you return. */
  orders: OrderBookView;
  /** Since update `sequence - 1`; absent when the whole must be taken. */
  changes?: readonly OrderChange[];
  sequence: number;
  last_update_id: number;
  exchange_ms?: number;
  sent_ms?: number;
  received_us: number;
}

/** A book left or reached sync. While out of sync nothing is published from it. */
export interface BookStatus {
  kind: "book_status";
  venue: string;
  symbol: string;
  in_sync: boolean;
  /** "gap", "crossed", "audit", "disconnected", "removed", … or "synced". */
  reason: string;
  /** The first and last missing update id, where the venue's ids tell. */
  missing_from_id?: number;
  missing_to_id?: number;
  /** On the way back in sync: how long it was out, milliseconds. */
  out_of_sync_ms?: number;
  received_us: number;
}

export type MarketUpdate = BookUpdate | BookStatus | Trade | Quote | Ticker | Candle;
/** What the hub's receivers are offered. */
export type HubUpdate = MarketUpdate | OrdersUpdate;

/** The venue's last word that a book update carries: send time, else engine time, else our own receive time, in ms. */
export function timestampMs(update: { sent_ms?: number; exchange_ms?: number; received_us: number }): number {
  return update.sent_ms ?? update.exchange_ms ?? Math.floor(update.received_us / 1000);
}
