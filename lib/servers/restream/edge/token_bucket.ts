/** So many per second, with a burst: the limit on what one client may ask. */
import type { Clock } from "../../../base/clock.ts";

export class TokenBucket {
  #tokens: number;
  #at_ms: number;

  constructor(readonly clock: Clock, readonly per_second: number, readonly burst: number) {
    this.#tokens = burst;
    this.#at_ms = clock.monotonic_ms();
  }
  /** False when there is none left; nothing is taken then. */
  take(): boolean {
    const now_ms = this.clock.monotonic_ms();
    this.#tokens = Math.min(this.burst, this.#tokens + (now_ms - this.#at_ms) * this.per_second / 1000);
    this.#at_ms = now_ms;
    if (this.#tokens < 1) return false;
    this.#tokens--;
    return true;
  }
}
