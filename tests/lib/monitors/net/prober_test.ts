/** The steady pace, told by a clock of our own: what a pause, a silent host and a held-up process do to the figures. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import type { Handshake } from "../../../../lib/monitors/net/handshake.ts";
import { LoopWatch } from "../../../../lib/monitors/net/loop_watch.ts";
import { Prober } from "../../../../lib/monitors/net/prober.ts";

const INTERVAL_MS = 100;
const TIMEOUT_MS = 30_000;

/** A host that answers at `answerAt(now)`; undefined: never. Time moves in steps, with turns for promises. */
function made(
  answerAt: (now_ms: number) => number | undefined,
  timeout_ms = TIMEOUT_MS,
  late_ms: (at_ms: number, since_ms: number) => number = () => 0,
) {
  const clock = new ManualClock();
  let shaken = 0;
  const prober = new Prober({
    clock,
    interval_ms: INTERVAL_MS,
    timeout_ms,
    begin_after_ms: 0,
    late_ms,
    shake: (signal) => {
      shaken++;
      const began_ms = clock.monotonic_ms();
      const answer_ms = answerAt(began_ms);
      const is_lost = answer_ms === undefined || answer_ms - began_ms > timeout_ms;
      const wait_ms = is_lost ? timeout_ms : answer_ms - began_ms;
      return new Promise<Handshake>((resolve, reject) => {
        const timer = clock.after(wait_ms, () => {
          if (is_lost) reject(new Error("no answer"));
          else resolve({ address: "127.0.0.1", tcp_ms: wait_ms, total_ms: wait_ms });
        });
        signal.addEventListener("abort", () => {
          timer.cancel();
          reject(new Error("given up"));
        });
      });
    },
  });
  const pass = async (ms: number, step_ms = 10) => {
    for (let passed = 0; passed < ms; passed += step_ms) {
      clock.advance(step_ms);
      await Promise.resolve();
      await Promise.resolve();
      await Promise.resolve();
    }
  };
  return { clock, prober, pass, shaken: () => shaken };
}

Deno.test("a pause of 15 s is seen by every handshake that was due in it", async () => {
  // 20 s in: the host stands still for 15 s, then answers all that waits
  const { prober, pass } = made((now) => now >= 20_000 && now < 35_000 ? 35_001 : now + 1);
  await pass(59_000);
  const { latency, answered, lost, loss_pct } = prober.report();
  prober[Symbol.dispose]();
  assert.deepEqual([lost, loss_pct], [0, 0]);
  assert.ok(answered >= 585 && answered <= 591, `${answered}`);
  // 150 of 590 waited 0 to 15 s: a quarter. A tester that waits for each answer would have one such sample.
  assert.equal(latency.p50_us, 1_000);
  const within = (value: number | undefined, low: number, high: number) =>
    assert.ok(value !== undefined && value >= low && value <= high, `${value}, want ${low} to ${high}`);
  within(latency.p90_us, 8_500_000, 9_500_000);
  within(latency.p99_us, 14_000_000, 14_900_000);
  within(latency.max_us, 14_900_000, 15_100_000);
});

Deno.test("a pause shows while it lasts", async () => {
  const { prober, pass } = made((now) => now >= 10_000 ? undefined : now + 1);
  await pass(20_000);
  const { latency, waiting, lost } = prober.report();
  prober[Symbol.dispose]();
  assert.equal(lost, 0);
  assert.ok(waiting >= 99 && waiting <= 101, `${waiting}`);
  assert.ok(latency.max_us! >= 9_800_000, `${latency.max_us}`);
  assert.ok(latency.p90_us! >= 7_000_000, `${latency.p90_us}`);
});

