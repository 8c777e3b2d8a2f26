/**
 * When this process itself stood still: a tick that comes late says that nothing could be read meanwhile. What such a time
 * adds to a handshake is not the host's, so whoever measures asks how much of a wait it was.
 */
import type { Clock, Timer } from "../../base/clock.ts";

const PERIOD_MS = 10;
/** Timers are late by that much on an idle machine. */
const SLACK_MS = 2;
const MAX_STALLS = 10_000;

export class LoopWatch implements Disposable {
  readonly #timer: Timer;
  /** Oldest first; beyond the bound the oldest are forgotten. */
  readonly #stalls: { from_ms: number; to_ms: number }[] = [];
  #due_ms: number;

  constructor(readonly clock: Clock) {
    this.#due_ms = clock.monotonic_ms() + PERIOD_MS;
    this.#timer = clock.every(PERIOD_MS, () => this.#tick());
  }
  /** Of the time between the two, the milliseconds in which this process stood still. */
  stalled_ms(from_ms: number, to_ms: number): number {
    // the tick that is overdue now may run after what it delayed
    let sum_ms = to_ms - this.#due_ms > SLACK_MS ? to_ms - Math.max(from_ms, this.#due_ms) : 0;
    for (let i = this.#stalls.length - 1; i >= 0; i--) {
      const stall = this.#stalls[i];
      if (stall.to_ms <= from_ms) break;
      sum_ms += Math.max(0, Math.min(to_ms, stall.to_ms) - Math.max(from_ms, stall.from_ms));
    }
    return sum_ms;
  }
  [Symbol.dispose](): void {
    this.#timer.cancel();
  }

  #tick(): void {
    const now_ms = this.clock.monotonic_ms();
    if (now_ms - this.#due_ms > SLACK_MS) {
      this.#stalls.push({ from_ms: this.#due_ms, to_ms: now_ms });
      if (this.#stalls.length > MAX_STALLS) this.#stalls.shift();
    }
    this.#due_ms = now_ms + PERIOD_MS;
  }
}
