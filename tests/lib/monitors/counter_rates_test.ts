/** Rates of counters: absent rather than wrong. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../lib/base/clock.ts";
import { CounterRates } from "../../../lib/monitors/counter_rates.ts";

Deno.test("a rate between two looks; none at the first, after a restart, when turned back, or absent", () => {
  const clock = new ManualClock();
  const rates = new CounterRates<"a" | "b">(clock);
  const look = (epoch: string, a: number | undefined, b?: number) => {
    rates.look(epoch, { a, b });
    return [rates.per_s("a"), rates.per_s("b")];
  };
  assert.deepEqual(look("one", 10, 5), [undefined, undefined]);
  clock.advance(2_000);
  assert.deepEqual(look("one", 30, 5), [10, 0]);
  assert.equal(rates.grown("a"), 20);
  clock.advance(1_000);
  assert.deepEqual(look("one", 3), [undefined, undefined], "turned back, absent");
  clock.advance(500);
  assert.deepEqual(look("one", 4, 7), [2, undefined]);
  clock.advance(1_000);
  assert.deepEqual(look("two", 100, 100), [undefined, undefined], "another process counts from zero");
  assert.deepEqual(look("two", 200, 100), [undefined, undefined], "no time has passed");
  clock.advance(1_000);
  assert.deepEqual(look("two", NaN, 101), [undefined, 1]);
});
