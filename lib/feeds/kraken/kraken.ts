/**
 * Kraken spot, WebSocket v2. Snapshots come in-band; updates are chained by nothing but a checksum over the ten best
 * levels a side, so the default depth is ten: what is deeper the venue does not prove. Precisions come first, by the
 * channel `instrument`, since the checksum needs them.
 * Source: Kraken API documents, WebSocket v2 (book, trade, ticker, ohlc, instrument) and REST AssetPairs.
 */
import type { Channel } from "../../market/event.ts";
import type { SequenceRule } from "../../market/sequence_rule.ts";
import type { Feed, StreamName, StreamOptions } from "../feed.ts";
import { offeredDepth } from "../offered_depth.ts";
import { krakenChecksum } from "./checksum.ts";
import { instruments } from "./instruments.ts";
import { MINUTES_OF_INTERVAL } from "./intervals.ts";
import { DEPTHS, KrakenMapper, VENUE } from "./messages.ts";

// Ids are times: a later one is new, and only the checksum tells whether something before it is missing.
const afterDelta: SequenceRule["afterDelta"] = (delta, last_id) => delta.last_id > last_id ? "next" : "stale";

const sequence: SequenceRule = {
  in_band_snapshots: true,
  losses_shown_by: "checksum",
  checksum: krakenChecksum,
  afterSnapshot: afterDelta,
  afterDelta,
};

/** A stream is `<channel>[.<choice>]:<symbol>`; what stands before the colon is asked for in one message. */
const CHANNELS: Record<Channel, (options: StreamOptions) => string[]> = {
  book: ({ depth }) => [`book.${offeredDepth(DEPTHS, depth)}`],
  trades: () => ["trade"],
  quote: () => ["ticker.bbo"],
  ticker: () => ["ticker.trades"],
  candles: ({ intervals = ["1m"] }) =>
    intervals.map((one) => MINUTES_OF_INTERVAL[one]).filter((minutes) => minutes !== undefined)
      .map((minutes) => `ohlc.${minutes}`),
};

const keyOf = (stream: StreamName) => stream.stream.slice(0, stream.stream.indexOf(":"));

/** What goes with a channel: the depth, the trigger or the interval. */
function choice(channel: string, word: string): Record<string, unknown> {
  if (channel === "book") return { depth: Number(word) };
  if (channel === "ticker") return { event_trigger: word };
  return channel === "ohlc" ? { interval: Number(word) } : {};
}

function request(method: "subscribe" | "unsubscribe", streams: readonly StreamName[], id: number): string {
  const [channel, word] = keyOf(streams[0]).split(".");
  const symbol = streams.map((one) => one.symbol);
  // Trades begin with the latest fifty: after a reconnect they fill the hole, their ids keep repetitions out.
  const snapshot = method === "subscribe" ? { snapshot: true } : {};
  return JSON.stringify({
    method,
    params: { channel, symbol, ...choice(channel, word), ...snapshot },
    req_id: id,
  });
}

export const kraken: Feed = {
  name: VENUE,
  summary: "Kraken spot",
  endpoints: { ws_url: "wss://ws.kraken.com", rest_url: "https://api.kraken.com" },
  routes: { all: "/v2" },
  channels: ["book", "trades", "quote", "ticker", "candles"],
  limits: {
    max_streams_per_connection: 200,
    max_messages_per_second: 5,
    max_streams_per_message: 50,
    // The venue states none; a day keeps one stale socket from living for ever.
    lifetime_ms: 24 * 3_600_000,
    // Heartbeats come about every second when nothing else does.
    max_silence_ms: 15_000,
    first_data_ms: 20_000,
  },
  sequence,
  instruments,
  symbol: (text) => text.trim().toUpperCase(),
  streams(symbol, channel, options = {}): StreamName[] {
    return CHANNELS[channel](options).map((key) => ({
      route: "all",
      stream: `${key}:${symbol}`,
      symbol,
      channel,
    }));
  },
  messageKey: keyOf,
  subscribe: (streams, id) => request("subscribe", streams, id),
  unsubscribe: (streams, id) => request("unsubscribe", streams, id),
  greeting:
    () => [JSON.stringify({ method: "subscribe", params: { channel: "instrument", snapshot: true } })],
  keep_alive: { every_ms: 30_000, frame: () => JSON.stringify({ method: "ping" }) },
  createMapper: (symbols) => new KrakenMapper(symbols),
};
