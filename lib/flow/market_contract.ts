/**
 * Answers in the words of market_data.proto, for every door that speaks them: gRPC encodes these fields, HTTP prints them.
 * What a venue does not give is not there. Whole numbers that the contract wants unsigned are that, or absent.
 */
import { type Candle, type Ticker, TICKER_FIELDS, type Trade } from "../market/event.ts";
import { tradeTimeMs } from "./json_payload.ts";
import type { BookAnswer, Level } from "./market_queries.ts";

export interface BookFields {
  symbol: string;
  last_update_id?: number;
  bids: readonly Level[];
  asks: readonly Level[];
  timestamp?: number;
}
export interface TradeFields {
  id?: number;
  symbol: string;
  price: number;
  quantity: number;
  timestamp?: number;
  is_buyer_maker?: boolean;
}
export type TickerFields = { symbol: string } & Record<string, number | string>;
export type CandleFields = Record<string, number | string | boolean>;

export function bookFields({ symbol, last_update_id, bids, asks, timestamp_ms }: BookAnswer): BookFields {
  return { symbol, last_update_id: unsigned(last_update_id), bids, asks, timestamp: unsigned(timestamp_ms) };
}

export function tradeFields(trade: Trade): TradeFields {
  const { symbol, trade_id, price, quantity, aggressor } = trade;
  return {
    id: unsigned(trade_id),
    symbol,
    price,
    quantity,
    timestamp: unsigned(tradeTimeMs(trade)),
    is_buyer_maker: aggressor === undefined ? undefined : aggressor === "sell",
  };
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

/** The ticker's numbers under the contract's names, in its order. */
export const TICKER_NAMES: readonly string[] = TICKER_FIELDS.map((name) => RENAMED[name] ?? name);

export function tickerFields(ticker: Ticker): TickerFields {
  const fields: TickerFields = { symbol: ticker.symbol };
  TICKER_FIELDS.forEach((name, at) => {
    const field = TICKER_NAMES[at];
    const value = UNSIGNED.has(field) ? unsigned(ticker[name]) : ticker[name];
    if (value !== undefined) fields[field] = value;
  });
  return fields;
}

/** The contract has no candles; these are its words for what it has. */
export function candleFields(candle: Candle): CandleFields {
  const { open, high, low, close, volume, quote_volume, trade_count, closed } = candle;
  return {
    open_time: candle.open_time_ms,
    close_time: candle.close_time_ms,
    open,
    high,
    low,
    close,
    volume,
    ...(quote_volume === undefined ? {} : { quote_volume }),
    ...(trade_count === undefined ? {} : { count: trade_count }),
    closed,
    ...(candle.incomplete ? { incomplete: true } : {}),
    ...(candle.revised ? { revised: true } : {}),
  };
}

/** What a uint64 can hold: a venue's "none" may be −1. */
function unsigned(value: number | undefined): number | undefined {
  return value === undefined || !(value >= 0) ? undefined : Math.floor(value);
}
