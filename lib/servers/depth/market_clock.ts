/**
 * Moves the simulated markets on and says when to publish. Publications lie on a fixed grid from the start, so the same
 * seed and start give the same books whatever the host's timers do. Work is done in slices between which sockets are
 * served; where the host is too slow for the order rate, simulated time falls behind, which is told, never skipped.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import type { SymbolFeed } from "./symbol_feed.ts";

/** Work on the markets in one go before the event loop gets its turn. */
const SLICE_MS = 10;
const TOLERATED_BEHIND_MS = 1_000;

export interface MarketClockOptions {
  clock: Clock;
  log: Log;
  /** Simulated time of the opening, Unix epoch, whole microseconds. */
  start_us: number;
  interval_ms: number;
  /** The markets have all reached `at_us`. */
  publish(at_us: number): void;
}

export class MarketClock {
  readonly #origin_ms: number;
  readonly #interval_us: number;
  readonly #log: RateLimitedLog;
  #timer: Timer | undefined;
  #published = 0;
  /** The publication being worked towards, in intervals from the start. */
  #target = 0;
  /** The feed being moved on; all have arrived when it is past the last. */
  #working: number;

  constructor(readonly feeds: readonly SymbolFeed[], readonly options: MarketClockOptions) {
    this.#origin_ms = options.clock.monotonic_ms();
    this.#interval_us = Math.round(options.interval_ms * 1000);
    this.#log = new RateLimitedLog(options.log, options.clock, 30_000);
    this.#working = feeds.length;
    this.#schedule();
  }

  /** Simulated time that should have been reached, microseconds. */
  get now_us(): number {
    const { clock, start_us } = this.options;
    return start_us + Math.floor((clock.monotonic_ms() - this.#origin_ms) * 1000);
  }
  /** Time of the last publication. */
  get published_us(): number {
    return this.options.start_us + this.#published * this.#interval_us;
  }
  /** How late the markets are, milliseconds; up to one interval is normal. */
  get behind_ms(): number {
    return Math.max(0, this.now_us - this.published_us) / 1000;
  }
  stop(): void {
    this.#timer?.cancel();
  }

  #schedule(): void {
    const due_us = this.options.start_us + (this.#published + 1) * this.#interval_us;
    const wait_ms = Math.max(0, Math.ceil((due_us - this.now_us) / 1000));
    this.#timer = this.options.clock.after(wait_ms, () => this.#work());
  }
  #work(): void {
    const { options } = this;
    const { clock } = options;
    if (this.#working === this.feeds.length) {
      const due = Math.floor((this.now_us - options.start_us) / this.#interval_us);
      if (due <= this.#published) return this.#schedule();
      this.#target = due;
      this.#working = 0;
      for (const feed of this.feeds) feed.beginInterval();
    }
    const target_us = options.start_us + this.#target * this.#interval_us;
    const until_ms = clock.monotonic_ms() + SLICE_MS;
    while (this.#working < this.feeds.length) {
      if (this.feeds[this.#working].advance(target_us)) this.#working++;
      if (this.#working < this.feeds.length && clock.monotonic_ms() >= until_ms) {
        this.#timer = clock.after(0, () => this.#work());
        return;
      }
    }
    this.#published = this.#target;
    options.publish(target_us);
    if (this.behind_ms > TOLERATED_BEHIND_MS + options.interval_ms) {
      const behind_ms = Math.round(this.behind_ms);
      this.#log.warn("behind", "simulated markets run behind: too many orders for this machine", {
        behind_ms,
      });
    }
    this.#schedule();
  }
}
