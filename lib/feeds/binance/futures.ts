/**
 * Binance USDⓈ-M futures. Since 2026-04-23 streams are served on two routes and a wrongly routed subscription is
 * acknowledged yet silent, so each stream knows its route. Books chain by `pu`; ids jump, `U` proves nothing here.
 * Source: Binance USDⓈ-M documents, "How to manage a local order book correctly"; facts dated in the protocol notes.
 */
import type { Channel } from "../../market/event.ts";
import type { SequenceRule } from "../../market/sequence_rule.ts";
import type { SplicedFeed, StreamName } from "../feed.ts";
import { parseSnapshot, subscribeFrame, unsubscribeFrame } from "./control.ts";
import { parseInstruments } from "./instruments.ts";
import { BinanceMapper } from "./messages.ts";

const VENUE = "binance-futures";

const sequence: SequenceRule = {
  // Rule 2: drop u < L. Rule 3: the first event has U ≤ L ≤ u, or pu == L (seen live 2026-08): pu ≤ L ≤ u covers both.
  afterSnapshot(delta, snapshot_id) {
    if (delta.last_id < snapshot_id) return "stale";
    const joins = delta.first_id <= snapshot_id || delta.previous_id! <= snapshot_id;
    return joins ? "next" : "gap";
  },
  // Rule 5: pu == previous u. A repeated or older event (reconnect overlap) is stale, not a gap.
  afterDelta(delta, last_id) {
    if (delta.previous_id === last_id) return "next";
    return delta.last_id <= last_id ? "stale" : "gap";
  },
};

const STREAMS: Record<Channel, { route: string; name: (speed: string) => string }> = {
  book: { route: "public", name: (speed) => `depth@${speed}` },
  quote: { route: "public", name: () => "bookTicker" },
  trades: { route: "market", name: () => "aggTrade" },
  ticker: { route: "market", name: () => "ticker" },
  candles: { route: "market", name: () => "kline_1m" },
};

export const binanceFutures: SplicedFeed = {
  name: VENUE,
  summary: "Binance USDⓈ-M futures",
  endpoints: {
    ws_url: "wss://fstream.binance.com",
    rest_url: "https://fapi.binance.com",
    rest_of_host: {
      "demo-fstream.binance.com": "https://demo-fapi.binance.com",
      "stream.binancefuture.com": "https://testnet.binancefuture.com",
    },
  },
  routes: { public: "/public/stream", market: "/market/stream" },
  channels: ["book", "trades", "quote", "ticker", "candles"],
  limits: {
    // The venue allows 1024; smaller connections lose less when one dies.
    max_streams_per_connection: 200,
    // 10 a second, less what pongs may need.
    max_messages_per_second: 5,
    max_streams_per_message: 100,
    lifetime_ms: 24 * 3_600_000,
    max_silence_ms: 30_000,
    first_data_ms: 10_000,
  },
  sequence,
  snapshot: {
    sizes: [{ depth_limit: 1000, weight: 20 }, { depth_limit: 500, weight: 10 }, {
      depth_limit: 100,
      weight: 5,
    }],
    weight_per_minute: 2400,
    path: (symbol, depth_limit) => `/fapi/v1/depth?symbol=${encodeURIComponent(symbol)}&limit=${depth_limit}`,
    parse: (...body) => parseSnapshot(VENUE, ...body),
  },
  instruments: {
    // The venue takes no list of symbols here; it answers with all of them.
    path: () => "/fapi/v1/exchangeInfo",
    parse: (body, symbols) => parseInstruments(VENUE, body, symbols),
  },
  symbol: (text) => text.trim().toUpperCase(),
  streams(symbol, channel, { speed = "100ms" } = {}): StreamName[] {
    const { route, name } = STREAMS[channel];
    return [{ route, stream: `${symbol.toLowerCase()}@${name(speed)}`, symbol, channel }];
  },
  subscribe: subscribeFrame,
  unsubscribe: unsubscribeFrame,
  createMapper: (symbols) => new BinanceMapper({ venue: VENUE, needs_previous_id: true }, symbols),
};
