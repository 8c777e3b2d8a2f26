/**
 * How late the event loop runs its timers: the first thing to look at when latencies rise. A timer every 50 ms is
 * compared with the monotonic clock; the last minute's samples stay in a ring, so memory is fixed.
 */
import type { Clock, Timer } from "../../base/clock.ts";

const PERIOD_MS = 50;
const SAMPLES = 60_000 / PERIOD_MS;

export class EventLoopLag implements Disposable {
  readonly #samples_ms = new Float64Array(SAMPLES);
  readonly #timer: Timer;
  #taken = 0;
  #due_ms: number;

  constructor(readonly clock: Clock) {
    this.#due_ms = clock.monotonic_ms() + PERIOD_MS;
    this.#timer = clock.every(PERIOD_MS, () => this.#sample());
  }
  #sample(): void {
    const now_ms = this.clock.monotonic_ms();
    this.#samples_ms[this.#taken++ % SAMPLES] = Math.max(0, now_ms - this.#due_ms);
    this.#due_ms = now_ms + PERIOD_MS;
  }
  /** Quantile `q` (0 … 1) of the last minute, seconds; undefined before the first sample. */
  quantile(q: number): number | undefined {
    const count = Math.min(this.#taken, SAMPLES);
    if (count === 0) return undefined;
    const sorted = this.#samples_ms.slice(0, count).sort();
    return sorted[Math.min(count - 1, Math.floor(q * count))] / 1000;
  }
  [Symbol.dispose](): void {
    this.#timer.cancel();
  }
}
