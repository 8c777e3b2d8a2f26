/**
 * At most one message in an interval, and never the last change lost: the first goes at once, what follows within the
 * interval is told at its end, by then once. Only the newest wish is kept.
 */
import type { Clock, Timer } from "../../../base/clock.ts";

export class Pace {
  #last_ms = -Infinity;
  #timer: Timer | undefined;
  #tell: (() => void) | undefined;

  /** `flush` lets out what a timer told: no batch of the hub ends then. */
  constructor(readonly clock: Clock, readonly interval_ms: number, readonly flush: () => void) {}

  request(tell: () => void): void {
    const now_ms = this.clock.monotonic_ms();
    const wait_ms = this.#last_ms + this.interval_ms - now_ms;
    if (wait_ms <= 0 && this.#timer === undefined) {
      this.#last_ms = now_ms;
      return tell();
    }
    this.#tell = tell;
    this.#timer ??= this.clock.after(Math.max(1, Math.ceil(wait_ms)), () => {
      this.#timer = undefined;
      this.#last_ms = this.clock.monotonic_ms();
      const due = this.#tell;
      this.#tell = undefined;
      due?.();
      this.flush();
    });
  }
  /** What waits is no longer true. */
  forget(): void {
    this.#tell = undefined;
  }
  stop(): void {
    this.forget();
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
