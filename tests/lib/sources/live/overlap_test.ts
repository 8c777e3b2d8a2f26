/**
 * Two connections of one stream, merged: whatever each delays or loses, as long as one of them brings it, what comes out
 * is the clean stream in its order. Without ids trades count as often as they happened.
 */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { Random } from "../../../../lib/base/random.ts";
import type { BookDelta, MarketEvent, Trade } from "../../../../lib/market/event.ts";
import { emptyDelta, EventBatch } from "../../../../lib/market/event_batch.ts";
import type { SequenceRule } from "../../../../lib/market/sequence_rule.ts";
import { LegTally } from "../../../../lib/sources/live/leg_tally.ts";
import { OverlapMerge, PATIENCE_MS } from "../../../../lib/sources/live/overlap_merge.ts";
import { Repeats } from "../../../../lib/sources/live/repeats.ts";

const chained = (delta: BookDelta, last_id: number) =>
  delta.last_id <= last_id ? "stale" : delta.first_id === last_id + 1 ? "next" : "gap";
const rule: SequenceRule = { afterSnapshot: chained, afterDelta: chained };

function deltaOf(id: number, symbol = "S"): BookDelta {
  const delta = { ...emptyDelta(), symbol, first_id: id, last_id: id };
  delta.bids.push(id, 1);
  return delta;
}
function tradeOf(id: number): Trade {
  const head = { kind: "trade", venue: "v", symbol: "S", received_us: 1 } as const;
  return { ...head, trade_id: id, price: 1, quantity: id, first_fill_id: id, last_fill_id: id };
}

/** Pushes a copy, as a mapper would. */
function push(batch: EventBatch, event: BookDelta | Trade): void {
  if (event.kind === "trade") return batch.push(event);
  const pooled = batch.freeDelta();
  const { bids, asks } = pooled;
  Object.assign(pooled, event, { bids, asks });
  bids.copyFrom(event.bids);
  batch.pushDelta(pooled);
}

/** What came out for the first time, in order: repeats are the books' and trades' own business. */
function firsts(out: readonly [string, number][]): [string, number][] {
  const seen = new Set<string>();
  return out.filter(([kind, id]) => !seen.has(`${kind} ${id}`) && seen.add(`${kind} ${id}`));
}

interface Path {
  at: number;
  /** Steps until it goes on. */
  paused: number;
}

/** Every event is lost by at most one of the two paths. */
function run(seed: number, is_broken = false): void {
  const random = new Random(`overlap ${seed}`);
  const clock = new ManualClock(0);
  const merge = new OverlapMerge(is_broken ? undefined : rule, clock);
  const clean = Array.from({ length: 400 }, (_, i) => random.chance(0.3) ? tradeOf(0) : deltaOf(i + 1));
  let trades = 0;
  let deltas = 0;
  for (const [i, event] of clean.entries()) {
    clean[i] = event.kind === "trade" ? tradeOf(++trades) : deltaOf(++deltas);
  }
  const lost_by = clean.map((_, i) => i < 20 ? -1 : random.chance(0.2) ? random.integer(0, 1) : -1);
  const paths: Path[] = [{ at: 0, paused: 0 }, { at: 0, paused: 0 }];
  const out: [string, number][] = [];
  const batch = new EventBatch();
  const take = () => {
    for (const event of batch.events) {
      if (event.kind === "book_delta") {
        assert.equal(event.bids.prices[0], event.last_id, "the levels went with their delta");
        out.push(["delta", event.last_id]);
      } else if (event.kind === "trade") out.push(["trade", event.trade_id!]);
    }
    batch.clear();
  };
  while (paths.some((path) => path.at < clean.length)) {
    for (const [number, path] of paths.entries()) {
      if (path.paused-- > 0 || path.at >= clean.length) continue;
      for (let count = random.integer(1, 5); count > 0 && path.at < clean.length; count--) {
        const i = path.at++;
        if (lost_by[i] === number) continue;
        const start = batch.size;
        push(batch, clean[i] as BookDelta | Trade);
        merge.merge(batch, start);
      }
      path.paused = random.chance(0.2) ? random.integer(1, 20) : 0;
    }
    // Far less than the patience in all: nothing is given out by time.
    clock.advance(0.1);
    merge.expire(batch);
    take();
  }
  const wanted = clean.map((event): [string, number] =>
    event.kind === "trade" ? ["trade", event.trade_id!] : ["delta", (event as BookDelta).last_id]
  );
  for (const kind of ["delta", "trade"]) {
    const of = (list: [string, number][]) => list.filter(([one]) => one === kind).map(([, id]) => id);
    assert.deepEqual(of(firsts(out)), of(wanted));
  }
}

Deno.test("overlap: two paths that delay and lose come out as the clean stream, in order", () => {
  for (let seed = 0; seed < 200; seed++) run(seed);
});
Deno.test("canary: without the venue's rule the order is lost", () => {
  assert.throws(() => Array.from({ length: 20 }, (_, seed) => run(seed, true)), assert.AssertionError);
});

