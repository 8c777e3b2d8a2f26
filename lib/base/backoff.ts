/**
 * Exponential backoff with jitter. "Equal jitter": half of the step is kept, half is random, so a retry never comes at
 * once and many clients never come together (AWS Architecture Blog, 2015). `reset` after proven health, not after connect.
 */
import type { Random } from "./random.ts";

export interface BackoffOptions {
  first_ms: number;
  max_ms: number;
  /** 2 doubles each time. */
  factor?: number;
}

export class Backoff {
  #attempt = 0;
  constructor(readonly options: BackoffOptions, readonly random: Random) {}

  /** Failures since the last reset. */
  get attempt(): number {
    return this.#attempt;
  }
  /** The next delay in milliseconds, never above `max_ms`. */
  next_ms(): number {
    const { first_ms, max_ms, factor = 2 } = this.options;
    const step_ms = Math.min(max_ms, first_ms * factor ** Math.min(this.#attempt, 64));
    this.#attempt++;
    return step_ms / 2 + this.random.unit() * step_ms / 2;
  }
  reset(): void {
    this.#attempt = 0;
  }
}
