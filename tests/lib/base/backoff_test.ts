/** Delays lie in [step/2, step], steps double up to the bound, reset starts over, the same seed gives the same delays. */
import assert from "node:assert/strict";
import { Backoff } from "../../../lib/base/backoff.ts";
import { Random } from "../../../lib/base/random.ts";

Deno.test("backoff stays in the upper half of each step and under its bound", () => {
  for (let seed = 0; seed < 50; seed++) {
    const backoff = new Backoff({ first_ms: 1000, max_ms: 60_000 }, new Random(seed));
    for (let attempt = 0; attempt < 200; attempt++) {
      assert.equal(backoff.attempt, attempt);
      const step_ms = Math.min(60_000, 1000 * 2 ** Math.min(attempt, 40));
      const delay_ms = backoff.next_ms();
      assert.ok(delay_ms >= step_ms / 2 && delay_ms <= step_ms, `attempt ${attempt}: ${delay_ms}`);
    }
  }
});

Deno.test("backoff starts over after reset and repeats with its seed", () => {
  const delays = (seed: string) => {
    const backoff = new Backoff({ first_ms: 100, max_ms: 10_000, factor: 3 }, new Random(seed));
    const first = Array.from({ length: 6 }, () => backoff.next_ms());
    backoff.reset();
    assert.equal(backoff.attempt, 0);
    assert.ok(backoff.next_ms() <= 100);
    return first;
  };
  assert.deepEqual(delays("one"), delays("one"));
  assert.notDeepEqual(delays("one"), delays("two"));
});
