/**
 * One of Tiingo's WebSocket endpoints as a feed: each is a connection of its own with one subscription of tickers at a
 * threshold level (lower tells more), which carries all that the level tells of them. Tickers are added and removed under the
 * id that the venue gave; docs show that from another connection, so should it be ignored on this one [U], the missing
 * acknowledgement renews the connection with the whole list. Source: Tiingo documents, "WebSocket"; protocol notes.
 */
import type { MarketName } from "../../market/calendar.ts";
import type { Channel } from "../../market/event.ts";
import type { Feed, FeedSession, StreamName } from "../feed.ts";
import { type ServiceLayout, TiingoMapper } from "./messages.ts";
import { tickerOf } from "./symbol_routes.ts";

export interface Endpoint {
  summary: string;
  layout: ServiceLayout;
  path: string;
  market: MarketName;
  /** Threshold levels that bring a channel, the usual one first. */
  levels: Readonly<Partial<Record<Channel, readonly number[]>>>;
  /** The venue's spelling of a ticker. */
  ticker(text: string): string;
}

/** Channels whose level the others don't bring are asked for on a connection of their own. */
const OWN_ROUTE: Channel = "ticker";

const levelOf = (stream: StreamName) => Number(stream.stream.slice(stream.stream.lastIndexOf(":") + 1));
const tickersOf = (streams: readonly StreamName[]) => [
  ...new Set(streams.map((one) => tickerOf(one.symbol))),
];

function request(eventName: string, { token, session_id }: FeedSession, tickers: string[], level: number) {
  const subscription = session_id === undefined ? { thresholdLevel: level } : { subscriptionId: session_id };
  return JSON.stringify({ eventName, authorization: token, eventData: { ...subscription, tickers } });
}
function subscribe(streams: readonly StreamName[], _id: number, session: FeedSession): string {
  const level = Math.min(...streams.map(levelOf));
  return request("subscribe", session, tickersOf(streams), level);
}

export function tiingoEndpoint({ summary, layout, path, market, levels, ticker }: Endpoint): Feed {
  const symbolOf = (text: string) => {
    const [name, ...exchange] = text.trim().toLowerCase().split("@");
    const has_exchanges = (layout.quote ?? layout.trade)?.exchange !== undefined;
    return has_exchanges && exchange.length > 0 ? `${ticker(name)}@${exchange.join("@")}` : ticker(name);
  };
  return {
    name: layout.venue,
    summary,
    endpoints: { ws_url: "wss://api.tiingo.com", rest_url: "https://api.tiingo.com" },
    routes: levels[OWN_ROUTE] ? { all: path, reference: path } : { all: path },
    channels: Object.keys(levels) as Channel[],
    limits: {
      // A multiple of the channels that share a ticker, so that no ticker is on two connections: its trades would be twice.
      max_streams_per_connection: 600,
      max_messages_per_second: 5,
      max_streams_per_message: 600,
      lifetime_ms: 24 * 3_600_000,
      // Heartbeats are documented for every 30 s; one client saw 2 min.
      max_silence_ms: 150_000,
      // Quiet tickers say nothing for long: trades of small shares.
      first_data_ms: 600_000,
      max_frame_bytes: 64 * 1024,
    },
    token_doc: "the API token on tiingo.com's account page",
    redistribution: { forbidden: "Tiingo's Basic and Power plans forbid redistribution" },
    symbol: symbolOf,
    market: () => market,
    streams(symbol, channel, { speed } = {}): StreamName[] {
      const offered = levels[channel] ?? [];
      const level = offered.find((one) => String(one) === speed) ?? offered[0];
      const route = channel === OWN_ROUTE ? "reference" : "all";
      return level === undefined ? [] : [{ route, stream: `${channel}:${symbol}:${level}`, symbol, channel }];
    },
    subscribe,
    unsubscribe(streams, id, session, kept = []) {
      const still = new Set(tickersOf(kept));
      const gone = tickersOf(streams).filter((one) => !still.has(one));
      // An empty list may mean all of them. Asking once more for what stays changes nothing and is answered.
      return gone.length > 0 ? request("unsubscribe", session, gone, 0) : subscribe(streams, id, session);
    },
    createMapper: (symbols, channels) => new TiingoMapper(layout, symbols, channels),
  };
}
