/** MEXC's spot v3 REST interface as far as a market data client needs it: depth and exchange information. */
import type { StagedMarket } from "../stage/define_mock.ts";
import type { RestRules } from "../stage/dialect.ts";

const MAX_DEPTH = 5000;
const DEFAULT_DEPTH = 100;
const WEIGHT_PER_MINUTE = 3000;
const BAD_SYMBOL = { status: 400, body: '{"code":-1121,"msg":"Invalid symbol."}' };

export function spotRest(market: StagedMarket): RestRules {
  const exchangeInfo = () => ({
    timezone: "CST",
    serverTime: market.clock.now_ms(),
    symbols: [...market.symbols].map(([symbol, grid]) => ({
      symbol,
      status: "1",
      baseAsset: symbol.replace(/USDT$/, ""),
      baseAssetPrecision: grid.quantity_decimals,
      quoteAsset: "USDT",
      quotePrecision: grid.price_decimals,
      baseSizePrecision: "0",
      quoteAmountPrecision: "1",
      filters: [],
    })),
  });
  return {
    weight_per_minute: WEIGHT_PER_MINUTE,
    request({ pathname, searchParams }) {
      if (pathname === "/api/v3/exchangeInfo") {
        return { weight: 10, answer: () => JSON.stringify(exchangeInfo()) };
      }
      if (pathname !== "/api/v3/depth") return { status: 404, body: '{"code":404,"msg":"no such path"}' };
      const symbol = searchParams.get("symbol") ?? "";
      const book = market.book(symbol);
      if (book === undefined) return BAD_SYMBOL;
      const limit = Math.min(Number(searchParams.get("limit") ?? DEFAULT_DEPTH), MAX_DEPTH);
      return {
        snapshot_of: symbol,
        answer: () =>
          JSON.stringify({
            lastUpdateId: book.last_id,
            ...book.top(limit),
            timestamp: market.clock.now_ms(),
          }),
      };
    },
    refusal: (status) => JSON.stringify({ code: status, msg: "Too many requests" }),
  };
}
