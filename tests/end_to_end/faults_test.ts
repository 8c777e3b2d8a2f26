/**
 * Every fault of the mock, each alone and all mixed: the book must come to where the clean run ends, nothing may be
 * published while out of sync, no trade twice, and the counters must tell what happened. Short form: the fixture captures
 * and two seeds. `--long`: the recorded captures, 20 seeds (`deno task test --long tests/end_to_end/faults_test.ts`).
 */
import assert from "node:assert/strict";
import { type Fault, FAULTS, type FaultSpec } from "../../lib/mocks/mock.ts";
import { captureTest, is_long } from "../services.ts";
import { type FaultReport, runWithFaults } from "./fault_run.ts";

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

/** The faults that a run must have left traces of in our own counters. */
function untold(report: FaultReport): string[] {
  const { counters, stats: { injected } } = report;
  const missing: string[] = [];
  const told = (...names: string[]) => names.some((name) => (counters[name] ?? 0) > 0);
  if (injected.disconnect > 0 && !told("websocket_disconnects_total")) missing.push("disconnect");
  if (injected["429"] > 0 && !told("snapshot_requests_total")) missing.push("429");
  return missing;
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
  assert.deepEqual(untold(report), [], `${venue} ${fault} seed "${seed}": counters are silent`);
  return report;
}

for (const venue of ["binance-futures", "binance-spot"]) {
  const capture = new URL(`../../fixtures/feeds/${venue}/capture.ndjson`, import.meta.url).pathname;
  for (const fault of ["none", ...FAULTS, "all"] as const) {
    Deno.test(`${venue} fixture through ${fault}`, async () => {
      await check(venue, capture, fault, "one", FIXTURE_RATES);
      await check(venue, capture, fault, "two", FIXTURE_RATES, 10);
    });
  }
}

if (is_long) {
  for (const [venue, file] of RECORDED) {
    for (const fault of ["none", ...FAULTS, "all"] as const) {
      captureTest(`${venue} recorded capture through ${fault}, 20 seeds`, async (folder) => {
        const injected: Record<string, number> = {};
        for (let seed = 1; seed <= 20; seed++) {
          const report = await check(venue, `${folder}/${file}`, fault, `seed ${seed}`, {});
          for (const [name, count] of Object.entries(report.stats.injected)) {
            injected[name] = (injected[name] ?? 0) + count;
          }
        }
        if (fault !== "none" && fault !== "all") {
          assert.ok(injected[fault] > 0, `${fault} was never injected in 20 seeds`);
        }
      });
    }
  }
}
