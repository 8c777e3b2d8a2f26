/**
 * MEXC spot as it is since August 2025: protobuf frames, acknowledgements in JSON. Books are increments spliced with REST
 * snapshots, chained by `fromVersion == toVersion + 1`. The limited depth streams are read where they come (recordings)
 * and never asked for: the increments tell all depths.
 * Source: MEXC spot v3 documents, "Websocket Market Streams", and the message files of github.com/mexcdevelop/websocket-proto.
 */
import type { Channel } from "../../market/event.ts";
import type { SplicedFeed, StreamName, StreamOptions } from "../feed.ts";
import { KEEP_ALIVE, subscription } from "./control.ts";
import { intervalWords } from "./intervals.ts";
import { spotInstruments, spotSnapshot } from "./spot_rest.ts";
import { MexcSpotMapper, VENUE } from "./spot_messages.ts";
import { versionChain } from "./version_chain.ts";

const SPEEDS = ["10ms", "100ms"];
const DEFAULT_SPEED = "100ms";

const PREFIX = "spot@public.";
const STREAMS: Record<Channel, (symbol: string, speed: string, options: StreamOptions) => string[]> = {
  book: (symbol, speed) => [`aggre.depth.v3.api.pb@${speed}@${symbol}`],
  trades: (symbol, speed) => [`aggre.deals.v3.api.pb@${speed}@${symbol}`],
  quote: (symbol, speed) => [`aggre.bookTicker.v3.api.pb@${speed}@${symbol}`],
  // The rolling day, as all venues' tickers.
  ticker: (symbol) => [`miniTicker.v3.api.pb@${symbol}@24H`],
  candles: (symbol, _, { intervals }) =>
    intervalWords(intervals).map((word) => `kline.v3.api.pb@${symbol}@${word}`),
};

export const mexcSpot: SplicedFeed = {
  name: VENUE,
  summary: "MEXC spot, protobuf streams",
  endpoints: { ws_url: "wss://wbs-api.mexc.com", rest_url: "https://api.mexc.com" },
  routes: { all: "/ws" },
  channels: ["book", "trades", "quote", "ticker", "candles"],
  limits: {
    max_streams_per_connection: 30,
    max_messages_per_second: 20,
    max_streams_per_message: 30,
    lifetime_ms: 24 * 3_600_000,
    // We ping every 20 s, and pongs are messages.
    max_silence_ms: 50_000,
    first_data_ms: 20_000,
  },
  sequence: versionChain,
  snapshot: spotSnapshot(VENUE),
  instruments: spotInstruments(VENUE),
  symbol: (text) => text.trim().toUpperCase(),
  streams(symbol, channel, options = {}): StreamName[] {
    const speed = SPEEDS.find((one) => one === options.speed) ?? DEFAULT_SPEED;
    return STREAMS[channel](symbol, speed, options).map((name) => ({
      route: "all",
      stream: PREFIX + name,
      symbol,
      channel,
    }));
  },
  subscribe: (streams, id) => subscription("SUBSCRIPTION", streams, id),
  unsubscribe: (streams, id) => subscription("UNSUBSCRIPTION", streams, id),
  keep_alive: KEEP_ALIVE,
  createMapper: (symbols) => new MexcSpotMapper(symbols),
};
