/**
 * MEXC's older socket, JSON `{c,s,d,t}`: shut down on 2025-08-04. The feed reads what was recorded of it, and services
 * that still speak it under a `ws_url` of their own.
 * Source: MEXC spot v3 documents before that day; the form with plain channel words is that of older gateways.
 */
import type { Channel } from "../../market/event.ts";
import type { SplicedFeed, StreamName, StreamOptions } from "../feed.ts";
import { KEEP_ALIVE, subscription } from "./control.ts";
import { intervalWords } from "./intervals.ts";
import { MexcLegacyMapper, VENUE } from "./legacy_messages.ts";
import { spotInstruments, spotSnapshot } from "./spot_rest.ts";
import { versionChain } from "./version_chain.ts";

const STREAMS: Record<Channel, (symbol: string, options: StreamOptions) => string[]> = {
  book: (symbol) => [`increase.depth.v3.api@${symbol}`],
  trades: (symbol) => [`deals.v3.api@${symbol}`],
  quote: (symbol) => [`bookTicker.v3.api@${symbol}`],
  ticker: (symbol) => [`miniTicker.v3.api@${symbol}@24H`],
  candles: (symbol, { intervals }) =>
    intervalWords(intervals).map((word) => `kline.v3.api@${symbol}@${word}`),
};

export const mexcLegacy: SplicedFeed = {
  name: VENUE,
  summary: "MEXC spot before August 2025, JSON, for recordings",
  endpoints: { ws_url: "wss://wbs.mexc.com", rest_url: "https://api.mexc.com" },
  routes: { all: "/ws" },
  channels: ["book", "trades", "quote", "ticker", "candles"],
  limits: {
    max_streams_per_connection: 30,
    max_messages_per_second: 20,
    max_streams_per_message: 30,
    lifetime_ms: 24 * 3_600_000,
    max_silence_ms: 50_000,
    first_data_ms: 20_000,
  },
  sequence: versionChain,
  snapshot: spotSnapshot(VENUE),
  instruments: spotInstruments(VENUE),
  symbol: (text) => text.trim().toUpperCase(),
  streams(symbol, channel, options = {}): StreamName[] {
    return STREAMS[channel](symbol, options).map((name) => ({
      route: "all",
      stream: `spot@public.${name}`,
      symbol,
      channel,
    }));
  },
  subscribe: (streams, id) => subscription("SUBSCRIPTION", streams, id),
  unsubscribe: (streams, id) => subscription("UNSUBSCRIPTION", streams, id),
  keep_alive: KEEP_ALIVE,
  createMapper: (symbols) => new MexcLegacyMapper(symbols),
};
