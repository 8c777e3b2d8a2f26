/** The publication grid under timers that come late, and under more work than the host can do. */
import assert from "node:assert/strict";
import type { Clock } from "../../../../lib/base/clock.ts";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { type Log, silentLog } from "../../../../lib/base/log.ts";
import { MarketClock, phasesOf } from "../../../../lib/servers/depth/market_clock.ts";
import { SymbolFeed } from "../../../../lib/servers/depth/symbol_feed.ts";
import { instrumentOf } from "../../../../lib/simulation/instruments.ts";
import { SimulatedMarket } from "../../../../lib/simulation/market.ts";

const START_US = 1_723_118_400_000_000;

function feedOf(rate_per_s: number): SymbolFeed {
  const instrument = instrumentOf("BTCUSD");
  const start_ms = START_US / 1000;
  return new SymbolFeed(new SimulatedMarket({ instrument, seed: 1, start_ms, rate_per_s }), START_US);
}

/** One timer at a time, run by hand; reading the time costs `cost_ms`. */
class HandClock implements Clock {
  now = 0;
  cost_ms = 0;
  timer: { delay_ms: number; callback: () => void } | undefined;
  now_ms = () => this.now;
  now_us = () => this.now * 1000;
  monotonic_ms = () => this.now += this.cost_ms;
  after(delay_ms: number, callback: () => void) {
    this.timer = { delay_ms, callback };
    return { cancel: () => void (this.timer = undefined) };
  }
  every(): never {
    throw new Error("not used");
  }
  fire(at_ms: number): void {
    const { callback } = this.timer!;
    this.timer = undefined;
    this.now = at_ms;
    callback();
  }
}

Deno.test("every phase has its turn once an interval, at its place on the grid", () => {
  const clock = new ManualClock();
  const feed = feedOf(100);
  const turns: [number, number][] = [];
  const running = new MarketClock([feed], {
    clock,
    log: silentLog,
    start_us: START_US,
    origin_ms: clock.monotonic_ms(),
    interval_ms: 100,
    publish: (phase) => turns.push([phase, (feed.at_us - START_US) / 1000]),
  });
  assert.equal(phasesOf(100), 4);
  clock.advance(200);
  assert.deepEqual(turns, [[1, 25], [2, 50], [3, 75], [0, 100], [1, 125], [2, 150], [3, 175], [0, 200]]);
  running.stop();
  assert.equal(clock.pending, 0);
});

Deno.test("phases are never shorter than 25 ms nor more than 16", () => {
  assert.deepEqual([1, 24, 49, 50, 300, 60_000].map(phasesOf), [1, 1, 1, 2, 12, 16]);
});

Deno.test("after a long absence each phase is served once, at its newest time", () => {
  const clock = new HandClock();
  const feed = feedOf(100);
  const turns: [number, number][] = [];
  const running = new MarketClock([feed], {
    clock,
    log: silentLog,
    start_us: START_US,
    origin_ms: 0,
    interval_ms: 100,
    publish: (phase) => turns.push([phase, (feed.at_us - START_US) / 1000]),
  });
  clock.fire(3_610);
  assert.deepEqual(turns, [[1, 3_525], [2, 3_550], [3, 3_575], [0, 3_600]]);
  assert.equal(clock.timer!.delay_ms, 15);
  running.stop();
});

Deno.test("more orders than the host can do: slices, no skipped market time, and a warning", () => {
  const clock = new HandClock();
  clock.cost_ms = 3;
  const feed = feedOf(100_000);
  let published = 0;
  const warnings: string[] = [];
  const log: Log = { ...silentLog, warn: (message) => void warnings.push(message), with: () => log };
  const running = new MarketClock([feed, feedOf(100_000)], {
    clock,
    log,
    start_us: START_US,
    origin_ms: 0,
    interval_ms: 20,
    publish: () => published++,
  });
  clock.fire(20_000);
  let slices = 0;
  for (; published === 0; slices++) {
    assert.equal(clock.timer!.delay_ms, 0, "the event loop gets its turn, then it goes on at once");
    clock.fire(clock.now);
  }
  assert.ok(slices > 10, `${slices} slices`);
  assert.equal(feed.market.action_count > 1_900_000, true, "every order of the 20 s was there");
  assert.deepEqual(warnings, ["simulated markets run behind: too many orders for this machine"]);
  running.stop();
});
