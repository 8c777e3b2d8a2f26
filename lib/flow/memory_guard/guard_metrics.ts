/** What the memory guard counts, as `mdg_memory_*`. Gauges are brought up to date at each scrape. */
import type { MetricFamily, Metrics, MetricValue } from "../../base/metrics.ts";
import type { GuardState } from "../memory_guard.ts";

export interface GuardMetrics {
  readonly samples: MetricValue;
  readonly oscillations: MetricValue;
  /** By level, each time it is entered. */
  readonly levels: MetricFamily<MetricValue>;
  /** By reason: "class", "share". */
  readonly evictions: MetricFamily<MetricValue>;
  readonly evicted_bytes: MetricFamily<MetricValue>;
  readonly reclaims: MetricValue;
  readonly reclaim_seconds: MetricValue;
  readonly pauses: MetricFamily<MetricValue>;
  readonly faults: MetricValue;
}

export function guardMetrics(metrics: Metrics): GuardMetrics {
  return {
    samples: metrics.counter("mdg_memory_samples_total", "Times that the memory guard looked").with(),
    oscillations: metrics.counter(
      "mdg_memory_oscillations_total",
      "Levels of the memory guard entered again within 10 s of being left",
    ).with(),
    levels: metrics.counter("mdg_memory_levels_total", "Levels of the memory guard entered", ["level"]),
    evictions: metrics.counter("mdg_memory_evictions_total", "Clients evicted for memory, by what decided", [
      "reason",
    ]),
    evicted_bytes: metrics.counter(
      "mdg_memory_evicted_bytes_total",
      "Bytes that evicted clients held, by what decided",
      ["reason"],
    ),
    reclaims: metrics.counter(
      "mdg_memory_reclaims_total",
      "Times that garbage was collected and free memory given back because memory was short",
    ).with(),
    reclaim_seconds: metrics.counter(
      "mdg_memory_reclaim_seconds_total",
      "Time that the main thread stood still for it",
    ).with(),
    pauses: metrics.counter("mdg_memory_pauses_total", "Upstreams paused for memory", ["upstream"]),
    faults: metrics.counter(
      "mdg_memory_faults_total",
      "Pools, clients and upstreams that failed when the memory guard asked something of them",
    ).with(),
  };
}

/** Returns how to stop. */
export function showGuardState(metrics: Metrics, state: () => GuardState): () => void {
  const gauge = (name: string, help: string) => metrics.gauge(`mdg_memory_${name}`, help).with();
  const budget = gauge("budget_bytes", "What the process may use");
  const used = gauge(
    "used_bytes",
    "What counts against the budget: resident, less what is let go and not given back yet",
  );
  const level = gauge(
    "level",
    "0 fine, 1 refuse and conflate, 2 evict by class, 3 by size, 4 upstreams paused",
  );
  const client = gauge("client_bytes", "Bytes queued for clients, counted for each");
  const unique = gauge("unique_bytes", "Bytes queued for clients, what they share counted once");
  const clients = gauge("clients", "Clients that the memory guard looks after");
  return metrics.onCollect(() => {
    const now = state();
    budget.value = now.budget_bytes;
    used.value = now.used_bytes;
    level.value = now.level;
    client.value = now.client_bytes;
    unique.value = now.unique_bytes;
    clients.value = now.clients;
  });
}
