/**
 * Captures through every fault, each alone and all mixed: the book must come to where the clean run ends, nothing may be
 * published while out of sync, no trade twice, and the counters must tell what happened. Generated markets of all venues:
 * venue_faults_test.ts. Short form: the fixture captures and two seeds. `--long`: the recorded captures, 20 seeds (`deno task test --long tests/end_to_end/faults_test.ts`).
 */
import assert from "node:assert/strict";
import { type Fault, FAULTS, type FaultSpec } from "../../lib/mocks/mock.ts";
import { captureTest, is_long } from "../services.ts";
import { type FaultReport, runWithFaults } from "./fault_run.ts";
import { requireTold } from "./told_by.ts";

/** Faults with few opportunities a run (requests, subscriptions) need a high rate to show at all. */
const RARE: Partial<Record<Fault, number>> = { "late-snapshot": 0.6, "429": 0.5, "lying-ack": 0.4 };
/** On a fixture of some hundred frames the default rates, made for a hundred thousand, would inject nothing. */
const FIXTURE_RATES: Partial<Record<Fault, number>> = {
  drop: 0.01,
  duplicate: 0.02,
  reorder: 0.01,
  delay: 0.005,
  disconnect: 0.002,
  corrupt: 0.01,
  stall: 0.001,
};
const RECORDED = [
  ["binance-futures", "binance-futures_btcusdt_20240808.gz"],
  ["binance-spot", "binance-spot_btcusdt_20240808.gz"],
] as const;
const LIMIT_MS = 60_000;

function specs(fault: Fault | "none" | "all", rates: Partial<Record<Fault, number>>): (Fault | FaultSpec)[] {
  if (fault === "none") return [];
  const named = fault === "all" ? FAULTS : [fault];
  return named.map((name) => rates[name] === undefined ? name : { name, rate: rates[name] });
}

async function check(
  venue: string,
  capture: string,
  fault: Fault | "none" | "all",
  seed: string,
  rates: Partial<Record<Fault, number>>,
  speed?: number,
) {
  const report = await runWithFaults({
    venue,
    capture,
    faults: specs(fault, { ...RARE, ...rates }),
    seed,
    limit_ms: LIMIT_MS,
    speed,
  });
  assert.deepEqual(
    report.wrong,
    [],
    `${venue} ${fault} seed "${seed}" injected ${JSON.stringify(report.stats.injected)}`,
  );
  return report;
}

/** At full speed a recording is over before the limits that reveal these; at this speed it takes 3.5 s. */
const SPEEDS: Partial<Record<Fault, number>> = { stall: 100, "lying-ack": 100 };
/** Frequent enough on a fixture that two runs without any would be a broken test. */
const CERTAIN: readonly Fault[] = ["drop", "duplicate", "reorder", "corrupt"];

for (const venue of ["binance-futures", "binance-spot"]) {
  const capture = new URL(`../../fixtures/feeds/${venue}/capture.ndjson`, import.meta.url).pathname;
  let clean: FaultReport | undefined;
  for (const fault of ["none", ...FAULTS, "all"] as const) {
    Deno.test(`${venue} fixture through ${fault}`, async () => {
      const reports = [
        await check(venue, capture, fault, "one", FIXTURE_RATES),
        await check(venue, capture, fault, "two", FIXTURE_RATES, 10),
      ];
      // A fixture is over before the silence limit: its stalls are judged in the long form.
      if (fault === "none" || fault === "all" || fault === "stall") return;
      clean ??= await check(venue, capture, "none", "one", FIXTURE_RATES);
      const injected = requireTold(venue, fault, reports, clean);
      if (CERTAIN.includes(fault)) assert.ok(injected > 0, `${fault} was never injected`);
    });
  }
}

if (is_long) {
  for (const [venue, file] of RECORDED) {
    for (const fault of ["none", ...FAULTS, "all"] as const) {
      captureTest(`${venue} recorded capture through ${fault}, 20 seeds`, async (folder) => {
        const speed = fault === "none" || fault === "all" ? undefined : SPEEDS[fault];
        const reports: FaultReport[] = [];
        for (let seed = 1; seed <= 20; seed++) {
          reports.push(await check(venue, `${folder}/${file}`, fault, `seed ${seed}`, {}, speed));
        }
        if (fault === "none" || fault === "all") return;
        const clean = await check(venue, `${folder}/${file}`, "none", "clean", {});
        assert.ok(requireTold(venue, fault, reports, clean) > 0, `${fault} was never injected in 20 seeds`);
      });
    }
  }
}
