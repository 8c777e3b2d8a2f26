/**
 * OKX, WebSocket v5: spot, swaps, futures by one feed, told apart by the symbol. Candles are served on the business
 * endpoint, all else on the public one. Books are the 400-level channel at 100 ms (the faster ones want a VIP login).
 * Source: OKX API v5 documents, "Order book channel" and "Sequence ID"; dated facts in the protocol notes.
 */
import type { Channel } from "../../market/event.ts";
import type { SequenceRule } from "../../market/sequence_rule.ts";
import type { Feed, StreamName, StreamOptions } from "../feed.ts";
import { okxChecksum } from "./checksum.ts";
import { instruments } from "./instruments.ts";
import { CHANNEL_OF_INTERVAL } from "./intervals.ts";
import { OkxMapper, VENUE } from "./messages.ts";

/**
 * prevSeqId == last seqId continues the chain, also where seqId is lower (the venue's maintenance reset, announced by the
 * chain itself) or the same (its keep-alive of a quiet book). Connections need not cut the stream at the same ids: levels
 * are absolute, so a delta that begins within the book and ends past it continues it too.
 */
const afterDelta: SequenceRule["afterDelta"] = ({ previous_id = -1, last_id: id }, last_id) => {
  if (previous_id === last_id) return "next";
  if (id === last_id) return "stale";
  if (id < previous_id) return previous_id > last_id ? "gap" : "stale";
  if (id < last_id) return "stale";
  return previous_id < last_id ? "next" : "gap";
};

const sequence: SequenceRule = {
  in_band_snapshots: true,
  checksum: okxChecksum,
  afterSnapshot: afterDelta,
  afterDelta,
};

const CHANNELS: Record<Channel, (options: StreamOptions) => (string | undefined)[]> = {
  book: () => ["books"],
  trades: () => ["trades"],
  quote: () => ["bbo-tbt"],
  ticker: () => ["tickers"],
  candles: ({ intervals = ["1m"] }) => intervals.map((one) => CHANNEL_OF_INTERVAL[one]),
};

/** A stream is `<channel>:<instId>`, as the venue's acknowledgement names it. */
function request(op: string, streams: readonly StreamName[]): string {
  const args = streams.map(({ stream, symbol }) => ({
    channel: stream.slice(0, stream.indexOf(":")),
    instId: symbol,
  }));
  return JSON.stringify({ op, args });
}

export const okx: Feed = {
  name: VENUE,
  summary: "OKX spot, swaps and futures",
  endpoints: {
    ws_url: "wss://ws.okx.com:8443",
    rest_url: "https://www.okx.com",
    rest_of_host: { "wspap.okx.com": "https://www.okx.com" },
  },
  routes: { public: "/ws/v5/public", business: "/ws/v5/business" },
  channels: ["book", "trades", "quote", "ticker", "candles"],
  limits: {
    max_streams_per_connection: 200,
    // 480 requests an hour per connection, so few and large ones.
    max_messages_per_second: 2,
    max_streams_per_message: 100,
    lifetime_ms: 24 * 3_600_000,
    // We ping every 20 s; the venue drops who says nothing for 30.
    max_silence_ms: 45_000,
    first_data_ms: 20_000,
  },
  sequence,
  instruments,
  symbol: (text) => text.trim().toUpperCase(),
  streams(symbol, channel, options = {}): StreamName[] {
    const route = channel === "candles" ? "business" : "public";
    return CHANNELS[channel](options).filter((word) => word !== undefined)
      .map((word) => ({ route, stream: `${word}:${symbol}`, symbol, channel }));
  },
  subscribe: (streams) => request("subscribe", streams),
  unsubscribe: (streams) => request("unsubscribe", streams),
  keep_alive: { every_ms: 20_000, frame: () => "ping" },
  createMapper: (symbols) => new OkxMapper(symbols),
};
