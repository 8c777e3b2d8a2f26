/**
 * When this process itself stood still: a tick that comes late says that nothing could be read meanwhile. What that adds
 * to a handshake is not the host's, so whoever measures asks how late it came to read.
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
  /**
   * How long this process had stood still when it came to do something at `at_ms`, back to `since_ms` at most: what it
   * read then may have lain there for as long. A standstill in the middle of a wait delays nothing.
   */
  late_ms(at_ms: number, since_ms: number): number {
    // the tick that is overdue may run after what it delayed
    if (at_ms - this.#due_ms > SLACK_MS) return at_ms - Math.max(since_ms, this.#due_ms);
    const stall = this.#stalls.findLast(({ from_ms }) => from_ms < at_ms);
    if (!stall || at_ms - stall.to_ms > SLACK_MS) return 0;
    return Math.max(0, Math.min(at_ms, stall.to_ms) - Math.max(since_ms, stall.from_ms));
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
