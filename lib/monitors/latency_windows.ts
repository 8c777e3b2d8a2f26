/**
 * Latencies since the last look, over the last minute and over all the time. What is still waited for is given in when
 * they are read, as long as it has waited so far: a stall shows while it lasts.
 */
import { LatencyHistogram } from "../base/latency_histogram.ts";

const SHARES = [0.5, 0.9, 0.99, 0.999];
const MINUTE_MS = 60_000;
const SLICE_MS = 1_000;

export interface LatencyHistograms {
  readonly last: LatencyHistogram;
  readonly minute: LatencyHistogram;
  readonly total: LatencyHistogram;
}

/** Absent where nothing was measured. */
export interface LatencyFigures {
  readonly count: number;
  readonly p50_us?: number;
  readonly p90_us?: number;
  readonly p99_us?: number;
  readonly p999_us?: number;
  readonly max_us?: number;
}

export function latencyFigures(histogram: LatencyHistogram): LatencyFigures {
  const [p50_us, p90_us, p99_us, p999_us] = histogram.quantiles_us(SHARES);
  return { count: histogram.count, p50_us, p90_us, p99_us, p999_us, max_us: histogram.max_us };
}

export class LatencyWindows {
  readonly #last = new LatencyHistogram();
  readonly #total = new LatencyHistogram();
  /** One a second that had values, oldest first. */
  readonly #slices: { at_ms: number; histogram: LatencyHistogram }[] = [];

  record(latency_us: number, now_ms: number): void {
    this.#last.record(latency_us);
    this.#total.record(latency_us);
    let slice = this.#slices.at(-1);
    if (slice === undefined || now_ms - slice.at_ms >= SLICE_MS) {
      this.#slices.push(slice = { at_ms: now_ms, histogram: new LatencyHistogram() });
      this.#forget(now_ms);
    }
    slice.histogram.record(latency_us);
  }
  /** The longest since the last `take`; 0 when there was none. */
  get last_max_us(): number {
    return this.#last.max_us ?? 0;
  }
  /** Copies of what there is now, and a new look begins. `pending_us`: waits that have not ended. */
  take(now_ms: number, pending_us: Iterable<number> = []): LatencyHistograms {
    this.#forget(now_ms);
    const [last, minute, total] = [new LatencyHistogram(), new LatencyHistogram(), new LatencyHistogram()];
    last.add(this.#last);
    this.#last.clear();
    total.add(this.#total);
    for (const { histogram } of this.#slices) minute.add(histogram);
    for (const us of pending_us) for (const histogram of [last, minute, total]) histogram.record(us);
    return { last, minute, total };
  }
  #forget(now_ms: number): void {
    while (this.#slices.length > 0 && now_ms - this.#slices[0].at_ms > MINUTE_MS) this.#slices.shift();
  }
}
