/**
 * Clients that harm nobody but themselves: 1 % never read, 9 % read 64 kbit/s, 90 % are healthy, and the market is 50
 * times as busy. Asserted is what no clock decides: the resident set's high-water mark under the budget, every skip
 * announced, every client's book right at the end. What the healthy ones notice is printed. `--long`: the full minute.
 */
import assert from "node:assert/strict";
import { is_long, testUnless } from "../services.ts";
import { type Outcome, runIsolation } from "./isolation/isolation_run.ts";
import { type IsolationPlan, ISSUE_PLAN, withoutBad } from "./isolation/plan.ts";

const MIB = 1024 * 1024;
const missing = Deno.build.os === "linux" ? undefined : "no /proc";

/** The same crowd in seconds: a smaller queue and an impatient measure of lag, so that slow ones are slow at once. */
const SHORT_PLAN: IsolationPlan = {
  ...ISSUE_PLAN,
  calm_s: 0.5,
  burst_s: 3,
  levels: 3,
  server: { ...ISSUE_PLAN.server, max_queue_bytes: 262_144, max_lag_ms: 100, heartbeat_ms: 30_000 },
};
const plan = is_long ? ISSUE_PLAN : SHORT_PLAN;

function tell(name: string, { lateness_us, peak_bytes, ...rest }: Outcome): void {
  const at = (q: number) => `${(lateness_us[Math.floor(q * (lateness_us.length - 1))] / 1000).toFixed(1)} ms`;
  const late = `healthy p50 ${at(0.5)}, p99 ${at(0.99)}, p99.9 ${at(0.999)} of ${lateness_us.length}`;
  // deno-lint-ignore no-console -- a measurement, like those of the other end-to-end tests
  console.log(
    `${name}: ${late}; peak ${Math.round(peak_bytes / MIB)} of ${plan.budget_bytes / MIB} MiB`,
    rest,
  );
}

function check({ peak_bytes, skipped, announced, closes }: Outcome): void {
  assert.ok(peak_bytes <= plan.budget_bytes, `${peak_bytes} of ${plan.budget_bytes} bytes`);
  // One who was cut off is told the rest when it comes back, by another server's count.
  if (Object.keys(closes).length === 0) assert.deepEqual(announced, skipped);
}

testUnless(missing, "isolation: slow and deaf clients in a burst harm only themselves", async () => {
  const alone = await runIsolation(withoutBad(plan));
  tell("90 healthy clients alone", alone);
  check(alone);
  const beside = await runIsolation(plan);
  tell("beside 9 slow and 1 deaf", beside);
  check(beside);
  assert.ok(beside.announced.book > 0, "nobody was ever slow: the test shows nothing");
});
