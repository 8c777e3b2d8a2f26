/**
 * Coinbase Advanced Trade. Books are whole and come in-band; a lost message shows in the connection's own count and ends
 * the connection. Each channel is asked for by itself; heartbeats keep the quiet ones from being closed.
 * Source: Coinbase Advanced Trade documents, "WebSocket channels" and "Products"; dated facts in the protocol notes.
 */
import type { Channel } from "../../market/event.ts";
import type { SequenceRule } from "../../market/sequence_rule.ts";
import type { Feed, StreamName } from "../feed.ts";
import { instruments } from "./instruments.ts";
import { CANDLE_INTERVAL, CoinbaseMapper, MAX_FRAME_BYTES, VENUE } from "./messages.ts";

// Ids are times, made to rise on each connection; the connection's count tells losses.
const afterDelta: SequenceRule["afterDelta"] = (delta, last_id) => delta.last_id > last_id ? "next" : "stale";

const sequence: SequenceRule = {
  in_band_snapshots: true,
  losses_shown_by: "connection",
  afterSnapshot: afterDelta,
  afterDelta,
};

/** `ticker` comes with every match and has the best bid and offer; `ticker_batch` every 5 s. */
const CHANNELS: Record<Channel, string> = {
  book: "level2",
  trades: "market_trades",
  quote: "ticker",
  ticker: "ticker_batch",
  candles: "candles",
};

/** Products against USDC share the books of those against USD and are reported under that name, but for these two. */
const OWN_USDC_BOOKS = ["USDT-USDC", "EURC-USDC"];

const channelOf = (stream: StreamName) => stream.stream.slice(0, stream.stream.indexOf(":"));

function request(type: "subscribe" | "unsubscribe", streams: readonly StreamName[]): string {
  return JSON.stringify({
    type,
    product_ids: streams.map((one) => one.symbol),
    channel: channelOf(streams[0]),
  });
}

export const coinbase: Feed = {
  name: VENUE,
  summary: "Coinbase Advanced Trade",
  endpoints: { ws_url: "wss://advanced-trade-ws.coinbase.com", rest_url: "https://api.coinbase.com" },
  routes: { all: "/" },
  channels: ["book", "trades", "quote", "ticker", "candles"],
  limits: {
    max_streams_per_connection: 100,
    // Eight a second without a login.
    max_messages_per_second: 5,
    max_streams_per_message: 50,
    lifetime_ms: 24 * 3_600_000,
    // Heartbeats come every second.
    max_silence_ms: 15_000,
    first_data_ms: 20_000,
    max_frame_bytes: MAX_FRAME_BYTES,
  },
  sequence,
  instruments,
  symbol(text) {
    const symbol = text.trim().toUpperCase();
    return OWN_USDC_BOOKS.includes(symbol) ? symbol : symbol.replace(/-USDC$/, "-USD");
  },
  streams(symbol, channel, { intervals = [CANDLE_INTERVAL] } = {}): StreamName[] {
    if (channel === "candles" && !intervals.includes(CANDLE_INTERVAL)) return [];
    return [{ route: "all", stream: `${CHANNELS[channel]}:${symbol}`, symbol, channel }];
  },
  messageKey: channelOf,
  subscribe: (streams) => request("subscribe", streams),
  unsubscribe: (streams) => request("unsubscribe", streams),
  greeting: () => [JSON.stringify({ type: "subscribe", channel: "heartbeats" })],
  createMapper: (symbols) => new CoinbaseMapper(symbols),
};
