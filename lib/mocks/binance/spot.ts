/**
 * Mock of Binance spot: one route, diffs chained by `U`, a ping every 20 s, `serverShutdown` before it goes, REST below
 * /api/v3.
 */
import { assetsOf, type BinanceDialect, filtersOf } from "./dialect.ts";
import { binanceMock } from "./program.ts";

export const spotDialect: BinanceDialect = {
  name: "binance-spot",
  summary: "Binance spot: one route, U/u chain, REST /api/v3",
  chains_by_previous_id: false,
  routes: [""],
  routeOf: () => "",
  depth_suffixes: ["depth", "depth@100ms", "depth@1000ms"],
  max_client_messages_per_s: 5,
  max_streams: 1024,
  ping_interval_ms: 20_000,
  pong_timeout_ms: 60_000,
  announces_shutdown: true,
  rest: {
    base: "/api/v3",
    depth_limits: [
      { max_levels: 100, weight: 5 },
      { max_levels: 500, weight: 25 },
      { max_levels: 1000, weight: 50 },
      { max_levels: 5000, weight: 250 },
    ],
    default_depth: 100,
    exact_limits: false,
    exchange_info_weight: 20,
    weight_per_minute: 6000,
    symbolInfo(symbol, grid) {
      const [baseAsset, quoteAsset] = assetsOf(symbol);
      return {
        symbol,
        status: "TRADING",
        baseAsset,
        baseAssetPrecision: 8,
        quoteAsset,
        quoteAssetPrecision: 8,
        isSpotTradingAllowed: true,
        filters: filtersOf(grid),
      };
    },
  },
  /** `{"e":"trade","E":…,"s":"BTCUSDT","t":…,"p":"…","q":"…","T":…,"m":false,"M":true}` */
  aggregateTrade(data) {
    const { E, T, s, t, p, q, m, M } = JSON.parse(data);
    return JSON.stringify({ e: "aggTrade", E, s, a: t, p, q, f: t, l: t, T, m, M });
  },
};

export const binanceSpot = binanceMock(spotDialect);
