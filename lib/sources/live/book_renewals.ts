/**
 * Whole books from venues that send them in-band: a new subscription brings one. One wish per symbol at a time, and a
 * symbol that wishes again and again is slowed down, since venues count subscriptions. A book that was asked for and does
 * not come (its frame was lost or damaged) is asked for again: the deltas after it prove nothing.
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
  /** When to ask again; Infinity: nothing is wished. */
  due_ms: number;
}

export class BookRenewals {
  readonly #renewals = new Map<string, Renewal>();

  /** @param patience_ms how long a book that was asked for may take */
  constructor(
    readonly clock: Clock,
    readonly random: Random,
    readonly patience_ms: number,
    readonly renew: (symbol: string) => void,
  ) {}

  request(symbol: string): void {
    const now_ms = this.clock.monotonic_ms();
    const found = this.#renewals.get(symbol);
    if (!found || now_ms - found.asked_ms > CONTENT_MS) {
      const made = { backoff: new Backoff(PAUSE, this.random), asked_ms: now_ms, due_ms: Infinity };
      this.#renewals.set(symbol, made);
      return this.#ask(symbol, made);
    }
    found.due_ms = Math.min(found.due_ms, Math.max(now_ms, found.asked_ms + found.backoff.next_ms()));
  }
  /** A whole book of the symbol came. Should it be no good, its reader will ask again. */
  arrived(symbol: string): void {
    const found = this.#renewals.get(symbol);
    if (found) found.due_ms = Infinity;
  }
  forget(symbol: string): void {
    this.#renewals.delete(symbol);
  }
  /** Carries out what is due; call on a tick. */
  pump(): void {
    const now_ms = this.clock.monotonic_ms();
    for (const [symbol, renewal] of this.#renewals) if (now_ms >= renewal.due_ms) this.#ask(symbol, renewal);
  }
  #ask(symbol: string, renewal: Renewal): void {
    renewal.asked_ms = this.clock.monotonic_ms();
    renewal.due_ms = renewal.asked_ms + this.patience_ms + renewal.backoff.next_ms();
    this.renew(symbol);
  }
}
