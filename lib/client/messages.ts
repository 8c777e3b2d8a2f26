/**
 * What a server of the restream protocol says (servers/restream/README.md), whichever form it came in: market messages
 * with their fields checked, everything else as the object that it is. Unknown types pass as they are, to be ignored.
 */
import type { LevelList } from "../market/level_list.ts";
import type { OrderChange, RestingOrder } from "../market/order_queue_book.ts";
import type { ExactNumber } from "./exact_number.ts";

/** The one error of the readers: the message is not as the protocol has it. Whatever follows it means nothing. */
export class UnreadableMessage extends Error {
  override readonly name = "UnreadableMessage";
}

export type MarketChannel = "book" | "trades" | "bbo" | "ticker" | "candles" | "orders";
export type ChannelName = MarketChannel | "status";

interface MarketHead {
  readonly venue: string;
  readonly symbol: string;
  readonly seq: number;
  /** Unix epoch, whole milliseconds. */
  readonly timestamp: number;
}

/** The lists are the reader's own, valid until it reads the next message: copy what you keep. */
export interface BookMessage extends MarketHead {
  readonly type: "snapshot" | "delta";
  readonly last_update_id: number;
  readonly bids: LevelList;
  readonly asks: LevelList;
  /** Where the knowledge of a side ends, when it does. */
  readonly bid_bound?: number;
  readonly ask_bound?: number;
}
/** Ids as the protocol has them: numbers, or texts. */
export interface OrdersSnapshot extends MarketHead {
  readonly type: "orders_snapshot";
  readonly last_update_id: number;
  /** Best price first, in the order of their queues. */
  readonly bids: readonly RestingOrder[];
  readonly asks: readonly RestingOrder[];
}
export interface OrdersDelta extends MarketHead {
  readonly type: "orders_delta";
  readonly last_update_id: number;
  readonly changes: readonly OrderChange[];
}
export type OrdersMessage = OrdersSnapshot | OrdersDelta;
export interface TradeMessage extends MarketHead {
  readonly type: "trade";
  readonly trade_id?: number | string;
  readonly price: ExactNumber;
  readonly quantity: ExactNumber;
  readonly is_buyer_maker?: boolean;
}
export interface BboMessage extends MarketHead {
  readonly type: "bbo";
  readonly update_id?: number;
  readonly source: "quote" | "book";
  readonly bid?: ExactNumber;
  readonly bid_quantity?: ExactNumber;
  readonly ask?: ExactNumber;
  readonly ask_quantity?: ExactNumber;
}
export interface TickerMessage extends MarketHead {
  readonly type: "ticker";
  /** By name, those that the venue gives (`TICKER_FIELDS` of market/event.ts). */
  readonly fields: Readonly<Record<string, ExactNumber>>;
  readonly session?: string;
  readonly extra?: Readonly<Record<string, number | string>>;
}
export interface CandleMessage extends MarketHead {
  readonly type: "candle";
  readonly interval: string;
  readonly open_time_ms: number;
  readonly close_time_ms: number;
  readonly open: ExactNumber;
  readonly high: ExactNumber;
  readonly low: ExactNumber;
  readonly close: ExactNumber;
  readonly volume: ExactNumber;
  readonly quote_volume?: ExactNumber;
  readonly trade_count?: number;
  readonly closed: boolean;
  readonly incomplete: boolean;
  readonly revised: boolean;
}
export type MarketMessage =
  | BookMessage
  | OrdersMessage
  | TradeMessage
  | BboMessage
  | TickerMessage
  | CandleMessage;

/** hello, subscribed, status, lag, notice, error … and types of tomorrow. */
export interface ControlMessage {
  readonly type: string;
  readonly venue?: unknown;
  readonly symbol?: unknown;
  readonly channel?: unknown;
  readonly [field: string]: unknown;
}

const MARKET_CHANNELS: Readonly<Record<string, MarketChannel>> = {
  snapshot: "book",
  delta: "book",
  trade: "trades",
  bbo: "bbo",
  ticker: "ticker",
  candle: "candles",
  orders_snapshot: "orders",
  orders_delta: "orders",
};
export function isMarket(message: MarketMessage | ControlMessage): message is MarketMessage {
  return Object.hasOwn(MARKET_CHANNELS, message.type);
}
/** The channel that such a message belongs to; undefined: it is no market message. */
export function channelOfType(type: string): MarketChannel | undefined {
  return Object.hasOwn(MARKET_CHANNELS, type) ? MARKET_CHANNELS[type] : undefined;
}
