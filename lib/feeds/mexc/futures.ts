/**
 * MEXC futures: JSON over one socket, one stream asked for per message, acknowledged without its name. Quantities are
 * contracts. Books are increments spliced with REST snapshots; each counts on by one version, or by a range when merged.
 * Source: MEXC contract v1 documents, "Public Channels" and "How the incremental depth is to be maintained".
 */
import type { Channel } from "../../market/event.ts";
import type { SplicedFeed, StreamName, StreamOptions } from "../feed.ts";
import { futuresInstruments } from "./futures_instruments.ts";
import { MexcFuturesMapper, VENUE } from "./futures_messages.ts";
import { intervalWords } from "./intervals.ts";
import { bookParser } from "./rest_book.ts";
import { versionChain } from "./version_chain.ts";

/** "depth@BTC_USDT", "kline@BTC_USDT@Min1": the venue has no one word for a stream; this is ours. */
const STREAMS: Record<Channel, (symbol: string, options: StreamOptions) => string[]> = {
  book: (symbol) => [`depth@${symbol}`],
  trades: (symbol) => [`deal@${symbol}`],
  quote: () => [],
  ticker: (symbol) => [`ticker@${symbol}`],
  candles: (symbol, { intervals }) => intervalWords(intervals).map((word) => `kline@${symbol}@${word}`),
};

function request(action: "sub" | "unsub", { stream, symbol }: StreamName): string {
  const [word, , interval] = stream.split("@");
  const message = { method: `${action}.${word}`, param: { symbol, interval } };
  return JSON.stringify(action === "sub" ? { ...message, gzip: false } : message);
}

export const mexcFutures: SplicedFeed = {
  name: VENUE,
  summary: "MEXC futures, quantities in contracts",
  endpoints: { ws_url: "wss://contract.mexc.com", rest_url: "https://contract.mexc.com" },
  routes: { all: "/edge" },
  channels: ["book", "trades", "ticker", "candles"],
  limits: {
    // Nothing is published; spot's limit is known to be safe.
    max_streams_per_connection: 30,
    max_messages_per_second: 10,
    max_streams_per_message: 1,
    lifetime_ms: 24 * 3_600_000,
    // We ping every 15 s, and pongs are messages.
    max_silence_ms: 50_000,
    first_data_ms: 20_000,
  },
  sequence: versionChain,
  snapshot: {
    sizes: [{ depth_limit: 1000, weight: 1 }],
    // 20 requests in 2 s.
    weight_per_minute: 600,
    path: (symbol, depth_limit) =>
      `/api/v1/contract/depth/${encodeURIComponent(symbol)}?limit=${depth_limit}`,
    parse: bookParser(VENUE, { inside: "data", version: "version" }),
  },
  instruments: futuresInstruments(VENUE),
  symbol: (text) => text.trim().toUpperCase(),
  streams(symbol, channel, options = {}): StreamName[] {
    return STREAMS[channel](symbol, options).map((stream) => ({ route: "all", stream, symbol, channel }));
  },
  subscribe: ([stream]) => request("sub", stream),
  unsubscribe: ([stream]) => request("unsub", stream),
  keep_alive: { every_ms: 15_000, frame: () => JSON.stringify({ method: "ping" }) },
  createMapper: (symbols) => new MexcFuturesMapper(symbols),
};
