/**
 * Mock of Binance USDⓈ-M futures: routes /public and /market (a stream asked for on the wrong one, or on none, is
 * acknowledged and stays silent, as at the venue since 2026-04), diffs chained by `pu`, REST below /fapi/v1.
 */
import { assetsOf, type BinanceDialect, filtersOf } from "./dialect.ts";
import { binanceMock } from "./program.ts";

const PUBLIC = /^(bookTicker|depth(@\w+)?|depth(5|10|20)(@\w+)?|rpiDepth@500ms)$/;
const CONTRACT_WITHOUT_DELIVERY_MS = 4_133_404_800_000;

export const futuresDialect: BinanceDialect = {
  name: "binance-futures",
  summary: "Binance USDⓈ-M futures: two routes, pu chain, REST /fapi/v1",
  chains_by_previous_id: true,
  routes: ["public", "market"],
  routeOf: (suffix) => PUBLIC.test(suffix) ? "public" : "market",
  depth_suffixes: ["depth", "depth@100ms", "depth@250ms", "depth@500ms", "depth@0ms"],
  max_client_messages_per_s: 10,
  max_streams: 1024,
  ping_interval_ms: 3 * 60_000,
  pong_timeout_ms: 10 * 60_000,
  announces_shutdown: false,
  rest: {
    base: "/fapi/v1",
    depth_limits: [
      ...[5, 10, 20, 50].map((max_levels) => ({ max_levels, weight: 2 })),
      { max_levels: 100, weight: 5 },
      { max_levels: 500, weight: 10 },
      { max_levels: 1000, weight: 20 },
    ],
    default_depth: 500,
    exact_limits: true,
    exchange_info_weight: 1,
    weight_per_minute: 2400,
    symbolInfo(symbol, grid) {
      const [baseAsset, quoteAsset] = assetsOf(symbol);
      return {
        symbol,
        pair: symbol,
        contractType: "PERPETUAL",
        deliveryDate: CONTRACT_WITHOUT_DELIVERY_MS,
        onboardDate: 1_569_398_400_000,
        status: "TRADING",
        baseAsset,
        quoteAsset,
        marginAsset: quoteAsset,
        pricePrecision: grid.price_decimals + 1,
        quantityPrecision: grid.quantity_decimals,
        filters: filtersOf(grid),
      };
    },
  },
  /** `{"e":"trade","E":…,"T":…,"s":"BTCUSDT","t":…,"p":"…","q":"…","X":"MARKET","m":false}`; ADL and insurance fund trades are not aggregated. */
  aggregateTrade(data) {
    const { E, T, s, t, p, q, X, m } = JSON.parse(data);
    if (X !== undefined && X !== "MARKET") return undefined;
    return JSON.stringify({ e: "aggTrade", E, s, st: 1, a: t, p, q, nq: q, f: t, l: t, T, m });
  },
};

export const binanceFutures = binanceMock(futuresDialect);
