/**
 * What Bybit's two markets share: one protocol on two endpoints. Snapshots come in-band and may come again; `u` == 1 is
 * a service restart and replaces the book. There is no checksum.
 * Source: Bybit v5 documents, "Orderbook" and "Connect" of the WebSocket stream.
 */
import type { Channel } from "../../market/event.ts";
import type { SequenceRule } from "../../market/sequence_rule.ts";
import type { Feed, StreamName, StreamOptions } from "../feed.ts";
import { offeredDepth } from "../offered_depth.ts";
import { bybitInstruments } from "./instruments.ts";
import { WORD_OF_INTERVAL } from "./intervals.ts";
import { BybitMapper, QUOTE_DEPTH } from "./messages.ts";

/** The first is the default: 50 comes every 20 ms. */
const DEPTHS = [50, 200, 1000];

// The mapper says what comes before an update: u − 1, or the u before where the ids turn out not to count by one.
const afterDelta: SequenceRule["afterDelta"] = (delta, last_id) => {
  if (delta.last_id <= last_id) return "stale";
  return delta.previous_id! <= last_id ? "next" : "gap";
};

const sequence: SequenceRule = { in_band_snapshots: true, afterSnapshot: afterDelta, afterDelta };

const TOPICS: Record<Channel, (options: StreamOptions) => string[]> = {
  book: ({ depth }) => [`orderbook.${offeredDepth(DEPTHS, depth)}`],
  trades: () => ["publicTrade"],
  quote: () => [`orderbook.${QUOTE_DEPTH}`],
  ticker: () => ["tickers"],
  candles: ({ intervals = ["1m"] }) =>
    intervals.map((one) => WORD_OF_INTERVAL[one]).filter((word) => word !== undefined)
      .map((word) => `kline.${word}`),
};

function request(op: string, streams: readonly StreamName[], id: number): string {
  return JSON.stringify({ op, args: streams.map((one) => one.stream), req_id: String(id) });
}

export function bybitMarket(name: string, summary: string, category: string): Feed {
  return {
    name,
    summary,
    endpoints: {
      ws_url: "wss://stream.bybit.com",
      rest_url: "https://api.bybit.com",
      rest_of_host: { "stream-testnet.bybit.com": "https://api-testnet.bybit.com" },
    },
    routes: { all: `/v5/public/${category}` },
    channels: ["book", "trades", "quote", "ticker", "candles"],
    limits: {
      max_streams_per_connection: 200,
      max_messages_per_second: 5,
      // Spot takes ten in one request; linear more, yet one wrong name refuses all of a request.
      max_streams_per_message: 10,
      lifetime_ms: 24 * 3_600_000,
      // We ping every 20 s.
      max_silence_ms: 45_000,
      first_data_ms: 20_000,
    },
    sequence,
    instruments: bybitInstruments(name, category),
    symbol: (text) => text.trim().toUpperCase(),
    streams(symbol, channel, options = {}): StreamName[] {
      return TOPICS[channel](options).map((topic) => ({
        route: "all",
        stream: `${topic}.${symbol}`,
        symbol,
        channel,
      }));
    },
    subscribe: (streams, id) => request("subscribe", streams, id),
    unsubscribe: (streams, id) => request("unsubscribe", streams, id),
    keep_alive: { every_ms: 20_000, frame: () => JSON.stringify({ op: "ping" }) },
    createMapper: (symbols) => new BybitMapper(name, symbols),
  };
}
