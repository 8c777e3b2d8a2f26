/**
 * Every mock in the registry through every fault that can happen there, each alone and all mixed, on a generated market
 * and time told in steps: in the end the gateway knows what the venue knows, nothing was published while out of sync, no trade
 * twice (and none lost without faults), and the counters tell what happened.
 * Short form: one seed each. `--long`: 20 (`deno task test --long tests/end_to_end/venue_faults_test.ts`).
 */
import assert from "node:assert/strict";
import { MOCKS } from "../../lib/gateway/catalog.ts";
import type { Fault, FaultSpec, MockKind } from "../../lib/mocks/mock.ts";
import { TurnClock } from "../turn_clock.ts";
import { is_long } from "../services.ts";
import { type FaultReport, runWithFaults } from "./fault_run.ts";
import { requireTold } from "./told_by.ts";

/** Market seconds in one of the clock's. */
const SPEED = 4;
/** Faults stop at three quarters, so that the last quarter shows who healed. */
const MARKET = { duration_ms: 20_000, rate_per_s: 60, fault_until: 0.75 };
/** Longer than the pause between two messages of the slowest feed. */
const START_DELAY_MS = 500;
/** Soon, so that faults show. Without faults nobody may lose patience before the market starts: no trade may be missed. */
const MAX_SILENCE_MS = 1_500;
const PATIENT_MS = 10_000;
const LIMIT_MS = 300_000;
const SEEDS = is_long ? 20 : 1;
/** Most of a run is waiting for turns, which all share. */
const RUNS_AT_ONCE = 4;
/** High enough that each fault shows in a market of some hundred frames. */
const RATES: Record<Fault, number> = {
  drop: 0.01,
  duplicate: 0.05,
  reorder: 0.01,
  delay: 0.005,
  disconnect: 0.002,
  corrupt: 0.01,
  stall: 0.002,
  "late-snapshot": 0.6,
  "429": 0.5,
  "lying-ack": 0.4,
};
/** Drawn per frame, and often: a run without any would be a broken test. */
const CERTAIN: readonly Fault[] = ["drop", "duplicate", "reorder", "corrupt"];
/** Venues without books send few frames. */
const BOOKLESS_FACTOR = 6;

type Case = Fault | "none" | "all";

function specs(kind: MockKind, one: Case): FaultSpec[] {
  if (one === "none") return [];
  const named = one === "all" ? kind.faults : [one];
  const factor = kind.channels.includes("book") ? 1 : BOOKLESS_FACTOR;
  return named.map((name) => ({ name, rate: CERTAIN.includes(name) ? RATES[name] * factor : RATES[name] }));
}

/** Runs the thunks, `RUNS_AT_ONCE` at a time; results in their order. */
async function pooled<T>(work: readonly (() => Promise<T>)[]): Promise<T[]> {
  const results: T[] = [];
  let next = 0;
  const worker = async () => {
    for (let i = next++; i < work.length; i = next++) results[i] = await work[i]();
  };
  await Promise.all(Array.from({ length: RUNS_AT_ONCE }, worker));
  return results;
}

async function run(kind: MockKind, one: Case, seed: string): Promise<FaultReport> {
  const clock = new TurnClock();
  const faults = specs(kind, one);
  const whole = one === "none";
  return await clock.drive(
    runWithFaults(
      {
        venue: kind.name,
        market: MARKET,
        faults,
        seed,
        limit_ms: LIMIT_MS,
        speed: SPEED,
        whole,
        start_delay_ms: START_DELAY_MS,
        max_silence_ms: whole ? PATIENT_MS : MAX_SILENCE_MS,
      },
      clock,
    ),
  );
}

for (const [name, kind] of Object.entries(MOCKS)) {
  const cases: readonly Case[] = ["none", ...kind.faults, "all"];
  const seeds = Array.from({ length: SEEDS }, (_, i) => `seed ${i + 1}`);
  Deno.test(`${name}: ${cases.length} faults, ${SEEDS} seeds`, async () => {
    const all = cases.flatMap((one) => seeds.map((seed) => ({ one, seed })));
    const reports = await pooled(all.map(({ one, seed }) => async () => await run(kind, one, seed)));
    const failures: string[] = [];
    for (const [i, { one, seed }] of all.entries()) {
      const { wrong, stats, elapsed_ms } = reports[i];
      if (wrong.length > 0) {
        const injected = Object.entries(stats.injected).filter(([, count]) => count > 0);
        failures.push(
          `${one}, ${seed}, ${Math.round(elapsed_ms)} ms, injected ${JSON.stringify(injected)}:\n  ${
            wrong.slice(0, 10).join("\n  ")
          }`,
        );
      }
    }
    assert.equal(failures.join("\n"), "");
    for (const fault of kind.faults) {
      const of_fault = reports.filter((_, i) => all[i].one === fault);
      // Without books or numbers a lost or repeated frame leaves no trace.
      const leaves_trace = kind.channels.includes("book") ||
        !["drop", "duplicate", "reorder", "corrupt", "stall"].includes(fault);
      const injected = leaves_trace
        ? requireTold(name, fault, of_fault, reports[0])
        : of_fault.reduce((sum, { stats }) => sum + stats.injected[fault], 0);
      if (CERTAIN.includes(fault)) assert.ok(injected > 0, `${name}: ${fault} was never injected`);
    }
  });
}
