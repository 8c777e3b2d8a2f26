/** Counters, histograms and the bound on children. */
import assert from "node:assert/strict";
import { HistogramValue, MetricFamily, Metrics } from "../../../lib/base/metrics.ts";
import { Random } from "../../../lib/base/random.ts";

Deno.test("a family hands out one child per label values, and the same family per name", () => {
  const metrics = new Metrics();
  const family = metrics.counter("messages_total", "Messages", ["symbol", "type"]);
  family.with("BTCUSDT", "depth").value++;
  metrics.counter("messages_total", "Messages", ["symbol", "type"]).with("BTCUSDT", "depth").value++;
  assert.equal(family.with("BTCUSDT", "depth").value, 2);
  assert.notEqual(family.with("BTC", "USDTdepth"), family.with("BTCUSDT", "depth"));
  family.remove("BTCUSDT", "depth");
  assert.equal(family.with("BTCUSDT", "depth").value, 0);
});

Deno.test("past its bound a family folds new children into one", () => {
  const family = new MetricFamily("counter", "x", "x", ["symbol"], () => ({ value: 0 }), 3);
  const known = ["a", "b", "c"].map((name) => family.with(name));
  for (let i = 0; i < 100; i++) family.with(`new${i}`).value++;
  assert.equal(family.with("other").value, 100);
  assert.equal(family.children.size, 4);
  assert.equal(family.with("a"), known[0]);
});

Deno.test("a histogram counts into the bucket whose upper bound holds the value", () => {
  const bounds = Float64Array.of(1, 2, 5, 10);
  const histogram = new HistogramValue(bounds);
  const counts = [0, 0, 0, 0, 0];
  const random = new Random(3);
  let sum = 0;
  for (let i = 0; i < 2_000; i++) {
    const value = random.chance(0.3) ? random.pick([...bounds]) : random.unit() * 12;
    histogram.observe(value);
    const at = bounds.findIndex((bound) => value <= bound);
    counts[at < 0 ? 4 : at]++;
    sum += value;
  }
  assert.deepEqual([...histogram.counts], counts);
  assert.equal(histogram.count, 2_000);
  assert.equal(histogram.sum, sum);
});

Deno.test("a quantile is its bucket's bound: undefined when empty, Infinity past the last", () => {
  const histogram = new HistogramValue(Float64Array.of(1, 2, 5));
  assert.equal(histogram.quantile(0.5), undefined);
  for (let i = 0; i < 99; i++) histogram.observe(1.5);
  histogram.observe(100);
  assert.equal(histogram.quantile(0.5), 2);
  assert.equal(histogram.quantile(0.99), 2);
  assert.equal(histogram.quantile(1), Infinity);
});

Deno.test("collectors run before a scrape until they are stopped", () => {
  const metrics = new Metrics();
  let runs = 0;
  const stop = metrics.onCollect(() => runs++);
  metrics.collect();
  stop();
  stop();
  metrics.collect();
  assert.equal(runs, 1);
});
