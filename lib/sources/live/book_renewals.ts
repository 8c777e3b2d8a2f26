/**
 * Whole books from venues that send them in-band: a new subscription brings one. One wish per symbol at a time, and a
 * symbol that wishes again and again is slowed down, since venues count subscriptions.
 */
import { Backoff } from "../../base/backoff.ts";
import type { Clock } from "../../base/clock.ts";
import type { Random } from "../../base/random.ts";

const PAUSE = { first_ms: 200, max_ms: 30_000 };
/** A symbol that was content for so long starts anew. */
const CONTENT_MS = 60_000;

interface Renewal {
  backoff: Backoff;
  asked_ms: number;
  /** Infinity: nothing is wished. */
  due_ms: number;
}

export class BookRenewals {
  readonly #renewals = new Map<string, Renewal>();

  constructor(readonly clock: Clock, readonly random: Random, readonly renew: (symbol: string) => void) {}

  request(symbol: string): void {
    const now_ms = this.clock.monotonic_ms();
    const found = this.#renewals.get(symbol);
    if (!found || now_ms - found.asked_ms > CONTENT_MS) {
      const backoff = new Backoff(PAUSE, this.random);
      this.#renewals.set(symbol, { backoff, asked_ms: now_ms, due_ms: Infinity });
      return this.renew(symbol);
    }
    if (found.due_ms === Infinity) found.due_ms = Math.max(now_ms, found.asked_ms + found.backoff.next_ms());
  }
  forget(symbol: string): void {
    this.#renewals.delete(symbol);
  }
  /** Carries out what is due; call on a tick. */
  pump(): void {
    const now_ms = this.clock.monotonic_ms();
    for (const [symbol, renewal] of this.#renewals) {
      if (now_ms < renewal.due_ms) continue;
      renewal.asked_ms = now_ms;
      renewal.due_ms = Infinity;
      this.renew(symbol);
    }
  }
}
