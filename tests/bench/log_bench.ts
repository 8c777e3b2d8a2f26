/**
 * Log files: updates encoded, queued, appended and acknowledged, beside the same lines appended bare in one loop. The
 * disk is that of the temporary folder; nothing is fsynced in either, so that the figure is mdg's and not the disk's.
 */
import { nextTurn, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { DeliveryQueue } from "../../lib/flow/delivery_queue.ts";
import { tradePayload } from "../../lib/flow/json_payload.ts";
import { log } from "../../lib/sinks/log.ts";
import { patternTrade } from "../lib/sinks/shared_memory/pattern.ts";
import { print, row } from "./figures.ts";

const LINES = 500_000;
const LINES_PER_FLUSH = 256;

/** Lines a second of a baseline that does nothing else: encode, join, append. */
async function bare(directory: string): Promise<number> {
  using file = await Deno.open(`${directory}/bare`, { write: true, create: true, truncate: true });
  const encoder = new TextEncoder();
  const from_ms = systemClock.monotonic_ms();
  for (let n = 0; n < LINES;) {
    let text = "";
    for (let i = 0; i < LINES_PER_FLUSH; i++, n++) {
      text += tradePayload(patternTrade(n)) + "\n";
    }
    const bytes = encoder.encode(text);
    for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
  }
  return LINES * 1_000 / (systemClock.monotonic_ms() - from_ms);
}

async function sink(directory: string, config: Record<string, unknown>): Promise<number> {
  const context = {
    name: "log",
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    seed: "bench",
    writable() {},
  };
  const target = await log.connect(log.schema.parse({ directory, fsync: "never", ...config }), context);
  const queue = new DeliveryQueue(target, { ...context, readBook: () => undefined }, {
    lag_messages: 2 * LINES,
    max_trades: 2 * LINES,
    max_bytes: 2 ** 31,
  });
  const from_ms = systemClock.monotonic_ms();
  for (let n = 1; n <= LINES; n++) {
    queue.offer(patternTrade(n));
    if (n % LINES_PER_FLUSH === 0) {
      queue.flush();
      await nextTurn();
    }
  }
  const left = await queue.close(60_000);
  const elapsed_ms = systemClock.monotonic_ms() - from_ms;
  await target[Symbol.asyncDispose]();
  if (left > 0) throw new Error(`log: ${left} lines left`);
  return LINES * 1_000 / elapsed_ms;
}

async function best(measure: (directory: string) => Promise<number>): Promise<number> {
  let most = 0;
  for (let round = 0; round < 3; round++) {
    const directory = await Deno.makeTempDir({ prefix: "mdg-bench-" });
    try {
      most = Math.max(most, await measure(directory));
    } finally {
      await Deno.remove(directory, { recursive: true });
    }
  }
  return most;
}

print(`${LINES} trades to NDJSON`);
const baseline = await best(bare);
const figure = (lines_per_s: number) => `${(lines_per_s / 1_000).toFixed(0)} k/s`;
row("baseline: one loop, one file, nothing else", figure(baseline));
for (
  const [what, config] of [
    ["sink, one file", { compress: "none" }],
    ["sink, rotating every 4 MB", { compress: "none", max_file_bytes: 4_000_000 }],
    ["sink, rotating every 4 MB, gzip beside it", { compress: "gzip", max_file_bytes: 4_000_000 }],
  ] as const
) {
  const lines_per_s = await best((directory) => sink(directory, config));
  row(what, figure(lines_per_s), `${(lines_per_s / baseline).toFixed(2)}×`);
}
