/** The latency record: quantiles near the truth, exits apart, replayed frames by when they were played, seconds of a timeline. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../lib/base/clock.ts";
import { LogHistogram } from "../../../lib/base/log_histogram.ts";
import { HistogramValue, Metrics } from "../../../lib/base/metrics.ts";
import { Random } from "../../../lib/base/random.ts";
import { LatencyRecord } from "../../../lib/flow/latency_record.ts";
import type { Trade } from "../../../lib/market/event.ts";
import { PlayedTimes } from "../../../lib/sources/replay/played_times.ts";

Deno.test("the histogram's quantiles are within 3 percent over many orders of magnitude", () => {
  const random = new Random("histogram");
  const values = Array.from({ length: 20_000 }, () => 10 ** (random.unit() * 9 - 0.5));
  const histogram = new LogHistogram();
  for (const value of values) histogram.observe(value);
  values.sort((one, other) => one - other);
  for (const q of [0.01, 0.5, 0.9, 0.99, 0.999, 1]) {
    const want = values[Math.max(0, Math.ceil(q * values.length) - 1)];
    const found = histogram.quantile(q)!;
    assert.ok(found >= want * 0.999 && found <= want * 1.03, `q ${q}: ${found}, want ${want}`);
  }
  assert.equal(histogram.quantile(1), values.at(-1));
  histogram.clear();
  assert.equal(histogram.quantile(0.5), undefined);
  for (const value of [0, -1, Infinity]) histogram.observe(value);
  assert.equal(histogram.count, 3);
});

function trade(venue: string, received_us: number, exchange_ms?: number): Trade {
  return { kind: "trade", venue, symbol: "S", received_us, exchange_ms, price: 1, quantity: 1 };
}

Deno.test("from receipt and from the venue's time, per exit, as metrics and as a timeline", () => {
  const clock = new ManualClock(1_700_000_000_000);
  const metrics = new Metrics();
  const record = new LatencyRecord(clock, metrics);
  for (let i = 0; i < 30; i++) {
    const received_us = clock.now_us();
    const exchange_ms = clock.now_ms() - 5;
    clock.advance(0.05);
    record.handed("redis", trade("v", received_us, exchange_ms));
    clock.advance(0.05);
    record.handed("websocket", trade("v", received_us));
    clock.advance(99.9);
  }
  const [redis, websocket] = record.close();
  assert.deepEqual([redis.name, redis.received.count, websocket.received.count], ["redis", 30, 30]);
  assert.ok(Math.abs(redis.received.quantile(0.5)! - 50) < 2);
  assert.ok(Math.abs(redis.exchange.quantile(0.5)! - 5_050) < 150);
  assert.equal(websocket.exchange.count, 0, "a time that is not told is no latency");
  assert.equal(redis.periods.length, 3);
  assert.equal(redis.periods.reduce((sum, one) => sum + one.count, 0), 30);
  assert.ok(redis.periods[1].at_s > redis.periods[0].at_s);
  const family = metrics.families.get("exit_latency_seconds")!;
  const value = family.children.get("redis")!.value as HistogramValue;
  assert.equal(value.count, 30);
});

Deno.test("a replay's frames are received when they are played; what no frame brought is not counted", () => {
  const clock = new ManualClock(1_800_000_000_000);
  const record = new LatencyRecord(clock, new Metrics());
  const played = new PlayedTimes(clock);
  record.replayed("old", (received_us) => played.find(received_us));
  for (let i = 0; i < 3_000; i++) played.note(1e15 + i);
  clock.advance(2);
  for (let i = 0; i < 3_000; i++) record.handed("redis", trade("old", 1e15 + i, 1e12 - 10));
  record.handed("redis", trade("old", 77));
  const [{ received, exchange }] = record.close();
  assert.equal(received.count, 3_000);
  assert.ok(Math.abs(received.quantile(0.5)! - 2_000) < 60);
  // 10 ms before it was received, and 2 ms since it was played.
  assert.ok(Math.abs(exchange.quantile(0.01)! - 12_000) < 400);
  played.clear();
  assert.equal(played.find(1e15), undefined);
});
