/**
 * Deribit: futures, perpetuals, options and spot over one JSON-RPC WebSocket. Books at 100 ms (raw ones want a login),
 * chained by change ids. The venue drops who does not answer its test requests. Amounts of inverse futures are in USD.
 * Source: Deribit API v2 documents, "book.(instrument_name).(interval)" and "public/set_heartbeat".
 */
import type { Channel } from "../../market/event.ts";
import type { SequenceRule } from "../../market/sequence_rule.ts";
import type { Feed, StreamName, StreamOptions } from "../feed.ts";
import { instruments } from "./instruments.ts";
import { RESOLUTION_OF_INTERVAL } from "./intervals.ts";
import { DeribitMapper, NO_REQUEST, VENUE } from "./messages.ts";

const HEARTBEAT_S = 15;
const SPEEDS = ["100ms", "agg2"];

// prev_change_id == last change_id. Connections need not cut the stream at the same ids: levels are absolute, so a change
// that begins within the book and ends past it continues it too.
const afterDelta: SequenceRule["afterDelta"] = (delta, last_id) => {
  if (delta.last_id <= last_id) return "stale";
  return delta.previous_id! <= last_id ? "next" : "gap";
};

const sequence: SequenceRule = { in_band_snapshots: true, afterSnapshot: afterDelta, afterDelta };

const CHANNELS: Record<Channel, (symbol: string, speed: string, options: StreamOptions) => string[]> = {
  book: (symbol, speed) => [`book.${symbol}.${speed}`],
  trades: (symbol, speed) => [`trades.${symbol}.${speed}`],
  quote: (symbol) => [`quote.${symbol}`],
  ticker: (symbol, speed) => [`ticker.${symbol}.${speed}`],
  candles: (symbol, _speed, { intervals = ["1m"] }) =>
    intervals.map((one) => RESOLUTION_OF_INTERVAL[one]).filter((word) => word !== undefined)
      .map((word) => `chart.trades.${symbol}.${word}`),
};

function request(method: string, params: unknown, id: number): string {
  return JSON.stringify({ jsonrpc: "2.0", id, method, params });
}
const channelsOf = (streams: readonly StreamName[]) => ({ channels: streams.map((one) => one.stream) });

export const deribit: Feed = {
  name: VENUE,
  summary: "Deribit futures, perpetuals, options and spot",
  endpoints: {
    ws_url: "wss://www.deribit.com",
    rest_url: "https://www.deribit.com",
    rest_of_host: { "test.deribit.com": "https://test.deribit.com" },
  },
  routes: { all: "/ws/api/v2" },
  channels: ["book", "trades", "quote", "ticker", "candles"],
  limits: {
    max_streams_per_connection: 200,
    // Subscribing is granted about 3.3 times a second, ten at once; a connection needs a few requests only.
    max_messages_per_second: 5,
    max_streams_per_message: 100,
    lifetime_ms: 24 * 3_600_000,
    max_silence_ms: 3 * HEARTBEAT_S * 1000,
    first_data_ms: 30_000,
  },
  sequence,
  instruments,
  symbol: (text) => text.trim().toUpperCase(),
  streams(symbol, channel, options = {}): StreamName[] {
    const speed = SPEEDS.find((one) => one === options.speed) ?? SPEEDS[0];
    return CHANNELS[channel](symbol, speed, options).map((stream) => ({
      route: "all",
      stream,
      symbol,
      channel,
    }));
  },
  subscribe: (streams, id) => request("public/subscribe", channelsOf(streams), id),
  unsubscribe: (streams, id) => request("public/unsubscribe", channelsOf(streams), id),
  greeting: () => [request("public/set_heartbeat", { interval: HEARTBEAT_S }, NO_REQUEST)],
  createMapper: (symbols) => new DeribitMapper(symbols),
};
