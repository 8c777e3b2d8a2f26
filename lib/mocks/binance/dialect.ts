/**
 * What differs between the mock's two Binance markets, as data: paths, routes, stream names, limits, pings, REST weights.
 * Source: Binance API documents, spot "WebSocket Streams" and USDⓈ-M "Websocket Market Streams", as of late 2026.
 */
import { gridStep } from "../stage/grid_step.ts";
import type { SymbolGrid } from "../stage/tape.ts";

export interface DepthLimit {
  /** Up to this many levels a side … */
  max_levels: number;
  /** … cost this much. */
  weight: number;
}

export interface BinanceDialect {
  /** Registry name. */
  readonly name: string;
  readonly summary: string;
  /** Diffs carry `pu` and their ids jump. */
  readonly chains_by_previous_id: boolean;
  /** Route names as they stand in the path ("public"); empty: one route without a name. */
  readonly routes: readonly string[];
  /** The route that carries a stream; a subscription elsewhere is acknowledged and stays silent. */
  routeOf(suffix: string): string;
  /** Names under which diffs are sold; the mock serves the captured diffs under each. */
  readonly depth_suffixes: readonly string[];
  readonly max_client_messages_per_s: number;
  readonly max_streams: number;
  readonly ping_interval_ms: number;
  readonly pong_timeout_ms: number;
  readonly announces_shutdown: boolean;
  readonly rest: {
    /** "/fapi/v1" */
    readonly base: string;
    readonly depth_limits: readonly DepthLimit[];
    readonly default_depth: number;
    /** Only the listed limits are taken (error -4021); else anything up to the largest. */
    readonly exact_limits: boolean;
    readonly exchange_info_weight: number;
    readonly weight_per_minute: number;
    symbolInfo(symbol: string, grid: SymbolGrid): Record<string, unknown>;
  };
  /** A captured single trade as the aggregate trade it would have been; undefined when the venue aggregates none such. */
  aggregateTrade(data: string): string | undefined;
}

export function filtersOf(grid: SymbolGrid): Record<string, string>[] {
  const lot = gridStep(grid.quantity_decimals);
  return [
    { filterType: "PRICE_FILTER", tickSize: gridStep(grid.price_decimals) },
    { filterType: "LOT_SIZE", stepSize: lot, minQty: lot },
  ];
}

/** "BTCUSDT" → ["BTC", "USDT"]; a symbol of an unknown quote currency is cut before its last three letters. */
export function assetsOf(symbol: string): [base: string, quote: string] {
  const quote = ["FDUSD", "USDT", "USDC", "USD", "BTC", "ETH", "EUR"].find((one) => symbol.endsWith(one)) ??
    symbol.slice(-3);
  return [symbol.slice(0, -quote.length), quote];
}
