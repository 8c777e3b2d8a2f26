/**
 * MEXC spot as it is since August 2025: protobuf frames, acknowledgements in JSON. Books are increments spliced with REST
 * snapshots, chained by `fromVersion == toVersion + 1`. The limited depth streams are read where they come (recordings)
 * and never asked for: the increments tell all depths.
 * Source: MEXC spot v3 documents, "Websocket Market Streams", and the message files of github.com/mexcdevelop/websocket-proto.
 */
import { intervalWords } from "./intervals.ts";
import { spotMarket, type StreamNames } from "./spot_market.ts";
import { MexcSpotMapper, VENUE } from "./spot_messages.ts";

const SPEEDS = ["10ms", "100ms"];
const speedOf = (speed: string | undefined) => SPEEDS.find((one) => one === speed) ?? "100ms";

const STREAMS: StreamNames = {
  book: (symbol, { speed }) => [`aggre.depth.v3.api.pb@${speedOf(speed)}@${symbol}`],
  trades: (symbol, { speed }) => [`aggre.deals.v3.api.pb@${speedOf(speed)}@${symbol}`],
  quote: (symbol, { speed }) => [`aggre.bookTicker.v3.api.pb@${speedOf(speed)}@${symbol}`],
  // The rolling day, as all venues' tickers.
  ticker: (symbol) => [`miniTicker.v3.api.pb@${symbol}@24H`],
  candles: (symbol, { intervals }) =>
    intervalWords(intervals).map((word) => `kline.v3.api.pb@${symbol}@${word}`),
};

export const mexcSpot = spotMarket({
  name: VENUE,
  summary: "MEXC spot, protobuf streams",
  ws_url: "wss://wbs-api.mexc.com",
  names: STREAMS,
  createMapper: (symbols) => new MexcSpotMapper(symbols),
});
