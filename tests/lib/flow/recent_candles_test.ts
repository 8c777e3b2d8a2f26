import assert from "node:assert/strict";
import { KEPT_CANDLES, RecentCandles } from "../../../lib/flow/recent_candles.ts";
import type { Candle } from "../../../lib/market/event.ts";

function candle(at: number, more: Partial<Candle> = {}): Candle {
  return {
    kind: "candle",
    venue: "mock",
    symbol: "AAA",
    interval: "1m",
    open_time_ms: at * 60_000,
    close_time_ms: (at + 1) * 60_000 - 1,
    open: 1,
    high: 2,
    low: 0.5,
    close: 1.5,
    volume: 3,
    quote_volume: undefined,
    trade_count: undefined,
    exchange_ms: undefined,
    sent_ms: undefined,
    received_us: 7,
    closed: true,
    ...more,
  };
}

Deno.test("recent candles: come back as they came, a bar told again replaces itself, late ones in their place", () => {
  const recent = new RecentCandles("mock", "AAA");
  recent.note(candle(1));
  recent.note(candle(3, { closed: false, trade_count: 4, quote_volume: 9.5 }));
  recent.note(candle(3, { close: 1.75, trade_count: 5, incomplete: true, revised: true }));
  recent.note(candle(2, { exchange_ms: 5, sent_ms: 6 }));
  recent.note(candle(9, { interval: "1h" }));
  assert.deepEqual(recent.list("1m"), [
    candle(1),
    candle(2, { exchange_ms: 5, sent_ms: 6 }),
    candle(3, { close: 1.75, trade_count: 5, incomplete: true, revised: true }),
  ]);
  assert.equal(recent.list("1h").length, 1);
  assert.deepEqual(recent.list("5m"), []);
});

Deno.test("recent candles: the oldest go past the bound, older ones are passed over, unknown intervals are bounded", () => {
  const recent = new RecentCandles("mock", "AAA");
  for (let at = 100; at < 100 + 2 * KEPT_CANDLES; at++) recent.note(candle(at));
  recent.note(candle(5));
  recent.note(candle(100 + 2 * KEPT_CANDLES));
  const times = recent.list("1m").map(({ open_time_ms }) => open_time_ms / 60_000);
  assert.equal(times.length, KEPT_CANDLES);
  assert.deepEqual(times, Array.from({ length: KEPT_CANDLES }, (_, i) => 101 + KEPT_CANDLES + i));
  for (let i = 0; i < 100; i++) recent.note(candle(1, { interval: `odd${i}` }));
  assert.deepEqual(recent.list("odd99"), []);
});
