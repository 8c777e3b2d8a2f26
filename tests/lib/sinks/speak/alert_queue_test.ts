/** The queue against a naive model: every alert ends in one way, the urgent go first, nothing late comes out. */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { type Alert, PRIORITIES, type Priority, rankOf } from "../../../../lib/sinks/speak/alert.ts";
import { AlertQueue, type Turn } from "../../../../lib/sinks/speak/alert_queue.ts";
import { alertOf } from "./alert_of.ts";

class Ledger {
  readonly merged: Alert[] = [];
  readonly late: Alert[] = [];
  readonly full: Alert[] = [];
  readonly said: Alert[] = [];
  readonly turns: Turn[] = [];
  readonly queue: AlertQueue;
  constructor(max_alerts: number, max_age_ms: number) {
    this.queue = new AlertQueue(max_alerts, max_age_ms, {
      merged: (alert) => this.merged.push(alert),
      lost: (alert, why) => this[why].push(alert),
    });
  }
  take(now_ms: number): Turn | undefined {
    const turn = this.queue.peek(now_ms);
    if (!turn) return undefined;
    this.queue.remove(turn);
    this.turns.push(turn);
    this.said.push(...turn.alerts);
    return turn;
  }
  get ended(): number {
    return this.merged.length + this.late.length + this.full.length + this.said.length;
  }
}
const idsOf = (alerts: readonly Alert[]) => alerts.map(({ values }) => values.id);

Deno.test("urgent before others, then the order of arrival; one turn is all of a rule at a priority", () => {
  const { queue } = new Ledger(10, 1_000);
  queue.push(alertOf(1, { rule: "a" }));
  queue.push(alertOf(2, { rule: "b", priority: "low" }));
  queue.push(alertOf(3, { rule: "c", priority: "critical" }));
  queue.push(alertOf(4, { rule: "d" }));
  queue.push(alertOf(5, { rule: "a" }));
  queue.push(alertOf(6, { rule: "c", priority: "critical" }));
  const order: unknown[] = [];
  for (let turn = queue.peek(0); turn; turn = queue.peek(0)) {
    queue.remove(turn);
    order.push(idsOf(turn.alerts));
  }
  assert.deepEqual(order, [[3, 6], [1, 5], [4], [2]]);
});

Deno.test("of one matter only the newest is kept, in the place of the first", () => {
  const ledger = new Ledger(10, 1_000);
  ledger.queue.push(alertOf(1, { key: "btc" }));
  ledger.queue.push(alertOf(2));
  ledger.queue.push(alertOf(3, { key: "btc", at_ms: 900 }));
  assert.deepEqual(idsOf(ledger.take(1_000)!.alerts), [3, 2]);
  assert.deepEqual(idsOf(ledger.merged), [1]);
});

Deno.test("what is too old is not given out, at the very millisecond it still is", () => {
  const ledger = new Ledger(10, 1_000);
  ledger.queue.push(alertOf(1));
  ledger.queue.push(alertOf(2, { at_ms: 1 }));
  assert.deepEqual(idsOf(ledger.queue.peek(1_000)!.alerts), [1, 2]);
  assert.deepEqual(idsOf(ledger.queue.peek(1_001)!.alerts), [2]);
  assert.equal(ledger.queue.peek(1_002), undefined);
  assert.deepEqual(idsOf(ledger.late), [1, 2]);
});

Deno.test("at the bound the least urgent and oldest goes, never one more urgent than the newcomer, and the turn tells", () => {
  const ledger = new Ledger(3, 1_000);
  ledger.queue.push(alertOf(1, { priority: "high" }));
  ledger.queue.push(alertOf(2));
  ledger.queue.push(alertOf(3));
  ledger.queue.push(alertOf(4));
  assert.deepEqual(idsOf(ledger.full), [2]);
  ledger.queue.push(alertOf(5, { priority: "low" }));
  assert.deepEqual(idsOf(ledger.full), [2, 5]);
  ledger.queue.push(alertOf(6, { priority: "critical" }));
  assert.deepEqual(idsOf(ledger.full), [2, 5, 3]);
  ledger.take(0);
  ledger.take(0);
  const last = ledger.take(0)!;
  assert.deepEqual([idsOf(last.alerts), last.lost], [[4], 2]);
});

/** One random life of a queue; `breakIt` is for the canary. */
function live(seed: string, breakIt = false): void {
  const random = new Random(seed);
  const max_alerts = random.integer(1, 12);
  const max_age_ms = random.integer(1, 50);
  const ledger = new Ledger(max_alerts, max_age_ms);
  let now_ms = 0;
  let pushed = 0;
  for (let step = 0; step < 300; step++) {
    now_ms += random.integer(0, 5);
    if (random.chance(0.7)) {
      const priority: Priority = random.pick(PRIORITIES);
      const key = random.chance(0.3) ? `same ${random.integer(0, 3)}` : `own ${pushed}`;
      ledger.queue.push(alertOf(++pushed, { key, priority, rule: random.pick(["a", "b"]), at_ms: now_ms }));
    } else {
      const turn = ledger.take(now_ms);
      if (breakIt && turn) now_ms += max_age_ms + 1;
      for (const { at_ms, priority, rule } of turn?.alerts ?? []) {
        assert.ok(now_ms - at_ms <= max_age_ms, "late");
        assert.deepEqual([priority, rule], [turn!.alerts[0].priority, turn!.alerts[0].rule]);
      }
      const next = ledger.queue.peek(now_ms);
      if (turn && next) {
        assert.ok(rankOf(next.alerts[0].priority) >= rankOf(turn.alerts[0].priority), "order");
      }
    }
    assert.ok(ledger.queue.size <= max_alerts, "bound");
    assert.equal(ledger.ended + ledger.queue.size, pushed, "an alert vanished or was there twice");
  }
  const all = [...ledger.merged, ...ledger.late, ...ledger.full, ...ledger.said, ...ledger.queue.drain()];
  assert.equal(new Set(idsOf(all)).size, pushed);
  const counted = ledger.turns.reduce((sum, { lost }) => sum + lost, 0);
  assert.ok(counted <= ledger.full.length);
}

Deno.test("property: bound, expiry, order, and every alert ends in exactly one way", () => {
  for (let seed = 0; seed < 300; seed++) live(`queue ${seed}`);
});

Deno.test("canary: the property sees an alert that is said late", () => {
  assert.throws(() => {
    for (let seed = 0; seed < 20; seed++) live(`queue ${seed}`, true);
  }, /late/);
});
