/**
 * Yahoo Finance's streamer: tickers of shares, indices, currencies, futures and coins. Unofficial: no acknowledgements,
 * no errors for unknown symbols, no books, no trades; forgetful, so the whole list is sent again every 15 s, as its own
 * clients do. Source: yfinance, yflive and Yahoo's page, as of 2026; terms forbid redistribution [U].
 */
import type { Feed, StreamName } from "../feed.ts";
import { marketOf } from "./market_of.ts";
import { VENUE, YahooMapper } from "./messages.ts";

const symbolsOf = (streams: readonly StreamName[]) => streams.map((one) => one.symbol);
const subscribeFrame = (streams: readonly StreamName[]) => JSON.stringify({ subscribe: symbolsOf(streams) });

export const yahoo: Feed = {
  name: VENUE,
  summary: "Yahoo Finance streamer",
  endpoints: { ws_url: "wss://streamer.finance.yahoo.com", rest_url: "https://query1.finance.yahoo.com" },
  routes: { all: "/?version=2" },
  channels: ["ticker"],
  limits: {
    // Nobody has published a limit; clients with some hundred symbols are served.
    max_streams_per_connection: 200,
    max_messages_per_second: 5,
    max_streams_per_message: 200,
    lifetime_ms: 24 * 3_600_000,
    // Idle sockets are closed after 20 to 25 minutes; ours are never idle, since the list goes out every 15 s.
    max_silence_ms: 60_000,
    first_data_ms: 60_000,
    max_frame_bytes: 64 * 1024,
  },
  redistribution: { forbidden: "Yahoo's terms forbid redistribution" },
  silent_subscriptions: true,
  symbol: (text) => text.trim().toUpperCase(),
  market: marketOf,
  streams(symbol, channel): StreamName[] {
    return [{ route: "all", stream: symbol, symbol, channel }];
  },
  subscribe: subscribeFrame,
  unsubscribe: (streams) => JSON.stringify({ unsubscribe: symbolsOf(streams) }),
  keep_alive: { every_ms: 15_000, frame: (_session, streams) => subscribeFrame(streams) },
  createMapper: (symbols) => new YahooMapper(symbols),
};
