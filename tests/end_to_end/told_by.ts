/**
 * What was injected must be told: for each fault, our own counters of which one at least must have moved beyond what a
 * clean run shows. `delay` and `late-snapshot` lose nothing, so nothing need be told.
 */
import assert from "node:assert/strict";
import type { Fault } from "../../lib/mocks/mock.ts";
import type { FaultReport } from "./fault_run.ts";

const LOSS = [
  "sequence_errors_total",
  "book_resyncs_total",
  "book_repairs_total",
  "trades_missed_total",
  "websocket_disconnects_total",
];
const TOLD_BY: Partial<Record<Fault, (venue: string) => string[]>> = {
  drop: () => LOSS,
  // Where the connection counts its frames, the feed itself sets a repeated one aside.
  duplicate: (venue) => [
    "book_deltas_stale_total",
    "trades_repeated_total",
    `feed_frames_total{${venue},unknown}`,
  ],
  reorder: () => [...LOSS, "trades_late_total", "book_deltas_stale_total"],
  disconnect: () => ["websocket_disconnects_total"],
  corrupt: () => ["messages_error_total", ...LOSS],
  // A stall shorter than the silence limit is told by the gap that it left.
  stall: () => [...LOSS, "feed_silent_streams_total"],
  "429": (venue) => [`snapshot_requests_total{${venue},429}`],
  "lying-ack": () => ["feed_silent_streams_total"],
};

/**
 * Over the runs of one fault: what was injected must be seen in the counters.
 * @param clean a run of the same market without faults
 * @returns how often it was injected
 */
export function requireTold(
  venue: string,
  fault: Fault,
  reports: readonly FaultReport[],
  clean: FaultReport,
): number {
  const injected = reports.reduce((sum, { stats }) => sum + stats.injected[fault], 0);
  const names = TOLD_BY[fault]?.(venue);
  if (injected === 0 || names === undefined) return injected;
  const beyond = (name: string) =>
    reports.some(({ counters }) => (counters[name] ?? 0) > (clean.counters[name] ?? 0));
  assert.ok(
    names.some(beyond),
    `${venue} ${fault}: injected ${injected} times, yet none of ${names.join(", ")} moved`,
  );
  return injected;
}
