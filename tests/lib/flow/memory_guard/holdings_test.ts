/** Buckets against a plain list; who is named is the largest to a factor of two. */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { bucketOf, type Holding, Holdings } from "../../../../lib/flow/memory_guard/holdings.ts";

Deno.test("holdings: sums and candidates are those of a plain list", () => {
  for (let seed = 0; seed < 60; seed++) {
    const random = new Random(`holdings ${seed}`);
    const holdings = new Holdings();
    const all: Holding[] = [];
    for (let step = 0; step < 300; step++) {
      const tenant = `t${random.integer(0, 4)}`;
      if (random.chance(0.2) || all.length === 0) {
        const client = { id: `c${step}`, priority: random.integer(0, 3), tenant, evict() {} };
        all.push(holdings.add(client));
      } else if (random.chance(0.15)) {
        const [gone] = all.splice(random.integer(0, all.length - 1), 1);
        holdings.remove(gone);
        holdings.remove(gone);
        gone.set(1_000);
      } else random.pick(all).set(random.chance(0.3) ? 0 : Math.floor(random.exponential(100_000)));
    }
    const sum = all.reduce((total, one) => total + one.held_bytes, 0);
    assert.equal(holdings.client_bytes, sum);
    assert.equal(holdings.clients, all.length);
    const tenants = Map.groupBy(all, (one) => one.tenant);
    assert.deepEqual(
      [...holdings.tenantBytes()].sort(),
      [...tenants].map(([name, list]) => [name, list.reduce((total, one) => total + one.held_bytes, 0)])
        .sort(),
    );
    const limit = random.integer(1, 8);
    const named = holdings.candidates(limit);
    for (const [priority, of_class] of Map.groupBy(all, (one) => one.priority)) {
      const sizes = of_class.map((one) => one.held_bytes).filter((bytes) => bytes > 0).sort((a, b) => b - a);
      const found = named.filter((one) => one.priority === priority).map((one) => one.held_bytes)
        .sort((a, b) => b - a);
      assert.equal(found.length, Math.min(limit, sizes.length));
      for (const [i, bytes] of found.entries()) assert.equal(bucketOf(bytes), bucketOf(sizes[i]));
    }
  }
});

Deno.test("holdings: buckets are powers of two, classes are kept within bounds", () => {
  assert.deepEqual(
    [0, 1, 4_095, 4_096, 8_191, 8_192, 2 ** 30, 2 ** 60].map(bucketOf),
    [0, 1, 1, 2, 2, 3, 20, 29],
  );
  const holdings = new Holdings();
  for (const [given, kept] of [[-3, 0], [99, 15], [2.9, 2]]) {
    assert.equal(holdings.add({ id: "x", priority: given, tenant: "t", evict() {} }).priority, kept);
  }
});