Deno.test("a lost handshake counts as the timeout, and is told", async () => {
  const { prober, pass } = made((now) => now % 1_000 === 0 ? undefined : now + 1, 500);
  await pass(9_990);
  const { answered, lost, loss_pct, latency, failure, recent_us, total } = prober.report();
  prober[Symbol.dispose]();
  assert.deepEqual([answered, lost, loss_pct], [90, 10, 10]);
  assert.equal(latency.max_us, 500_000);
  assert.equal(latency.p99_us, 500_000);
  assert.equal(failure, undefined, "an answered one came later");
  assert.equal(recent_us.filter((one) => one === undefined).length, 10);
  assert.deepEqual(total, { answered: 90, lost: 10, not_measured: 0 });
});

Deno.test("a host that never answers: all lost, the reason stays", async () => {
  const { prober, pass } = made(() => undefined, 300);
  await pass(200);
  assert.equal(prober.report().loss_pct, undefined, "nothing has ended yet");
  await pass(2_000);
  const { answered, loss_pct, failure, latency } = prober.report();
  prober[Symbol.dispose]();
  assert.deepEqual([answered, loss_pct, failure, latency.p50_us], [0, 100, "no answer", 300_000]);
});

Deno.test("what this process was too late for is its own: counted apart, not charged to the host", async () => {
  const { clock, prober, pass, shaken } = made((now) => now + 1);
  await pass(1_000);
  const before = shaken();
  // The event loop is held up for 5 s: the timer comes late, once.
  const held = clock as unknown as { monotonic_ms(): number };
  const real = clock.monotonic_ms.bind(clock);
  held.monotonic_ms = () => real() + 5_000;
  await pass(100);
  const { not_measured, latency, lost } = prober.report();
  prober[Symbol.dispose]();
  assert.ok(not_measured >= 49 && not_measured <= 51, `${not_measured}`);
  assert.ok(shaken() - before <= 2);
  assert.deepEqual([lost, latency.max_us], [0, 1_000]);
});

Deno.test("the window moves on, the totals stay; disposing leaves nothing behind", async () => {
  const { clock, prober, pass } = made((now) => now < 5_000 ? undefined : now + 1, 200);
  await pass(5_000);
  assert.equal(prober.report().loss_pct, 100);
  await pass(66_000, 50);
  const { loss_pct, lost, total } = prober.report();
  assert.deepEqual([loss_pct, lost, total.lost], [0, 0, 50]);
  prober[Symbol.dispose]();
  await prober.first_end;
  assert.equal(clock.pending, 0);
});

Deno.test("an answer that this process read late tells nothing; nor does a loss while it stood still", async () => {
  const late_ms = (at_ms: number, since_ms: number) =>
    since_ms < 2_000 && at_ms > 1_000 ? (at_ms - since_ms) / 2 : 0;
  const { prober, pass } = made((now) => now < 1_500 ? now + 50 : undefined, 400, late_ms);
  await pass(5_000);
  const { answered, lost, not_measured } = prober.report();
  prober[Symbol.dispose]();
  assert.deepEqual([answered, not_measured], [10, 10]);
  assert.ok(lost >= 25 && lost <= 27, `${lost}`);
});

Deno.test("the watch on our own loop: late ticks, also the one that is overdue", () => {
  const clock = new ManualClock();
  using watch = new LoopWatch(clock);
  clock.advance(1_000);
  assert.equal(watch.late_ms(1_000, 0), 0);
  // Held up from 1,000 to 1,500: the next tick was due at 1,010.
  const held = clock as unknown as { monotonic_ms(): number };
  const real = clock.monotonic_ms.bind(clock);
  held.monotonic_ms = () => real() + 500;
  assert.equal(watch.late_ms(1_500, 900), 490, "its timer has not run yet");
  assert.equal(watch.late_ms(1_500, 1_400), 100, "not before what is asked about");
  clock.advance(10);
  assert.equal(watch.late_ms(1_511, 900), 500, "from the list");
  assert.equal(watch.late_ms(1_000, 0), 0, "before");
  clock.advance(1_000);
  assert.equal(watch.late_ms(2_510, 900), 0, "a wait that went on long after");
});
