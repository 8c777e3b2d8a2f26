/**
 * The vocabulary that sources speak: one venue-neutral shape per kind of fact. Absent fields are unknown, never 0.
 * Book deltas and quotes come from the pools of the `EventBatch` that carries them and are valid only until the batch is
 * consumed: whoever keeps one copies it. Ids are integers below 2^53.
 */
import type { LevelList } from "./level_list.ts";
import type { OrderChange } from "./order_queue_book.ts";

interface EventHead {
  /** The feed's registry name: "binance-futures". */
  venue: string;
  /** As the venue writes it in payloads: "BTCUSDT". */
  symbol: string;
  /** Matching-engine time, Unix epoch, milliseconds (with a fraction where the venue gives microseconds). */
  exchange_ms?: number;
  /** When the venue sent it, Unix epoch, milliseconds. */
  sent_ms?: number;
  /** When we received the frame, Unix epoch, microseconds. */
  received_us: number;
}

/** Decimals in which a venue writes an instrument's prices and quantities; checksums over texts need them. */
export interface BookPrecision {
  readonly price_decimals: number;
  readonly quantity_decimals: number;
}

/** Absolute changes to a book. The venue's sequence rule reads the ids. */
export interface BookDelta extends EventHead {
  kind: "book_delta";
  first_id: number;
  last_id: number;
  /** `last_id` of the previous event of this stream; only where the venue gives it. */
  previous_id?: number;
  /** The venue keeps its best `depth_limit` levels a side: what lies beyond after this delta is gone, untold. */
  depth_limit?: number;
  /** The venue's checksum over the book after this delta (`SequenceRule.checksum`). */
  checksum?: number;
  precision?: BookPrecision;
  bids: LevelList;
  asks: LevelList;
}

/** A whole book as of `last_id`, at most `depth_limit` levels a side (absent: all there are). */
export interface BookSnapshot extends EventHead {
  kind: "book_snapshot";
  last_id: number;
  depth_limit?: number;
  checksum?: number;
  precision?: BookPrecision;
  /** The venue starts over with it: it replaces the book although its ids may be lower. */
  resets?: true;
  bids: LevelList;
  asks: LevelList;
}

/**
 * Market by order: what happened to single orders up to the book event with the same `last_id`, which comes right before it
 * and says the same in levels.
 */
export interface OrderEvents extends EventHead {
  kind: "orders";
  last_id: number;
  /** All orders there are, each added, in the order of their queues; what was known before is void. */
  whole?: true;
  changes: readonly OrderChange[];
}

export type Aggressor = "buy" | "sell";

/** One trade, or one aggregate of trades of a single taker order at one price. */
export interface Trade extends EventHead {
  kind: "trade";
  /** Absent where the venue gives none. */
  trade_id?: number;
  /** The venue's id where it is no integer below 2^53. */
  venue_trade_id?: string;
  price: number;
  quantity: number;
  /** Only when the double would not give the venue's text back. */
  exact_quantity?: string;
  /** The side that took liquidity; absent where the venue does not say. Buyer was maker ⇔ aggressor sold. */
  aggressor?: Aggressor;
  /** Ids of the first and last fill inside an aggregate. */
  first_fill_id?: number;
  last_fill_id?: number;
}

/** Best bid and offer as the venue states them. A side or a size that it does not give is absent. */
export interface Quote extends EventHead {
  kind: "quote";
  /** The venue's id of the book that this is the top of; only where it gives one. */
  update_id?: number;
  bid?: number;
  bid_quantity?: number;
  ask?: number;
  ask_quantity?: number;
}

/** Rolling 24 h statistics: the 20 fields of the gRPC contract. Absent is unknown. */
export interface Ticker extends EventHead {
  kind: "ticker";
  price_change?: number;
  price_change_percent?: number;
  weighted_average_price?: number;
  last_price?: number;
  last_quantity?: number;
  bid_price?: number;
  bid_quantity?: number;
  ask_price?: number;
  ask_quantity?: number;
  open_price?: number;
  high_price?: number;
  low_price?: number;
  volume?: number;
  quote_volume?: number;
  open_time_ms?: number;
  close_time_ms?: number;
  first_trade_id?: number;
  last_trade_id?: number;
  trade_count?: number;
  /** The session that the venue's market is in. */
  session?: "pre" | "regular" | "post" | "extended" | "overnight";
  /** What else the venue says, under its own names. */
  extra?: Readonly<Record<string, number | string>>;
}

/** The numbers of a ticker, in the order of the gRPC contract; shared memory keeps them in this order too. */
export const TICKER_FIELDS = [
  "price_change",
  "price_change_percent",
  "weighted_average_price",
  "last_price",
  "last_quantity",
  "bid_price",
  "bid_quantity",
  "ask_price",
  "ask_quantity",
  "open_price",
  "high_price",
  "low_price",
  "volume",
  "quote_volume",
  "open_time_ms",
  "close_time_ms",
  "first_trade_id",
  "last_trade_id",
  "trade_count",
] as const;

/** One bar. `closed` false: still forming. Times are the bar's first and last millisecond. */
export interface Candle extends EventHead {
  kind: "candle";
  interval: string;
  open_time_ms: number;
  close_time_ms: number;
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
  quote_volume?: number;
  trade_count?: number;
  closed: boolean;
  /** Built from trades of which some may be missing: an interruption, or the start, lies inside. */
  incomplete?: true;
  /** It was told closed before; a trade that came late belongs to it. */
  revised?: true;
}

/** A frame of the connection that carries this symbol was unreadable: something of its streams may be lost. */
export interface StreamDamage extends EventHead {
  kind: "damage";
}

export type MarketEvent =
  | BookDelta
  | BookSnapshot
  | OrderEvents
  | Trade
  | Quote
  | Ticker
  | Candle
  | StreamDamage;

/** What a subscription may ask for; a feed maps each to its own stream names. */
export type Channel = "book" | "trades" | "quote" | "ticker" | "candles";
export const CHANNELS: readonly Channel[] = ["book", "trades", "quote", "ticker", "candles"];

/** The channel that brings an event. */
export const CHANNEL_OF: Record<Exclude<MarketEvent["kind"], "damage">, Channel> = {
  book_delta: "book",
  book_snapshot: "book",
  orders: "book",
  trade: "trades",
  quote: "quote",
  ticker: "ticker",
  candle: "candles",
};
