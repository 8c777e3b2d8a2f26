/**
 * What MEXC's spot socket of today and the older one share: one route, thirty streams a connection, answers in JSON, books
 * spliced with the same REST snapshots. Source: MEXC spot v3 documents, "Websocket Market Streams".
 */
import type { Channel } from "../../market/event.ts";
import type { Mapper, SplicedFeed, StreamName, StreamOptions } from "../feed.ts";
import { KEEP_ALIVE, subscription } from "./control.ts";
import { spotInstruments, spotSnapshot } from "./spot_rest.ts";
import { versionChain } from "./version_chain.ts";

/** The streams of a channel, without "spot@public.". */
export type StreamNames = Readonly<Record<Channel, (symbol: string, options: StreamOptions) => string[]>>;

interface SpotMarket {
  name: string;
  summary: string;
  ws_url: string;
  names: StreamNames;
  createMapper(symbols?: Iterable<string>): Mapper;
}

export function spotMarket({ name, summary, ws_url, names, createMapper }: SpotMarket): SplicedFeed {
  return {
    name,
    summary,
    endpoints: { ws_url, rest_url: "https://api.mexc.com" },
    routes: { all: "/ws" },
    channels: ["book", "trades", "quote", "ticker", "candles"],
    limits: {
      max_streams_per_connection: 30,
      // 100 are allowed.
      max_messages_per_second: 20,
      max_streams_per_message: 30,
      lifetime_ms: 24 * 3_600_000,
      // We ping every 20 s, and pongs are messages.
      max_silence_ms: 50_000,
      first_data_ms: 20_000,
    },
    sequence: versionChain,
    snapshot: spotSnapshot(name),
    instruments: spotInstruments(name),
    symbol: (text) => text.trim().toUpperCase(),
    streams(symbol, channel, options = {}): StreamName[] {
      return names[channel](symbol, options).map((one) => ({
        route: "all",
        stream: `spot@public.${one}`,
        symbol,
        channel,
      }));
    },
    subscribe: (streams, id) => subscription("SUBSCRIPTION", streams, id),
    unsubscribe: (streams, id) => subscription("UNSUBSCRIPTION", streams, id),
    keep_alive: KEEP_ALIVE,
    createMapper,
  };
}
