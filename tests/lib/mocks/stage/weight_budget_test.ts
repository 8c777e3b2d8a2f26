/** Weight per minute, 429 with the time left, 418 for who does not stop. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { WeightBudget } from "../../../../lib/mocks/stage/weight_budget.ts";

Deno.test("over the budget 429 until the minute ends; insisting is banned for two minutes", () => {
  const clock = new ManualClock(60_000 * 100 + 15_000);
  const budget = new WeightBudget(100, clock);
  assert.deepEqual(budget.take(60), { status: 200, used: 60, retry_after_s: 0 });
  assert.deepEqual(budget.take(60), { status: 429, used: 120, retry_after_s: 45 });
  clock.advance(45_000);
  assert.equal(budget.take(100).status, 200);
  const verdicts = Array.from({ length: 21 }, () => budget.take(1).status);
  assert.deepEqual(new Set(verdicts.slice(0, 20)), new Set([429]));
  assert.equal(verdicts[20], 418);
  clock.advance(60_000);
  assert.deepEqual(budget.take(1), { status: 418, used: 1, retry_after_s: 60 });
  clock.advance(60_000);
  assert.equal(budget.take(1).status, 200);
});
