/** Where Yahoo's symbols trade, by their spelling. */
import assert from "node:assert/strict";
import { marketOf } from "../../../../lib/feeds/yahoo/market_of.ts";

Deno.test("yahoo: the market of a symbol by its spelling", () => {
  const of = (symbols: string) => symbols.split(" ").map((symbol) => marketOf(symbol));
  assert.deepEqual([...new Set(of("AAPL F BRK-B BAC-PL GOOGL"))], ["us_equities"]);
  assert.deepEqual([...new Set(of("EURUSD=X JPY=X"))], ["forex"]);
  assert.deepEqual([...new Set(of("BTC-USD SHIB-USD 1INCH-USD"))], ["crypto"]);
  for (const trading of of("^GSPC ^DJI ^VIX AAPL261218C00250000")) {
    assert.deepEqual(trading, { market: "us_equities", session: "regular" });
  }
});

Deno.test("yahoo: what the calendar does not know has no market", () => {
  for (const symbol of ["ES=F", "GC=F", "VOD.L", "7203.T", "^FTSE", "^N225", "BTC-EUR", "DX-Y.NYB", ""]) {
    assert.equal(marketOf(symbol), undefined, symbol);
  }
});
