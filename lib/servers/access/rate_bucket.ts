/**
 * So many units per second, with a burst: the one rule behind every limit of this folder. Something larger than the burst
 * passes when the bucket is full and leaves a debt, so the mean holds and nothing waits for ever.
 */
import type { Clock } from "../../base/clock.ts";

export class RateBucket {
  #tokens: number;
  #at_ms: number;

  constructor(readonly clock: Clock, public per_second: number, public burst: number) {
    this.#tokens = burst;
    this.#at_ms = clock.monotonic_ms();
  }
  /** False when there is not enough; nothing is taken then. */
  take(amount = 1): boolean {
    this.#refill();
    if (this.#tokens < Math.min(amount, this.burst)) return false;
    this.#tokens -= amount;
    return true;
  }
  /** Takes up to `want`, whole units; what was taken. */
  draw(want: number): number {
    this.#refill();
    const taken = Math.max(0, Math.floor(Math.min(want, this.#tokens)));
    this.#tokens -= taken;
    return taken;
  }
  /** Until `take(amount)` may succeed, if nobody else takes. */
  retry_after_ms(amount = 1): number {
    this.#refill();
    const missing = Math.min(amount, this.burst) - this.#tokens;
    return missing <= 0 ? 0 : Math.ceil(missing * 1000 / this.per_second);
  }
  /** Nothing was taken from it lately: a fresh one would be the same. */
  get is_full(): boolean {
    this.#refill();
    return this.#tokens >= this.burst;
  }
  #refill(): void {
    const now_ms = this.clock.monotonic_ms();
    const grown = this.#tokens + (now_ms - this.#at_ms) * this.per_second / 1000;
    this.#tokens = Math.min(this.burst, grown);
    this.#at_ms = now_ms;
  }
}

/** Errors that one connection may make before it is ended: bursts of 20, refilled over five seconds. */
export function errorBucket(clock: Clock): RateBucket {
  return new RateBucket(clock, 4, 20);
}
