/**
 * What makers ask of an encoding: market messages as whole WebSocket frames, each a piece of memory of its own that is
 * never changed after birth. README.md describes both forms; control messages are JSON in either.
 */
import type { BookSide } from "../../../market/book_side.ts";
import type { Candle, Ticker, Trade } from "../../../market/event.ts";
import type { LevelList } from "../../../market/level_list.ts";
import type { OrderChange, OrderId, RestingOrder } from "../../../market/order_queue_book.ts";
import type { Frame } from "../../../wire/websocket_frame.ts";
import type { Format, Variant } from "../stream_key.ts";

export type MessageType =
  | "snapshot"
  | "delta"
  | "trade"
  | "bbo"
  | "ticker"
  | "candle"
  | "orders_snapshot"
  | "orders_delta";

/** A message's fixed beginning, made once per maker. */
export type Head = Uint8Array<ArrayBuffer>;

/** Whose messages they are. */
export interface TopicName extends Variant {
  readonly handle: number;
  readonly venue: string;
  readonly symbol: string;
}

/** When and at which ids a book message stands. */
export interface BookStamp {
  seq: number;
  last_update_id: number;
  /** Unix epoch, whole milliseconds. */
  timestamp: number;
  price_decimals: number;
  quantity_decimals: number;
}

export type OrdersStamp = Pick<BookStamp, "seq" | "last_update_id" | "timestamp">;

/** Best bid and offer; a side that is empty is absent, a size that the venue does not state is absent too. */
export interface Bbo {
  seq: number;
  update_id?: number;
  timestamp: number;
  source: "quote" | "book";
  bid?: number;
  bid_quantity?: number;
  ask?: number;
  ask_quantity?: number;
}

export interface Encoding {
  readonly format: Format;
  head(type: MessageType, topic: TopicName): Head;
  /** All levels known for sure, best first; a side known only in part says where its knowledge ends. */
  snapshot(head: Head, stamp: BookStamp, bids: BookSide, asks: BookSide): Frame;
  /** Absolute quantities, 0 deletes; also a snapshot, when the head says so and the lists are whole. */
  changes(head: Head, stamp: BookStamp, bids: LevelList, asks: LevelList): Frame;
  trade(head: Head, seq: number, trade: Trade): Frame;
  bbo(head: Head, bbo: Bbo): Frame;
  ticker(head: Head, seq: number, ticker: Ticker, timestamp: number): Frame;
  candle(head: Head, seq: number, candle: Candle, timestamp: number): Frame;
  /** All orders, best price first, in the order of their queues. */
  orders(head: Head, stamp: OrdersStamp, bids: readonly RestingOrder[], asks: readonly RestingOrder[]): Frame;
  orderChanges(head: Head, stamp: OrdersStamp, changes: readonly OrderChange[]): Frame;
}

/** Integers that every reader's numbers hold, with one to spare for the binary form; all others as text. */
export function orderIdOf(id: OrderId): number | string {
  return typeof id === "number" && id >= 0 && id < Number.MAX_SAFE_INTEGER && Number.isInteger(id)
    ? id
    : String(id);
}

/** A trade's own time first: when it happened matters more than when it was sent. */
export function tradeTimeMs(trade: Trade): number {
  return Math.floor(trade.exchange_ms ?? trade.sent_ms ?? trade.received_us / 1000);
}
