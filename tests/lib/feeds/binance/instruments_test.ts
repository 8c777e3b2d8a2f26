/** Exchange information of both Binance markets: the grid, the status, absent fields absent, refusals in words. */
import assert from "node:assert/strict";
import { binanceFutures } from "../../../../lib/feeds/binance/futures.ts";
import { binanceSpot } from "../../../../lib/feeds/binance/spot.ts";

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value));

Deno.test("binance instruments: tick, step, minima, status; only those asked for", () => {
  const body = bytes({
    symbols: [
      {
        symbol: "BTCUSDT",
        status: "TRADING",
        baseAsset: "BTC",
        quoteAsset: "USDT",
        filters: [
          { filterType: "PRICE_FILTER", tickSize: "0.01000000", minPrice: "0.01" },
          { filterType: "LOT_SIZE", stepSize: "0.00001000", minQty: "0.00001000" },
          { filterType: "NOTIONAL", minNotional: "5.00000000" },
        ],
      },
      { symbol: "ETHUSDT", status: "BREAK", filters: [{ filterType: "MIN_NOTIONAL", notional: "20" }] },
      { symbol: "XRPUSDT", status: "A NEW WORD" },
      { symbol: "ADAUSDT", status: "TRADING" },
      null,
    ],
  });
  const found = binanceSpot.instruments!.parse(body, ["BTCUSDT", "ETHUSDT", "XRPUSDT"]);
  assert.ok(typeof found !== "string");
  const known = found.map((info) => Object.fromEntries(Object.entries(info).filter(([, value]) => value)));
  const venue = "binance-spot";
  assert.deepEqual(known, [
    {
      venue,
      symbol: "BTCUSDT",
      status: "trading",
      base: "BTC",
      quote: "USDT",
      price_tick: "0.01000000",
      quantity_step: "0.00001000",
      min_quantity: "0.00001000",
      min_notional: "5.00000000",
    },
    { venue, symbol: "ETHUSDT", status: "halted", min_notional: "20" },
    { venue, symbol: "XRPUSDT" },
  ]);
  assert.equal(
    binanceSpot.instruments!.path(["A", "B"]),
    "/api/v3/exchangeInfo?symbols=%5B%22A%22%2C%22B%22%5D",
  );
});

Deno.test("binance instruments: what is none says why", () => {
  const parse = (body: Uint8Array) => binanceFutures.instruments!.parse(body, ["BTCUSDT"]);
  assert.equal(parse(new TextEncoder().encode("<html>")), "exchange information: not JSON");
  assert.equal(parse(bytes([])), "exchange information: no symbols");
  assert.equal(parse(bytes(null)), "exchange information: no symbols");
  assert.equal(
    parse(bytes({ code: -1121, msg: "Invalid symbol." })),
    "exchange information refused: -1121 Invalid symbol.",
  );
});
