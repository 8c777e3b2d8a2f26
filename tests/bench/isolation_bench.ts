/**
 * What healthy clients notice of bad ones: 90 healthy alone, then beside 9 that read 64 kbit/s and 1 that never reads,
 * while the market is 50 times as busy for a minute. Lateness is taken from the microsecond a delta was meant for to its
 * arrival, read and parsed. Targets: healthy p99 within 10 %, resident set under the budget, every skip announced, every
 * book right at the end (the run throws otherwise). Server on one core, clients on the other.
 * Run: deno task bench:fanout, or deno task bench isolation [--quick]
 */
import { type Outcome, runIsolation } from "../end_to_end/isolation/isolation_run.ts";
import { type IsolationPlan, ISSUE_PLAN, withoutBad } from "../end_to_end/isolation/plan.ts";
import { print, row } from "./figures.ts";
import { canPin } from "./fanout/pinned_process.ts";

const quick = Deno.args.includes("--quick");
const json = Deno.args.includes("--json");
const MIB = 1024 * 1024;

const plan: IsolationPlan = { ...ISSUE_PLAN, burst_s: quick ? 5 : 60 };
const alone_plan: IsolationPlan = { ...withoutBad(plan), burst_s: quick ? 3 : 20 };
const core = canPin() ? 0 : undefined;
if (canPin()) {
  await new Deno.Command("taskset", { args: ["-acp", "1", String(Deno.pid)], stdout: "null" }).output();
}

const at = (samples: Float64Array, q: number) => samples[Math.floor(q * (samples.length - 1))] / 1000;
function show(name: string, outcome: Outcome): object {
  const { lateness_us, peak_bytes, healthy_skipped, skipped, announced, closes, guard, connections } =
    outcome;
  const [p50_ms, p99_ms, p999_ms] = [0.5, 0.99, 0.999].map((q) => at(lateness_us, q));
  const typical_p99_ms = outcome.typical_p99_us / 1000;
  if (!json) {
    const figures = `p50 ${p50_ms.toFixed(2)}  p99 ${p99_ms.toFixed(2)}  p99.9 ${p999_ms.toFixed(2)} ms`;
    row(
      name,
      figures,
      `the median second's p99 ${typical_p99_ms.toFixed(2)} ms; of ${lateness_us.length} deltas; ` +
        `healthy clients skipped ${healthy_skipped}`,
    );
    const peak = `peak ${Math.round(peak_bytes / MIB)} of ${plan.budget_bytes / MIB} MiB`;
    const told =
      `skipped ${skipped.book} deltas, ${skipped.trades} trades; announced ${announced.book} and ` +
      `${announced.trades}; ${connections} connections; ended: ${JSON.stringify(closes)}`;
    row("  server", peak, `${told}; guard ${JSON.stringify(guard)}`);
  }
  return { p50_ms, p99_ms, p999_ms, typical_p99_ms, peak_bytes, healthy_skipped, skipped, announced, closes };
}

if (!json) {
  print(
    `isolation, ${plan.burst_factor} times the market for ${plan.burst_s} s (load ${
      Deno.loadavg()[0].toFixed(1)
    })`,
  );
}
const before = await runIsolation(alone_plan, core);
const first = show("90 healthy clients alone", before);
const beside = await runIsolation(plan, core);
const second = show("beside 9 slow and 1 deaf", beside);
const after = await runIsolation(alone_plan, core);
const third = show("alone once more", after);
const changeOf = (of: (outcome: Outcome) => number) => of(beside) / ((of(before) + of(after)) / 2) - 1;
const change = changeOf(({ lateness_us }) => at(lateness_us, 0.99));
const typical_change = changeOf(({ typical_p99_us }) => typical_p99_us);
if (json) {
  print(
    JSON.stringify({
      isolation: {
        alone: [first, third],
        beside: second,
        p99_change: change,
        typical_p99_change: typical_change,
      },
    }),
  );
} else {
  const verdict = change <= 0.1 ? "met" : "MISSED";
  const typical = `the median second's p99: ${(typical_change * 100).toFixed(0)} %`;
  row("healthy p99: alone → beside", `${(change * 100).toFixed(0)} %`, `want ≤ 10 %: ${verdict}; ${typical}`);
  const held = beside.peak_bytes <= plan.budget_bytes ? "met" : "MISSED";
  row(
    "resident set under the budget; books right, skips announced",
    held,
    "the run fails where a book is wrong",
  );
}
