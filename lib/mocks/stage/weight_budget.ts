/**
 * Request weight per calendar minute, as the venue counts it. Over the budget a request is refused with 429; who goes on
 * regardless is banned with 418. One budget for all clients: they share an address.
 */
import type { Clock } from "../../base/clock.ts";

const MINUTE_MS = 60_000;
const REFUSALS_BEFORE_BAN = 20;
const BAN_MS = 2 * MINUTE_MS;

export interface Verdict {
  status: 200 | 429 | 418;
  /** Weight used in this minute, this request included. */
  used: number;
  retry_after_s: number;
}

export class WeightBudget {
  #minute = -1;
  #used = 0;
  #refusals = 0;
  #banned_until_ms = -Infinity;

  constructor(readonly per_minute: number, readonly clock: Clock) {}

  take(weight: number): Verdict {
    const now_ms = this.clock.now_ms();
    const minute = Math.floor(now_ms / MINUTE_MS);
    if (minute !== this.#minute) {
      this.#minute = minute;
      this.#used = this.#refusals = 0;
    }
    this.#used += weight;
    if (now_ms < this.#banned_until_ms) return this.#refusal(418, this.#banned_until_ms - now_ms);
    if (this.#used <= this.per_minute) return { status: 200, used: this.#used, retry_after_s: 0 };
    if (++this.#refusals <= REFUSALS_BEFORE_BAN) return this.#refusal(429, (minute + 1) * MINUTE_MS - now_ms);
    this.#banned_until_ms = now_ms + BAN_MS;
    return this.#refusal(418, BAN_MS);
  }
  #refusal(status: 429 | 418, wait_ms: number): Verdict {
    return { status, used: this.#used, retry_after_s: Math.max(1, Math.ceil(wait_ms / 1000)) };
  }
}
