/**
 * A running gateway's parts as rows and totals, from two readings of its health port. Rates and what is "new" are of the
 * time between them; the first reading has none. What this gateway does not tell is absent.
 */
import { bucketQuantile, bucketsSince, type MetricsPage } from "../../formats/prometheus_text.ts";
import { increase } from "../known_numbers.ts";
import { type FeedOptions, type FeedRow, feedRows } from "./feed_rows.ts";
import type { GatewayLook } from "./health_port.ts";

export interface BookRow {
  venue: string;
  symbol: string;
  in_sync: boolean;
  updates_per_s?: number;
  /** Of the symbol; shared by venues that have it. */
  latency_p99_us?: number;
  resyncs?: number;
  audit_differed?: number;
  /** Since the last event of the symbol. */
  silent_s?: number;
}
export interface SinkRow {
  sink: string;
  published_per_s?: number;
  queued?: number;
  queued_bytes?: number;
  /** Since the gateway started, and since the last look. */
  dropped?: number;
  new_dropped?: number;
  conflated?: number;
  errors?: number;
  new_errors?: number;
}
/** Of all WebSocket servers. */
export interface ClientTotals {
  clients: number;
  subscriptions?: number;
  queued_bytes?: number;
  sent_frames_per_s?: number;
  sent_bytes_per_s?: number;
  skipped?: number;
  new_skipped?: number;
  /** Subscriptions ended because their client was too slow for too long. */
  shed?: number;
  refused?: number;
  /** Age of what clients read. */
  lag_p99_ms?: number;
}
/** The memory guard: one budget for the whole process. */
export interface MemoryState {
  used_bytes?: number;
  budget_bytes?: number;
  used_pct?: number;
  /** 0 fine, 1 refuse and conflate, 2 evict by class, 3 by size, 4 upstreams paused. */
  level?: number;
  client_bytes?: number;
  evicted?: number;
  new_evicted?: number;
  pauses?: number;
}
export interface ProcessState {
  uptime_s?: number;
  resident_bytes?: number;
  heap_bytes?: number;
  external_bytes?: number;
  event_loop_lag_p99_s?: number;
  runtime?: string;
}
export interface GatewayState {
  version?: string;
  ready: boolean;
  reasons: string[];
  /** Between the two readings; absent at the first one of a process. */
  elapsed_s?: number;
  /** The process began anew since the reading before. */
  restarted: boolean;
  feeds: FeedRow[];
  books: BookRow[];
  sinks: SinkRow[];
  clients?: ClientTotals;
  memory?: MemoryState;
  process: ProcessState;
  messages_per_s?: number;
  /** Frames that were malformed or unknown, since the last look. */
  new_malformed?: number;
  latency_p50_us?: number;
  latency_p99_us?: number;
}

const LATENCY = "processing_latency_microseconds";

export function gatewayState(
  now: GatewayLook,
  before: GatewayLook | undefined,
  options: FeedOptions,
): GatewayState {
  // A new process counts from nothing: there is no time between the two.
  const past = before && isSameProcess(now.page, before.page) ? before : undefined;
  const elapsed_s = past && (now.at_ms - past.at_ms) / 1000;
  const delta = new Delta(now.page, past?.page, elapsed_s);
  return {
    version: now.version,
    ready: now.ready,
    reasons: now.reasons,
    elapsed_s,
    restarted: before !== undefined && past === undefined,
    feeds: feedRows(now, past, options),
    books: bookRows(now, delta),
    sinks: sinkRows(delta),
    clients: clientTotals(delta),
    memory: memoryState(delta),
    process: processState(now),
    messages_per_s: delta.rate("messages_processed_total"),
    new_malformed: delta.gained("messages_error_total"),
    latency_p50_us: delta.quantile(0.5, LATENCY),
    latency_p99_us: delta.quantile(0.99, LATENCY),
  };
}

function isSameProcess(now: MetricsPage, before: MetricsPage): boolean {
  const started = "process_start_time_seconds";
  return now.value(started) === before.value(started);
}

type Labels = Readonly<Record<string, string>>;

