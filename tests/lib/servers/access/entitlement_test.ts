import assert from "node:assert/strict";
import { Entitlements } from "../../../../lib/servers/access/entitlement.ts";

const any = { venues: ["*"], symbols: ["*"], channels: ["*"] };

Deno.test("entitlements: one that covers the request is enough, none means no", () => {
  const rights = new Entitlements([
    { venues: ["binance-*"], symbols: ["BTC*", "ETHUSDT"], channels: ["book", "trades"], max_depth: 20 },
    { venues: ["kraken"], symbols: ["*/USD"], channels: ["bbo"] },
    { venues: ["GLBX.MDP3"], symbols: ["ES*"], channels: ["orders"], max_depth: 10 },
  ]);
  const may = (venue: string, symbol: string, channel: string, depth?: number) =>
    rights.refuses(venue, symbol, channel, depth) === undefined;
  assert.ok(may("binance-spot", "BTCUSDT", "book", 20));
  assert.ok(may("binance-spot", "BTCUSDT", "book", 5));
  assert.ok(!may("binance-spot", "BTCUSDT", "book", 50));
  assert.ok(!may("binance-spot", "BTCUSDT", "book"), "the whole book is deeper than any depth");
  assert.ok(may("binance-spot", "BTCUSDT", "trades"), "depth is a matter of books");
  assert.ok(may("binance-spot", "BTCUSDT", "status"), "status comes with book");
  assert.ok(!may("binance-spot", "BTCUSDT", "bbo"));
  assert.ok(!may("binance-spot", "BTCUSDT", "orders", 5), "orders are not in the book's right");
  assert.ok(may("GLBX.MDP3", "ESZ6", "orders", 10) && !may("GLBX.MDP3", "ESZ6", "orders"));
  assert.ok(may("GLBX.MDP3", "ESZ6", "status") && !may("GLBX.MDP3", "ESZ6", "book", 1));
  assert.ok(may("binance-spot", "ETHUSDT", "book", 1));
  assert.ok(!may("binance-spot", "ETHUSDTX", "book", 1), "a name without * is the whole name");
  assert.ok(!may("xbinance-spot", "BTCUSDT", "book", 1));
  assert.ok(!may("binance-spot", "btcusdt", "book", 1), "case matters");
  assert.ok(may("kraken", "BTC/USD", "bbo"));
  assert.ok(!may("kraken", "BTC/USDT", "bbo"));
  assert.ok(!may("kraken", "BTC/USD", "status"));
  assert.ok(!may("binance-spot", "*", "book", 1), "all symbols at once is not BTC*");
  assert.match(rights.refuses("binance-spot", "BTCUSDT", "book", 50)!, /depth 50, want at most 20/);
  assert.match(rights.refuses("okx", "BTCUSDT", "book", 5)!, /not among the tenant's rights/);
});

Deno.test("entitlements: nothing allows nothing, * allows everything", () => {
  assert.notEqual(new Entitlements([]).refuses("a", "b", "book", 1), undefined);
  assert.equal(new Entitlements([any]).refuses("a", "b", "book", undefined), undefined);
});

Deno.test("entitlements: patterns with several stars match as a regular expression would", () => {
  const names = ["", "A", "AB", "ABA", "ABAB", "BTC-USD-PERP", "BTC-PERP", "BTCUSD", "-USD-", "AABB", "*"];
  for (const pattern of ["A*B", "*AB*", "A*A*B", "*-*-*", "BTC*USD*PERP", "**", "A**", "*B", "ABA*ABA"]) {
    const words = pattern.split("*").map((piece) => piece.replace(/[-/\\^$+?.()|[\]{}]/g, "\\$&"));
    const oracle = new RegExp(`^${words.join("[^]*")}$`);
    const rights = new Entitlements([{ ...any, symbols: [pattern] }]);
    for (const name of names) {
      assert.equal(
        rights.refuses("v", name, "bbo", undefined) === undefined,
        oracle.test(name),
        `${pattern} ${name}`,
      );
    }
  }
});

Deno.test("entitlements: a hostile name costs no more than its length", () => {
  const rights = new Entitlements([{ ...any, symbols: ["*a*a*a*a*a*a*a*a*b"] }]);
  // exponential in a backtracking matcher: this would never end
  assert.notEqual(rights.refuses("v", "a".repeat(100_000), "bbo", undefined), undefined);
});
