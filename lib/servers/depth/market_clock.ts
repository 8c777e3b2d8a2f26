/**
 * Moves the simulated markets on and says whose turn it is. An interval has several phases, each with its share of the
 * clients, so that a thousand of them are not served in one burst. Turns lie on a fixed grid from the start: the same
 * seed and start give the same books whatever the host's timers do. Work is done in slices between which sockets are
 * served; where the host is too slow for the order rate, simulated time falls behind, which is told, never skipped.
 */
import type { Clock, Timer } from "../../base/clock.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import type { DepthFeed } from "./depth_feed.ts";

/** Work on the markets in one go before the event loop gets its turn. */
const SLICE_MS = 10;
const MIN_PHASE_MS = 25;
const MAX_PHASES = 16;
const TOLERATED_BEHIND_MS = 1_000;

export interface MarketClockOptions {
  clock: Clock;
  log: Log;
  /** Simulated time of the opening, Unix epoch, whole microseconds. */
  start_us: number;
  /** The clock's monotonic time of that opening, so that building the markets does not make all times late. */
  origin_ms: number;
  interval_ms: number;
  /** The markets have all reached this phase's turn. */
  publish(phase: number): void;
}

/** Into how many phases an interval is cut. */
export function phasesOf(interval_ms: number): number {
  return Math.min(MAX_PHASES, Math.max(1, Math.floor(interval_ms / MIN_PHASE_MS)));
}

export class MarketClock {
  readonly #phases: number;
  readonly #log: RateLimitedLog;
  #timer: Timer | undefined;
  /** Turns are counted from the start; every `#phases` of them is an interval. */
  #published = 0;
  /** The turn being worked towards. */
  #target = 0;
  /** The feed being moved on; all have arrived when it is past the last. */
  #working: number;

  constructor(readonly feeds: readonly DepthFeed[], readonly options: MarketClockOptions) {
    this.#phases = phasesOf(options.interval_ms);
    this.#log = new RateLimitedLog(options.log, options.clock, 30_000);
    this.#working = feeds.length;
    this.#schedule();
  }

  /** Simulated time that should have been reached, microseconds. */
  get now_us(): number {
    const { clock, start_us, origin_ms } = this.options;
    return start_us + Math.floor((clock.monotonic_ms() - origin_ms) * 1000);
  }
  /** How late the markets are, milliseconds; up to the length of a phase is normal. */
  get behind_ms(): number {
    return Math.max(0, this.now_us - this.#timeOf(this.#published)) / 1000;
  }
  stop(): void {
    this.#timer?.cancel();
  }

  #timeOf(turn: number): number {
    return this.options.start_us + Math.floor(turn * this.options.interval_ms * 1000 / this.#phases);
  }
  #schedule(): void {
    const wait_ms = Math.max(0, Math.ceil((this.#timeOf(this.#published + 1) - this.now_us) / 1000));
    this.#timer = this.options.clock.after(wait_ms, () => this.#work());
  }
  #work(): void {
    const until_ms = this.options.clock.monotonic_ms() + SLICE_MS;
    do {
      if (this.#working === this.feeds.length && !this.#begin()) break;
      if (!this.#advance(until_ms)) {
        this.#timer = this.options.clock.after(0, () => this.#work());
        return;
      }
      this.#published = this.#target;
      this.options.publish(this.#published % this.#phases);
    } while (this.options.clock.monotonic_ms() < until_ms);
    this.#schedule();
  }
  /** Chooses the next turn that is due; false where none is. A host that was away makes up for one interval at most. */
  #begin(): boolean {
    const { now_us } = this;
    const step_us = this.options.interval_ms * 1000 / this.#phases;
    let due = Math.floor((now_us - this.options.start_us) / step_us);
    if (this.#timeOf(due + 1) <= now_us) due++;
    if (due <= this.#published) return false;
    this.#target = Math.max(this.#published + 1, due - this.#phases + 1);
    this.#working = 0;
    if (this.behind_ms > TOLERATED_BEHIND_MS + this.options.interval_ms) {
      const behind_ms = Math.round(this.behind_ms);
      this.#log.warn("behind", "simulated markets run behind: too many orders for this machine", {
        behind_ms,
      });
    }
    return true;
  }
  /** False where the slice of time was used up before every market was there. */
  #advance(until_ms: number): boolean {
    const target_us = this.#timeOf(this.#target);
    while (this.#working < this.feeds.length) {
      if (this.feeds[this.#working].advance(target_us)) this.#working++;
      if (this.#working < this.feeds.length && this.options.clock.monotonic_ms() >= until_ms) return false;
    }
    return true;
  }
}