/** Two pages of one process. */
class Delta {
  constructor(
    readonly now: MetricsPage,
    readonly before: MetricsPage | undefined,
    readonly elapsed_s: number | undefined,
  ) {}
  /** A family whose children appear with their first count began at 0. */
  gained(name: string, labels: Labels = {}): number | undefined {
    if (!this.before) return undefined;
    return increase(this.now.sum(name, labels), this.before.sum(name, labels) ?? 0);
  }
  /** Of a part that is known to be there: a family without children has counted nothing yet. */
  sum(name: string): number {
    return this.now.sum(name) ?? 0;
  }
  gainedIn(name: string): number | undefined {
    return this.before && increase(this.sum(name), this.before.sum(name) ?? 0);
  }
  rate(name: string, labels: Labels = {}): number | undefined {
    const gained = this.gained(name, labels);
    return gained === undefined || !this.elapsed_s ? undefined : gained / this.elapsed_s;
  }
  quantile(q: number, name: string, labels: Labels = {}): number | undefined {
    if (!this.before) return undefined;
    return bucketQuantile(
      q,
      bucketsSince(this.now.buckets(name, labels), this.before.buckets(name, labels)),
    );
  }
}

function bookRows({ page, gateway_ms }: GatewayLook, delta: Delta): BookRow[] {
  return page.all("book_in_sync").map(({ labels: { venue, symbol }, value }) => {
    const labels = { venue, symbol };
    const heard_s = page.value("feed_last_event_timestamp_seconds", labels);
    return {
      venue,
      symbol,
      in_sync: value === 1,
      updates_per_s: delta.rate("orderbook_updates_total", { symbol }),
      latency_p99_us: delta.quantile(0.99, LATENCY, { symbol }),
      resyncs: page.value("book_resyncs_total", labels),
      audit_differed: page.value("book_audit_differed_total", labels),
      silent_s: heard_s === undefined ? undefined : Math.max(0, gateway_ms / 1000 - heard_s),
    };
  });
}

function sinkRows(delta: Delta): SinkRow[] {
  const { now } = delta;
  return now.all("sink_queued").map(({ labels: { sink }, value }) => ({
    sink,
    published_per_s: delta.rate("sink_published_total", { sink }),
    queued: value,
    queued_bytes: now.value("sink_queued_bytes", { sink }),
    dropped: now.sum("sink_dropped_total", { sink }),
    new_dropped: delta.gained("sink_dropped_total", { sink }),
    conflated: now.value("sink_conflated_total", { sink }),
    errors: now.value("sink_errors_total", { sink }),
    new_errors: delta.gained("sink_errors_total", { sink }),
  }));
}

function clientTotals(delta: Delta): ClientTotals | undefined {
  const { now } = delta;
  const clients = now.value("mdg_websocket_clients");
  if (clients === undefined) return undefined;
  const lag_p99_s = delta.quantile(0.99, "mdg_websocket_lag_seconds");
  return {
    clients,
    subscriptions: now.value("mdg_websocket_subscriptions"),
    queued_bytes: now.value("mdg_websocket_queued_bytes"),
    sent_frames_per_s: delta.rate("mdg_websocket_sent_frames_total"),
    sent_bytes_per_s: delta.rate("mdg_websocket_sent_bytes_total"),
    skipped: delta.sum("mdg_websocket_skipped_frames_total"),
    new_skipped: delta.gainedIn("mdg_websocket_skipped_frames_total"),
    shed: delta.sum("mdg_websocket_shed_total"),
    refused: delta.sum("mdg_websocket_refused_total"),
    lag_p99_ms: lag_p99_s === undefined ? undefined : lag_p99_s * 1000,
  };
}

function memoryState(delta: Delta): MemoryState | undefined {
  const { now } = delta;
  const used_bytes = now.value("mdg_memory_used_bytes");
  const budget_bytes = now.value("mdg_memory_budget_bytes");
  if (used_bytes === undefined || !budget_bytes) return undefined;
  return {
    used_bytes,
    budget_bytes,
    used_pct: 100 * used_bytes / budget_bytes,
    level: now.value("mdg_memory_level"),
    client_bytes: now.value("mdg_memory_client_bytes"),
    evicted: delta.sum("mdg_memory_evictions_total"),
    new_evicted: delta.gainedIn("mdg_memory_evictions_total"),
    pauses: delta.sum("mdg_memory_pauses_total"),
  };
}

function processState({ page, gateway_ms }: GatewayLook): ProcessState {
  const started_s = page.value("process_start_time_seconds");
  const [build] = page.all("mdg_build_info");
  return {
    uptime_s: started_s === undefined ? undefined : Math.max(0, gateway_ms / 1000 - started_s),
    resident_bytes: page.value("process_resident_memory_bytes"),
    heap_bytes: page.value("mdg_heap_used_bytes"),
    external_bytes: page.value("mdg_external_memory_bytes"),
    event_loop_lag_p99_s: page.value("mdg_event_loop_lag_p99_seconds"),
    runtime: build?.labels.deno,
  };
}
