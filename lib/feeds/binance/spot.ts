/**
 * Binance spot. One route for everything; the server pings every 20 s; books chain by `U == previous u + 1`.
 * Source: Binance spot documents, "How to manage a local order book correctly" as corrected on 2025-11-12.
 */
import type { Channel } from "../../market/event.ts";
import type { SequenceRule } from "../../market/sequence_rule.ts";
import type { SplicedFeed, StreamName } from "../feed.ts";
import { parseSnapshot, subscribeFrame, unsubscribeFrame } from "./control.ts";
import { parseInstruments } from "./instruments.ts";
import { BinanceMapper } from "./messages.ts";

const VENUE = "binance-spot";

const sequence: SequenceRule = {
  // Rule 3: drop u ≤ L. Rule 4: the first remaining event has U ≤ L + 1 ≤ u.
  afterSnapshot(delta, snapshot_id) {
    if (delta.last_id <= snapshot_id) return "stale";
    return delta.first_id <= snapshot_id + 1 ? "next" : "gap";
  },
  // Rule 5: U > local + 1 is a gap; wholly old events are ignored.
  afterDelta(delta, last_id) {
    if (delta.last_id <= last_id) return "stale";
    return delta.first_id <= last_id + 1 ? "next" : "gap";
  },
};

const STREAMS: Record<Channel, (speed: string) => string> = {
  book: (speed) => speed === "1000ms" ? "depth" : `depth@${speed}`,
  quote: () => "bookTicker",
  trades: () => "aggTrade",
  ticker: () => "ticker",
  candles: () => "kline_1m",
};

export const binanceSpot: SplicedFeed = {
  name: VENUE,
  summary: "Binance spot",
  endpoints: {
    ws_url: "wss://stream.binance.com:9443",
    rest_url: "https://api.binance.com",
    rest_of_host: { "data-stream.binance.vision": "https://data-api.binance.vision" },
  },
  routes: { all: "/stream" },
  channels: ["book", "trades", "quote", "ticker", "candles"],
  limits: {
    max_streams_per_connection: 200,
    // 5 a second counting pings, pongs and JSON.
    max_messages_per_second: 3,
    max_streams_per_message: 100,
    lifetime_ms: 24 * 3_600_000,
    // The server pings every 20 s; three missed are a dead line.
    max_silence_ms: 60_000,
    first_data_ms: 10_000,
  },
  sequence,
  snapshot: {
    // 1000 levels cost a fifth of 5000; known-depth bounds and re-snapshots make up for the rest.
    sizes: [{ depth_limit: 1000, weight: 50 }, { depth_limit: 500, weight: 25 }, {
      depth_limit: 100,
      weight: 5,
    }],
    weight_per_minute: 6000,
    path: (symbol, depth_limit) => `/api/v3/depth?symbol=${encodeURIComponent(symbol)}&limit=${depth_limit}`,
    parse: (...body) => parseSnapshot(VENUE, ...body),
  },
  instruments: {
    path: (symbols) => `/api/v3/exchangeInfo?symbols=${encodeURIComponent(JSON.stringify(symbols))}`,
    parse: (body, symbols) => parseInstruments(VENUE, body, symbols),
  },
  symbol: (text) => text.trim().toUpperCase(),
  streams(symbol, channel, { speed = "100ms" } = {}): StreamName[] {
    return [{ route: "all", stream: `${symbol.toLowerCase()}@${STREAMS[channel](speed)}`, symbol, channel }];
  },
  subscribe: subscribeFrame,
  unsubscribe: unsubscribeFrame,
  createMapper: (symbols) => new BinanceMapper({ venue: VENUE, needs_previous_id: false }, symbols),
};
