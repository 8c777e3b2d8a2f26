/**
 * Changes against whole books: a reader that knows only the documented rules applies every change message and must hold
 * exactly what the whole message of the same moment says, at every depth, through quiet and wild markets.
 */
import assert from "node:assert/strict";
import { SymbolFeed } from "../../../../lib/servers/depth/symbol_feed.ts";
import { Topic } from "../../../../lib/servers/depth/topic.ts";
import { instrumentOf } from "../../../../lib/simulation/instruments.ts";
import { SimulatedMarket } from "../../../../lib/simulation/market.ts";
import type { ScenarioName } from "../../../../lib/simulation/scenarios.ts";
import type { SharedTail } from "../../../../lib/wire/headed_frame.ts";
import type { Message } from "./depth_reader.ts";
import { is_long } from "../../../services.ts";

const START_US = 1_723_118_400_000_000;
const INTERVAL_US = 300_000;

function read(tail: SharedTail): Message {
  return JSON.parse(`{"x":0${new TextDecoder().decode(tail.plain)}`).data;
}

function feedOf(scenario: ScenarioName): SymbolFeed {
  return new SymbolFeed(
    new SimulatedMarket({
      instrument: instrumentOf("ADAUSD"),
      seed: "topics",
      start_ms: START_US / 1000,
      rate_per_s: 400,
      scenario,
    }),
    START_US,
  );
}

/** By the rules of README.md: quantity 0 removes, anything else sets; totals are the reader's own sums. */
function applyLevels(levels: Map<number, Message>, changes: Message[]): void {
  for (const change of changes) {
    if (change.quantity === 0) levels.delete(change.price);
    else levels.set(change.price, change);
  }
}

/** By the rules of README.md: known and with the same price and timestamp keeps its place, else goes behind its equals. */
function applyOrders(orders: Message[], changes: Message[], sign: number): void {
  for (const change of changes) {
    const at = orders.findIndex(({ order_id }) => order_id === change.order_id);
    const old = orders[at];
    if (old && old.price === change.price && old.timestamp === change.timestamp) {
      orders[at] = change;
      continue;
    }
    if (at >= 0) orders.splice(at, 1);
    const behind = orders.findIndex((order) =>
      (order.price - change.price) * sign > 0 ||
      (order.price === change.price && order.timestamp > change.timestamp)
    );
    if (behind < 0) orders.push(change);
    else orders.splice(behind, 0, change);
  }
}

const levelsOf = (levels: Iterable<Message>, sign: number) =>
  [...levels].sort((a, b) => (a.price - b.price) * sign).map((l) => [l.price, l.quantity, l.order_count]);
const ordersOf = (orders: Message[]) => orders.map((o) => [o.order_id, o.price, o.quantity, o.timestamp]);

for (const max_levels of [1, 3, 20, 1_000]) {
  for (const scenario of ["calm", "flash-crash"] as const) {
    Deno.test(`changes add up to the whole book, ${max_levels} levels, ${scenario}`, () => {
      const feed = feedOf(scenario);
      const mbp = new Topic(feed, "MBP", max_levels);
      const mbo = new Topic(feed, "MBO", max_levels);
      mbp.join(true);
      mbo.join(true);
      const sides = ["bids", "asks"] as const;
      const levels = { bids: new Map<number, Message>(), asks: new Map<number, Message>() };
      const orders = { bids: [] as Message[], asks: [] as Message[] };
      for (const side of sides) {
        applyLevels(levels[side], read(mbp.full()!.tail)[side]);
        orders[side] = read(mbo.full()!.tail)[side];
      }
      let changed = 0;
      for (let tick = 1; tick <= (is_long ? 4_000 : 400); tick++) {
        const at_us = START_US + tick * INTERVAL_US;
        while (!feed.advance(at_us));
        mbp.publish();
        mbo.publish();
        const level_changes = read(mbp.difference()!.tail);
        const order_changes = read(mbo.difference()!.tail);
        assert.equal(level_changes.format, "MBP_DELTA");
        assert.equal(order_changes.format, "MBO_DELTA");
        const whole_levels = read(mbp.full()!.tail);
        const whole_orders = read(mbo.full()!.tail);
        const removed = new Set<number>(order_changes.removed);
        for (const side of sides) {
          const sign = side === "bids" ? -1 : 1;
          applyLevels(levels[side], level_changes[side]);
          assert.deepEqual(levelsOf(levels[side].values(), sign), levelsOf(whole_levels[side], sign));
          orders[side] = orders[side].filter(({ order_id }) => !removed.has(order_id));
          applyOrders(orders[side], order_changes[side], sign);
          assert.deepEqual(ordersOf(orders[side]), ordersOf(whole_orders[side]));
          changed += level_changes[side].length;
        }
      }
      assert.ok(changed > 400, "there was something to change");
    });
  }
}

Deno.test("a topic encodes once per publication and keeps changes only while somebody wants them", () => {
  const feed = feedOf("calm");
  const topic = new Topic(feed, "MBP", 5);
  topic.join(false);
  assert.equal(topic.full(), topic.full());
  topic.publish();
  assert.equal(topic.difference(), undefined);
  topic.join(true);
  topic.publish();
  assert.ok(topic.difference());
  topic.leave(true);
  topic.publish();
  assert.equal(topic.difference(), undefined);
  assert.equal(topic.idle, false);
  topic.leave(false);
  assert.equal(topic.idle, true);
});
