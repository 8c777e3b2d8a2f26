/** The manual clock: order of firing, time seen by callbacks, cancelling; `sleep` and `withDeadline` leave no timer. */
import assert from "node:assert/strict";
import { ManualClock, sleep, systemClock, withDeadline } from "../../../lib/base/clock.ts";

Deno.test("timers fire in order of due time, ties in order of setting, each at its own time", () => {
  const clock = new ManualClock(1_000);
  const fired: [string, number, number][] = [];
  const note = (name: string) => () => fired.push([name, clock.now_ms(), clock.monotonic_ms()]);
  clock.after(30, note("c"));
  clock.after(10, note("a"));
  clock.after(10, note("b"));
  clock.after(31, note("late"));
  clock.advance(30);
  assert.deepEqual(fired, [["a", 1_010, 10], ["b", 1_010, 10], ["c", 1_030, 30]]);
  assert.equal(clock.pending, 1);
  assert.equal(clock.now_us(), 1_030_000);
});

Deno.test("a callback may set a timer that is due within the same advance", () => {
  const clock = new ManualClock(0);
  const fired: number[] = [];
  clock.after(5, () => clock.after(5, () => fired.push(clock.now_ms())));
  clock.advance(10);
  assert.deepEqual(fired, [10]);
});

Deno.test("every repeats until cancelled, even from inside its callback", () => {
  const clock = new ManualClock(0);
  const at: number[] = [];
  const timer = clock.every(10, () => {
    at.push(clock.now_ms());
    if (at.length === 3) timer.cancel();
  });
  clock.advance(100);
  assert.deepEqual(at, [10, 20, 30]);
  timer.cancel();
  assert.equal(clock.pending, 0);
});

Deno.test("a cancelled timer never fires", () => {
  const clock = new ManualClock(0);
  const timer = clock.after(1, () => assert.fail("fired"));
  timer.cancel();
  clock.advance(10);
});

Deno.test("sleep ends at its time or at the abort, and leaves nothing behind", async () => {
  const clock = new ManualClock(0);
  const slept = sleep(clock, 50);
  clock.advance(50);
  await slept;
  const abort = new AbortController();
  const cut = sleep(clock, 50, abort.signal);
  abort.abort();
  await cut;
  assert.equal(clock.pending, 0);
  await sleep(clock, 50, abort.signal);
  assert.equal(clock.pending, 0);
});

Deno.test("withDeadline names what was late, passes results and errors, and clears its timer", async () => {
  const clock = new ManualClock(0);
  const late = withDeadline(clock, 20, "fetch depth", new Promise<never>(() => {}));
  clock.advance(20);
  await assert.rejects(late, /fetch depth: no answer within 20 ms/);
  assert.equal(await withDeadline(clock, 20, "x", Promise.resolve(7)), 7);
  await assert.rejects(withDeadline(clock, 20, "x", Promise.reject(new Error("broken"))), /broken/);
  assert.equal(clock.pending, 0);
});

Deno.test("the host's clock: microseconds agree with milliseconds, monotonic time does not go back", () => {
  const before = systemClock.monotonic_ms();
  assert.ok(Math.abs(systemClock.now_us() / 1000 - systemClock.now_ms()) < 60_000);
  assert.ok(systemClock.monotonic_ms() >= before);
});