Deno.test("overlap: what neither path brings is waited for no longer than the patience", () => {
  const clock = new ManualClock(0);
  const merge = new OverlapMerge(rule, clock);
  const batch = new EventBatch();
  const ids = () => batch.events.map((event) => (event as BookDelta).last_id);
  for (const id of [1, 3, 4]) {
    const start = batch.size;
    push(batch, deltaOf(id));
    merge.merge(batch, start);
  }
  assert.deepEqual(ids(), [1]);
  clock.advance(PATIENCE_MS - 1);
  assert.equal(merge.expire(batch), false);
  clock.advance(1);
  assert.equal(merge.expire(batch), true);
  assert.deepEqual(ids(), [1, 3, 4]);
  const start = batch.size;
  push(batch, deltaOf(5));
  merge.merge(batch, start);
  assert.deepEqual(ids(), [1, 3, 4, 5]);
});

Deno.test("overlap: a symbol without trouble never waits for another one's", () => {
  const merge = new OverlapMerge(rule, new ManualClock(0));
  const batch = new EventBatch();
  for (const [id, symbol] of [[1, "A"], [1, "B"], [5, "A"], [2, "B"]] as const) {
    const start = batch.size;
    push(batch, deltaOf(id, symbol));
    merge.merge(batch, start);
  }
  assert.deepEqual(batch.events.map((event) => `${event.symbol}${(event as BookDelta).last_id}`), [
    "A1",
    "B1",
    "B2",
  ]);
});

const idless = (time_ms: number, price: number): Trade => ({
  kind: "trade",
  venue: "v",
  symbol: "S",
  received_us: 1,
  exchange_ms: time_ms,
  price,
  quantity: 1,
});

Deno.test("repeats: trades without ids count as often as they happened, whoever is ahead or loses some", () => {
  for (let seed = 0; seed < 100; seed++) {
    const random = new Random(`repeats ${seed}`);
    // Few prices and times: equal trades are common.
    const clean = Array.from({ length: 300 }, (_, i) => idless(Math.floor(i / 5), random.integer(1, 2)));
    const lost_by = clean.map(() => random.chance(0.2) ? random.integer(0, 1) : -1);
    const repeats = new Repeats();
    const connections = [{}, {}];
    const at = [0, 0];
    const out: string[] = [];
    while (at.some((i) => i < clean.length)) {
      const number = random.integer(0, 1);
      if (at[number] >= clean.length) continue;
      const i = at[number]++;
      if (lost_by[i] === number) continue;
      const { exchange_ms, price } = clean[i];
      if (repeats.admits(clean[i], connections[number])) out.push(`${exchange_ms} ${price}`);
    }
    // Of equal trades that each path lost another one, one cannot be told: never more come out than happened.
    const counted = (list: string[]) => Map.groupBy(list, (one) => one);
    const wanted = counted(clean.map((one) => `${one.exchange_ms} ${one.price}`));
    for (const [facts, found] of counted(out)) assert.ok(found.length <= wanted.get(facts)!.length, facts);
    for (const [facts, all] of wanted) {
      const by_path = [0, 1].map((number) =>
        clean.filter((one, i) => `${one.exchange_ms} ${one.price}` === facts && lost_by[i] !== number).length
      );
      assert.equal(counted(out).get(facts)?.length ?? 0, Math.max(...by_path), `${facts} of ${all.length}`);
    }
  }
});

Deno.test("repeats: of tickers and candles the same and the older state is dropped, each interval for itself", () => {
  const repeats = new Repeats();
  const ticker = (time_ms: number, last_price: number): MarketEvent => ({
    kind: "ticker",
    venue: "v",
    symbol: "S",
    received_us: time_ms * 1_000 + last_price,
    sent_ms: time_ms,
    last_price,
  });
  const admitted = [ticker(1, 5), ticker(1, 5), ticker(2, 5), ticker(1, 5), ticker(2, 6)].map((one) =>
    repeats.admits(one, {})
  );
  assert.deepEqual(admitted, [true, false, true, false, true]);
});

Deno.test("tally: each leg's share; a miss is told once the others had their time", () => {
  const clock = new ManualClock(0);
  const tally = new LegTally(2, clock);
  for (let id = 1; id <= 10; id++) {
    tally.note(deltaOf(id), 0);
    if (id % 5 !== 0) tally.note(deltaOf(id), 1);
    if (id === 3) tally.note(tradeOf(id), 1);
  }
  assert.deepEqual(tally.counts, [{ first: 10, repeated: 0, missed: 0 }, {
    first: 1,
    repeated: 8,
    missed: 0,
  }]);
  clock.advance(2_000);
  tally.settle();
  assert.deepEqual(tally.counts.map((one) => one.missed), [1, 2]);
});
