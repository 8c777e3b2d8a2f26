/**
 * Candles against a slow, obvious model that sees all trades at once: every interval, late and shuffled trades, exact
 * sums; and what the builder can't know is said: the start, interruptions, missing trades.
 */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { CandleBuilder, GRACE_MS } from "../../../lib/flow/candle_builder.ts";
import { type CandleCheck, Candles } from "../../../lib/flow/candles.ts";
import type { Candle, Trade } from "../../../lib/market/event.ts";
import { barStartMs, type Interval, intervalMs, INTERVALS, nextBarMs } from "../../../lib/market/interval.ts";

const START_MS = Date.UTC(2026, 10, 2, 14, 10);
const MINUTE_MS = 60_000;

function tradeOf(time_ms: number, price: number, quantity: number, id = time_ms): Trade {
  return {
    kind: "trade",
    venue: "v",
    symbol: "S",
    received_us: time_ms * 1_000,
    exchange_ms: time_ms,
    trade_id: id,
    price,
    quantity,
  };
}
const all = (builder: CandleBuilder, now_ms: number) => [...builder.take(now_ms, now_ms * 1_000)];

/** All trades at once, sums as integers of 10^-8. */
function modelOf(trades: readonly Trade[], interval: Interval): Map<number, Partial<Candle>> {
  const bars = new Map<number, Partial<Candle>>();
  for (const [start_ms, of] of Map.groupBy(trades, (one) => barStartMs(interval, one.exchange_ms!))) {
    const sorted = of.toSorted((one, other) => one.exchange_ms! - other.exchange_ms!);
    const prices = of.map((one) => one.price);
    const units = of.reduce((sum, one) => sum + BigInt(Math.round(one.quantity * 1e8)), 0n);
    bars.set(start_ms, {
      open: sorted[0].price,
      close: sorted.at(-1)!.price,
      high: Math.max(...prices),
      low: Math.min(...prices),
      volume: Number(`${units}e-8`),
      trade_count: of.length,
    });
  }
  return bars;
}

Deno.test("intervals: every bar begins where the one before ends, and holds its own start", () => {
  const random = new Random("intervals");
  for (const interval of INTERVALS) {
    for (let i = 0; i < 200; i++) {
      const time_ms = random.integer(0, Date.UTC(2040, 0, 1));
      const start_ms = barStartMs(interval, time_ms);
      const next_ms = nextBarMs(interval, start_ms);
      assert.ok(start_ms <= time_ms && time_ms < next_ms, `${interval} ${time_ms}`);
      assert.equal(barStartMs(interval, start_ms), start_ms);
      assert.equal(barStartMs(interval, next_ms), next_ms);
      assert.equal(barStartMs(interval, next_ms - 1), start_ms);
      if (interval !== "1M") assert.equal(next_ms - start_ms, intervalMs(interval));
    }
  }
  assert.equal(barStartMs("1w", Date.UTC(2026, 10, 22, 23)), Date.UTC(2026, 10, 16), "weeks begin on Monday");
  assert.equal(nextBarMs("1M", Date.UTC(2028, 1, 1)), Date.UTC(2028, 2, 1), "February of a leap year");
});

Deno.test("candles: equal to the model for every interval, whatever order trades of a second come in", () => {
  for (let seed = 0; seed < 20; seed++) {
    const random = new Random(`candles ${seed}`);
    const builder = new CandleBuilder("v", "S", INTERVALS, START_MS - 40 * 86_400_000);
    builder.onTrade(tradeOf(START_MS - 35 * 86_400_000, 1, 1));
    let time_ms = START_MS;
    const trades = Array.from({ length: 400 }, (_, i) => {
      time_ms += random.pick([1, 50, 900, 20_000]);
      // Times are all different, so that the first and the last of a bar are known.
      return tradeOf(time_ms, random.integer(1, 5_000) / 100, random.integer(1, 1e6) / 1e6, i);
    });
    const last = new Map<string, Candle>();
    const closed = new Set<string>();
    for (let i = 0; i < trades.length; i += 4) {
      for (const trade of trades.slice(i, i + 4).sort(() => random.unit() - 0.5)) builder.onTrade(trade);
      for (const candle of all(builder, 0)) {
        const key = `${candle.interval} ${candle.open_time_ms}`;
        assert.equal(candle.revised === true, closed.has(key), "revised: told closed before");
        if (candle.closed) closed.add(key);
        last.set(key, candle);
      }
    }
    for (const candle of all(builder, time_ms + 400 * 86_400_000)) {
      last.set(`${candle.interval} ${candle.open_time_ms}`, candle);
    }
    for (const interval of INTERVALS) {
      for (const [start_ms, want] of modelOf(trades, interval)) {
        const found = last.get(`${interval} ${start_ms}`)!;
        const { open, close, high, low, volume, trade_count } = found;
        // The month of the one early trade holds it too.
        if (interval === "1M" && start_ms <= START_MS - 35 * 86_400_000) continue;
        assert.deepEqual({ open, close, high, low, volume, trade_count }, want, `${interval} ${start_ms}`);
        assert.ok(found.closed && !found.incomplete);
        assert.equal(found.close_time_ms, nextBarMs(interval, start_ms) - 1);
      }
    }
  }
});

