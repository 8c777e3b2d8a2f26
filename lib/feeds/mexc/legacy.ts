/**
 * MEXC's older socket, JSON `{c,s,d,t}`: shut down on 2025-08-04. The feed reads what was recorded of it, and services
 * that still speak it under a `ws_url` of their own.
 * Source: MEXC spot v3 documents before that day; the form with plain channel words is that of older gateways.
 */
import { intervalWords } from "./intervals.ts";
import { MexcLegacyMapper, VENUE } from "./legacy_messages.ts";
import { spotMarket, type StreamNames } from "./spot_market.ts";

const STREAMS: StreamNames = {
  book: (symbol) => [`increase.depth.v3.api@${symbol}`],
  trades: (symbol) => [`deals.v3.api@${symbol}`],
  quote: (symbol) => [`bookTicker.v3.api@${symbol}`],
  ticker: (symbol) => [`miniTicker.v3.api@${symbol}@24H`],
  candles: (symbol, { intervals }) =>
    intervalWords(intervals).map((word) => `kline.v3.api@${symbol}@${word}`),
};

export const mexcLegacy = spotMarket({
  name: VENUE,
  summary: "MEXC spot before August 2025, JSON, for recordings",
  ws_url: "wss://wbs.mexc.com",
  names: STREAMS,
  createMapper: (symbols) => new MexcLegacyMapper(symbols),
});
