/**
 * How long updates take to each exit (a sink's queue, a server), from the receipt of their frame and from the venue's own
 * time. Metrics for dashboards, finer histograms and a timeline for reports. A replay's frames are received when they are
 * played: its source says when that was. Bound: an hour of seconds per exit; older ones are folded into the total.
 */
import type { Clock } from "../base/clock.ts";
import { LogHistogram } from "../base/log_histogram.ts";
import type { HistogramValue, MetricFamily, Metrics } from "../base/metrics.ts";
import type { HubUpdate } from "../market/update.ts";
import { LATENCY_BOUNDS_US } from "./pipeline_metrics.ts";

const PERIOD_MS = 1_000;
const MAX_PERIODS = 3_600;
/** Exchange times have milliseconds, and reach further. */
const EXCHANGE_BOUNDS_US = [...LATENCY_BOUNDS_US, 200_000, 500_000, 1_000_000, 5_000_000];

/** Dashboards take seconds, the base unit; reports take microseconds. */
const seconds = (us: number) => us / 1_000_000;

export interface LatencyPeriod {
  /** Since the record began, seconds. */
  at_s: number;
  count: number;
  p50_us: number;
  p99_us: number;
  max_us: number;
}

/** One exit's record. */
export class ExitLatency {
  readonly received = new LogHistogram();
  readonly exchange = new LogHistogram();
  /** Of receipt to exit, oldest first. */
  readonly periods: LatencyPeriod[] = [];
  readonly #present = new LogHistogram();
  #period_end_ms = -Infinity;

  constructor(
    readonly name: string,
    readonly received_metric: HistogramValue,
    readonly exchange_metric: HistogramValue,
    readonly started_ms: number,
  ) {}
  observe(elapsed_us: number, exchange_us: number, now_ms: number): void {
    this.received.observe(elapsed_us);
    this.received_metric.observe(seconds(elapsed_us));
    // A venue's clock that is ahead of ours tells no latency.
    if (exchange_us > 0) {
      this.exchange.observe(exchange_us);
      this.exchange_metric.observe(seconds(exchange_us));
    }
    if (now_ms >= this.#period_end_ms) this.closePeriod(now_ms);
    this.#present.observe(elapsed_us);
  }
  closePeriod(now_ms: number): void {
    const { count, max } = this.#present;
    if (count > 0) {
      this.periods.push({
        at_s: (this.#period_end_ms - this.started_ms) / 1_000,
        count,
        p50_us: this.#present.quantile(0.5)!,
        p99_us: this.#present.quantile(0.99)!,
        max_us: max,
      });
      if (this.periods.length > MAX_PERIODS) this.periods.shift();
      this.#present.clear();
    }
    this.#period_end_ms = now_ms + PERIOD_MS;
  }
}

/** When a frame of this recorded receive time was played, by the host's clock; undefined when it is not known. */
export type PlayedAt = (received_us: number) => number | undefined;

export class LatencyRecord {
  readonly exits = new Map<string, ExitLatency>();
  readonly #received: MetricFamily<HistogramValue>;
  readonly #exchange: MetricFamily<HistogramValue>;
  readonly #played = new Map<string, PlayedAt>();
  readonly #started_ms: number;

  constructor(readonly clock: Clock, metrics: Metrics) {
    this.#started_ms = clock.monotonic_ms();
    this.#received = metrics.histogram(
      "exit_latency_seconds",
      "From frame received to update handed to this exit",
      ["exit"],
      LATENCY_BOUNDS_US.map(seconds),
    );
    this.#exchange = metrics.histogram(
      "exit_exchange_latency_seconds",
      "From the venue's own time to update handed to this exit",
      ["exit"],
      EXCHANGE_BOUNDS_US.map(seconds),
    );
  }
  /** Frames of this venue are a replay's. */
  replayed(venue: string, played: PlayedAt): void {
    this.#played.set(venue, played);
  }
  /** The update was handed to this exit just now. */
  handed(exit: string, update: HubUpdate): void {
    // What is beside a book came with its frame.
    if (update.kind === "book_status" || update.kind === "orders") return;
    const now_us = this.clock.now_us();
    const received_us = this.#played.size === 0
      ? update.received_us
      : this.#played.get(update.venue)?.(update.received_us);
    // Built on a timer (candles), or told anew from what is known: no frame brought it now.
    if (received_us === undefined) return;
    const elapsed_us = Math.max(now_us - received_us, 0.125);
    const exchange_us = update.exchange_ms === undefined
      ? 0
      : update.received_us - update.exchange_ms * 1_000 + elapsed_us;
    this.#exit(exit).observe(elapsed_us, exchange_us, now_us / 1_000 - this.#offset_ms);
  }
  /** What is known up to now. */
  close(): ExitLatency[] {
    const exits = [...this.exits.values()];
    for (const exit of exits) exit.closePeriod(this.clock.now_us() / 1_000 - this.#offset_ms);
    return exits;
  }

  /** Wall time is read once per update; periods are told from the start of the record. */
  get #offset_ms(): number {
    return this.#wall_offset_ms ??= this.clock.now_us() / 1_000 - this.clock.monotonic_ms();
  }
  #wall_offset_ms: number | undefined;
  #exit(name: string): ExitLatency {
    let exit = this.exits.get(name);
    if (exit === undefined) {
      exit = new ExitLatency(name, this.#received.with(name), this.#exchange.with(name), this.#started_ms);
      this.exits.set(name, exit);
    }
    return exit;
  }
}
