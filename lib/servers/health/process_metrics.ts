/**
 * What the process itself says at each scrape: memory, event-loop lag, start time, build. Written into the same
 * `Metrics` as everything else, so there is one exposition.
 */
import process from "node:process";
import type { Clock } from "../../base/clock.ts";
import type { Metrics } from "../../base/metrics.ts";
import { EventLoopLag } from "./event_loop_lag.ts";

/** Starts measuring; disposing stops it and leaves the last values. */
export function processMetrics(metrics: Metrics, clock: Clock, version: string): Disposable {
  const resident = metrics.gauge("process_resident_memory_bytes", "Resident memory of the process").with();
  const heap_used = metrics.gauge("mdg_heap_used_bytes", "JavaScript heap in use").with();
  const heap_total = metrics.gauge("mdg_heap_size_bytes", "JavaScript heap reserved").with();
  const external = metrics.gauge("mdg_external_memory_bytes", "Memory of buffers outside the JavaScript heap")
    .with();
  const lag = metrics.gauge(
    "mdg_event_loop_lag_p99_seconds",
    "99th percentile over the last minute of how late timers run",
  );
  metrics.gauge("process_start_time_seconds", "Start of the process, Unix epoch").with().value =
    Math.round(clock.now_ms() - process.uptime() * 1000) / 1000;
  metrics.gauge("mdg_build_info", "1, labelled with what runs", ["version", "deno"]).with(
    version,
    Deno.version.deno,
  )
    .value = 1;
  const loop = new EventLoopLag(clock);
  const stop = metrics.onCollect(() => {
    const memory = Deno.memoryUsage();
    resident.value = memory.rss;
    heap_used.value = memory.heapUsed;
    heap_total.value = memory.heapTotal;
    external.value = memory.external;
    const p99_seconds = loop.quantile(0.99);
    if (p99_seconds !== undefined) lag.with().value = p99_seconds;
  });
  return {
    [Symbol.dispose]() {
      stop();
      loop[Symbol.dispose]();
    },
  };
}
