/** The ring of recent trades against a plain array, over many pushes; absent fields stay absent. */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { RecentTrades } from "../../../lib/flow/recent_trades.ts";
import type { Trade } from "../../../lib/market/event.ts";

Deno.test("recent trades: the newest are kept in order and come back as they were", () => {
  const random = new Random("recent trades");
  const ring = new RecentTrades("v", "S", 100);
  const plain: Trade[] = [];
  for (let i = 0; i < 1_000; i++) {
    const trade: Trade = {
      kind: "trade",
      venue: "v",
      symbol: "S",
      ...(random.chance(0.9)
        ? { trade_id: 9_000_000_000 + i, venue_trade_id: undefined }
        : { trade_id: undefined, venue_trade_id: `t-${i}` }),
      price: random.integer(1, 1e6) / 100,
      quantity: random.integer(1, 1e6) / 1000,
      exact_quantity: random.chance(0.1) ? `1.${i}00000000000001` : undefined,
      exchange_ms: random.chance(0.5) ? 1_793_628_600_000 + i : undefined,
      sent_ms: random.chance(0.5) ? 1_793_628_600_001 + i : undefined,
      received_us: 1_793_628_600_000_000.25 + i,
      aggressor: random.pick(["buy", "sell", undefined] as const),
      first_fill_id: random.chance(0.5) ? i : undefined,
      last_fill_id: random.chance(0.5) ? i + 1 : undefined,
    };
    ring.push(trade);
    plain.push(trade);
    if (i % 37 === 0 || i > 990) {
      assert.deepEqual(ring.list(), plain.slice(-100));
      assert.deepEqual(ring.list(7), plain.slice(-7));
    }
  }
  assert.equal(ring.size, 100);
});
