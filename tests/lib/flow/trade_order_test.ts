/** Each trade once: repeats by overlapping connections, late ones, holes, ids that restart. */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { TradeOrder } from "../../../lib/flow/trade_order.ts";

Deno.test("consecutive ids pass once, a hole is counted, single fills may jump", () => {
  const order = new TradeOrder();
  for (const id of [5, 6, 7]) assert.equal(order.admit(id, true), "new");
  for (const id of [5, 6, 7]) assert.equal(order.admit(id, true), "repeated");
  order.admit(10, true);
  assert.equal(order.missed, 2);
  order.admit(20, false);
  assert.equal(order.missed, 2);
});

Deno.test("a trade that one connection delivers late still counts, once", () => {
  const order = new TradeOrder();
  for (const id of [1, 2, 5]) order.admit(id, true);
  assert.deepEqual([order.admit(3, true), order.admit(3, true), order.late], ["new", "repeated", 1]);
});

Deno.test("ids that restart far below are believed", () => {
  const order = new TradeOrder();
  for (let id = 1_000_000; id < 1_002_000; id++) order.admit(id, true);
  assert.equal(order.admit(7, true), "new");
  assert.equal(order.admit(8, true), "new");
  assert.equal(order.admit(8, true), "repeated");
  assert.equal(order.missed, 0);
});

Deno.test("two connections, each lagging and losing at random: every delivered trade passes exactly once", () => {
  for (let seed = 0; seed < 30; seed++) {
    const random = new Random(seed);
    const order = new TradeOrder();
    const passed: number[] = [];
    const lines = [0, 1].map(() =>
      Array.from({ length: 2_000 }, (_, i) => i + 100).filter(() => random.chance(0.9))
    );
    const delivered = new Set([...lines[0], ...lines[1]]);
    const at = [0, 0];
    while (at[0] < lines[0].length || at[1] < lines[1].length) {
      let line = random.integer(0, 1);
      // The lag between the two stays inside the window.
      if (Math.abs(at[0] - at[1]) > 300) line = at[0] < at[1] ? 0 : 1;
      if (at[line] >= lines[line].length) line = 1 - line;
      const id = lines[line][at[line]++];
      if (order.admit(id, true) === "new") passed.push(id);
    }
    assert.deepEqual(passed.sort((x, y) => x - y), [...delivered].sort((x, y) => x - y), `seed ${seed}`);
  }
});
