/** The id index against a Map, under churn with ids that collide and wrap past 2^32. */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { OrderIndex } from "../../../lib/simulation/order_index.ts";

Deno.test("the index answers like a Map through growth, collisions and deletions", () => {
  const random = new Random("order index");
  const index = new OrderIndex(8);
  const model = new Map<number, number>();
  for (let i = 0; i < 50_000; i++) {
    const id = random.integer(0, 300) * (random.chance(0.5) ? 64 : 1) + (random.chance(0.3) ? 2 ** 40 : 0);
    if (model.has(id)) {
      index.delete(id);
      model.delete(id);
    } else {
      index.set(id, i);
      model.set(id, i);
    }
    const asked = random.integer(0, 300);
    assert.equal(index.get(asked), model.get(asked) ?? -1);
    assert.equal(index.size, model.size);
  }
  for (const [id, slot] of model) assert.equal(index.get(id), slot);
});

Deno.test("removing an absent id is an error, not an endless search", () => {
  assert.throws(() => new OrderIndex(8).delete(5), /remove order 5 from the index: absent, want present/);
});
