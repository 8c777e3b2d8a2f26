/**
 * A process that writes the pattern: `pattern_writer.ts '{"name", "events", …}'`. Waits for a line on stdin between
 * opening the segment and writing, and another before it ends; says "open" and "written <seconds>" on stdout.
 */
import { geometryOf } from "../../../../lib/sinks/shared_memory/layout.ts";
import { Segment } from "../../../../lib/sinks/shared_memory/segment.ts";
import { monotonicClock } from "../../../../lib/os/monotonic_clock.ts";
import { pinProcess } from "../../../../lib/os/cpu_affinity.ts";
import { patternBook, patternTrade, setPattern } from "./pattern.ts";
import { TearingWriter } from "./tearing_writer.ts";

const DEPTH = 20;

export interface PatternPlan {
  name: string;
  /** Sequence of the last event. */
  events: number;
  ring_events: number;
  /** Events a second; as fast as it goes when absent. */
  rate?: number;
  cpu?: number;
  /** Books instead of trades. */
  books?: true;
  /** Every event is torn on purpose. */
  tear?: true;
}

function run(plan: PatternPlan): void {
  if (plan.cpu !== undefined) pinProcess([plan.cpu]);
  const now_us = monotonicClock();
  const geometry = geometryOf(4, DEPTH, plan.ring_events);
  using segment = new Segment({
    name: plan.name,
    geometry,
    mode: 0o600,
    heartbeat_interval_ms: 100,
    started_us: 1,
    keep: false,
  }, now_us);
  say("open");
  waitForLine();
  const from_us = now_us();
  if (plan.books) writeBooks(segment, plan);
  else if (!plan.tear) writePattern(segment, plan, now_us);
  else writeTorn(segment, plan, now_us);
  say(`written ${(now_us() - from_us) / 1e6}`);
  waitForLine();
}

function writePattern(segment: Segment, plan: PatternPlan, now_us: () => number): void {
  const { writer } = segment;
  const trade = patternTrade(2);
  const from_us = now_us();
  const step_us = plan.rate === undefined ? 0 : 1e6 / plan.rate;
  // event 1 announces the instrument
  for (let n = 2; n <= plan.events; n++) {
    if (step_us > 0) { while (now_us() < from_us + n * step_us); }
    setPattern(trade, n);
    writer.trade(trade);
  }
}

function writeBooks(segment: Segment, plan: PatternPlan): void {
  for (let n = 1; n <= plan.events; n++) segment.writer.book(patternBook(n, DEPTH), false);
}

function writeTorn(segment: Segment, plan: PatternPlan, now_us: () => number): void {
  const { buffer, geometry } = segment.writer;
  const tearing = new TearingWriter(buffer, geometry, now_us);
  const trade = patternTrade(1);
  for (let n = 1; n <= plan.events; n++) {
    setPattern(trade, n);
    tearing.trade(trade, n);
  }
}

function say(text: string): void {
  Deno.stdout.writeSync(new TextEncoder().encode(text + "\n"));
}
function waitForLine(): void {
  Deno.stdin.readSync(new Uint8Array(16));
}

run(JSON.parse(Deno.args[0]) as PatternPlan);
