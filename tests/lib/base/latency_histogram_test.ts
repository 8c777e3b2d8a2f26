/** Percentiles of the histogram against those of the sorted values themselves. */
import assert from "node:assert/strict";
import { LatencyHistogram } from "../../../lib/base/latency_histogram.ts";
import { Random } from "../../../lib/base/random.ts";

const SHARES = [0, 0.01, 0.5, 0.9, 0.99, 0.999, 1];

Deno.test("quantiles are never below the true ones and at most 0.1 % above, over all magnitudes", () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = new Random(`histogram:${seed}`);
    const histogram = new LatencyHistogram();
    const values: number[] = [];
    for (let i = 0; i < 2_000; i++) {
      const us = Math.floor(10 ** (random.unit() * 11));
      values.push(us);
      histogram.record(us);
    }
    values.sort((one, other) => one - other);
    const found = histogram.quantiles_us(SHARES);
    SHARES.forEach((share, i) => {
      const true_us = values[Math.max(0, Math.ceil(share * values.length) - 1)];
      assert.ok(
        found[i]! >= true_us && found[i]! <= true_us * 1.001,
        `seed ${seed}, ${share}: ${found[i]} for ${true_us}`,
      );
    });
    assert.equal(histogram.max_us, values.at(-1));
    assert.equal(histogram.count, 2_000);
  }
});

Deno.test("empty, added, cleared, and values out of bounds", () => {
  const histogram = new LatencyHistogram();
  assert.deepEqual(histogram.quantiles_us([0.5]), [undefined]);
  assert.equal(histogram.max_us, undefined);
  const other = new LatencyHistogram();
  for (const us of [-5, 0.4, 7, 1e15]) other.record(us);
  histogram.add(other);
  histogram.add(other);
  assert.equal(histogram.count, 8);
  assert.deepEqual(histogram.quantiles_us([0.5, 0.6, 1]), [0, 7, 2 ** 40]);
  histogram.clear();
  assert.equal(histogram.count, 0);
});