Deno.test("candles: sums lose nothing", () => {
  const builder = new CandleBuilder("v", "S", ["1m"], 0);
  for (let i = 0; i < 10; i++) builder.onTrade(tradeOf(START_MS + i, 0.1, 0.1));
  const [candle] = all(builder, START_MS);
  assert.equal(candle.volume, 1);
  assert.equal(candle.quote_volume, 0.1);
});

Deno.test("candles: a bar closes after the grace, is revised by a later trade, and then is past", () => {
  const builder = new CandleBuilder("v", "S", ["1m"], START_MS - MINUTE_MS);
  builder.onTrade(tradeOf(START_MS - MINUTE_MS, 4, 1));
  builder.onTrade(tradeOf(START_MS, 5, 1));
  all(builder, START_MS + GRACE_MS);
  const end_ms = START_MS + MINUTE_MS;
  assert.deepEqual(all(builder, end_ms + GRACE_MS - 1), []);
  const [closed] = all(builder, end_ms + GRACE_MS);
  assert.deepEqual([closed.closed, closed.revised, closed.incomplete], [true, undefined, undefined]);
  assert.deepEqual(all(builder, end_ms + GRACE_MS), []);
  builder.onTrade(tradeOf(START_MS + 30_000, 7, 1));
  const [revised] = all(builder, end_ms + GRACE_MS);
  assert.deepEqual([revised.closed, revised.revised, revised.high, revised.volume], [true, true, 7, 2]);
  for (let i = 1; i <= 5; i++) builder.onTrade(tradeOf(START_MS + i * MINUTE_MS, 5, 1));
  all(builder, START_MS + 10 * MINUTE_MS);
  builder.onTrade(tradeOf(START_MS + 40_000, 9, 1));
  assert.equal(builder.too_late, 1);
  assert.deepEqual(all(builder, START_MS + 10 * MINUTE_MS), []);
});

Deno.test("candles: a minute without trades has no bar", () => {
  const builder = new CandleBuilder("v", "S", ["1m"], 0);
  builder.onTrade(tradeOf(START_MS, 5, 1));
  builder.onTrade(tradeOf(START_MS + 3 * MINUTE_MS, 6, 1));
  const bars = all(builder, START_MS + 9 * MINUTE_MS).map((one) => (one.open_time_ms - START_MS) / MINUTE_MS);
  assert.deepEqual(bars, [0, 3]);
});

Deno.test("candles: start, interruption and missing trades leave their mark on every bar they touch", () => {
  const minutes = (candles: readonly Candle[]) =>
    candles.map((one) =>
      `${(one.open_time_ms - START_MS) / MINUTE_MS}${one.incomplete ? " incomplete" : ""}`
    );
  const candles = new Candles("v", "S", { intervals: ["1m"], publish: true }, START_MS + 20_000);
  const take = (now_ms: number) => {
    const told: Candle[] = [];
    candles.tick(now_ms, (candle) => told.push(candle), () => assert.fail("nothing to check"));
    return minutes(told);
  };
  const at = (minute: number, second = 10) => START_MS + minute * MINUTE_MS + second * 1_000;
  candles.onTrade(tradeOf(at(0, 30), 5, 1), false);
  candles.onTrade(tradeOf(at(1), 5, 1), false);
  candles.onTrade(tradeOf(at(2), 5, 1), false);
  assert.deepEqual(take(at(2)), ["0 incomplete", "1", "2"]);
  candles.interrupted(at(2, 20));
  assert.deepEqual(take(at(2, 30)), ["2 incomplete"]);
  candles.onTrade(tradeOf(at(4), 5, 1), false);
  candles.onTrade(tradeOf(at(5), 5, 1), false);
  assert.deepEqual(take(at(5)), ["2 incomplete", "4 incomplete", "5"]);
  candles.onTrade(tradeOf(at(6), 5, 1), true);
  candles.onTrade(tradeOf(at(7), 5, 1), false);
  assert.deepEqual(take(at(7)), ["5 incomplete", "6 incomplete", "7"]);
});

Deno.test("candles: the venue's own bars are compared when they are due, and only with complete ones", () => {
  const candles = new Candles("v", "S", { intervals: ["1m"], publish: false }, START_MS + 1);
  const checks: CandleCheck[] = [];
  const tick = (now_ms: number) =>
    candles.tick(now_ms, () => assert.fail("not to be published"), (check) => checks.push(check));
  for (let minute = 0; minute < 4; minute++) {
    candles.onTrade(tradeOf(START_MS + minute * MINUTE_MS + 5_000, 5 + minute, 1), false);
  }
  const venueBar = (minute: number, high: number, closed = true): Candle => ({
    kind: "candle",
    venue: "v",
    symbol: "S",
    received_us: 1,
    interval: "1m",
    open_time_ms: START_MS + minute * MINUTE_MS,
    close_time_ms: START_MS + (minute + 1) * MINUTE_MS - 1,
    open: 5 + minute,
    high,
    low: 5 + minute,
    close: 5 + minute,
    volume: 1,
    closed,
  });
  candles.onVenueCandle(venueBar(0, 5));
  candles.onVenueCandle(venueBar(1, 6, false));
  candles.onVenueCandle(venueBar(1, 6));
  candles.onVenueCandle(venueBar(2, 8));
  tick(START_MS + 3 * MINUTE_MS);
  assert.deepEqual(checks.map((one) => one.different), [[]], "the first is incomplete, the third not due");
  tick(START_MS + 3 * MINUTE_MS + GRACE_MS);
  assert.deepEqual(checks.map((one) => one.different), [[], ["high"]]);
});
