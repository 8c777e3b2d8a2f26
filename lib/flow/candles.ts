/**
 * The candles of one instrument: built from its trades where the venue sends none, compared with the venue's own where
 * it does. A venue's bar is compared once late trades had their time, and only where no trade is known to be missing.
 */
import type { Candle, Trade } from "../market/event.ts";
import { type Interval, INTERVALS } from "../market/interval.ts";
import { CandleBuilder, GRACE_MS } from "./candle_builder.ts";

/** Venue's bars waiting for their comparison; more are passed over. */
const MAX_WAITING = 64;
const COMPARED = ["open", "high", "low", "close", "volume"] as const;

export interface CandlePlan {
  readonly intervals: readonly Interval[];
  /** True: the venue sends none, ours are published. False: ours only check the venue's. */
  readonly publish: boolean;
}

export interface CandleCheck {
  ours: Candle;
  venue: Candle;
  /** The fields that are not equal; empty: all are. */
  different: (typeof COMPARED[number])[];
}

export class Candles {
  readonly #builder: CandleBuilder;
  #waiting: Candle[] = [];

  constructor(venue: string, symbol: string, readonly plan: CandlePlan, start_ms: number) {
    this.#builder = new CandleBuilder(venue, symbol, plan.intervals, start_ms);
  }
  /** `has_missed`: trades between the newest one and this one are missing. */
  onTrade(trade: Trade, has_missed: boolean): void {
    if (has_missed) this.#builder.interrupted(this.#builder.newest_ms);
    this.#builder.onTrade(trade);
  }
  onVenueCandle(candle: Candle): void {
    if (!candle.closed || this.plan.publish || this.#waiting.length >= MAX_WAITING) return;
    this.#waiting.push(candle);
  }
  interrupted(now_ms: number): void {
    this.#builder.interrupted(Math.min(now_ms, this.#builder.newest_ms));
  }
  /** Call a few times a second: bars to publish, and comparisons that are due. */
  tick(now_ms: number, publish: (candle: Candle) => void, checked: (check: CandleCheck) => void): void {
    for (const candle of this.#builder.take(now_ms, now_ms * 1_000)) if (this.plan.publish) publish(candle);
    if (this.#waiting.length === 0) return;
    const due = this.#waiting.filter((candle) => candle.close_time_ms + GRACE_MS < now_ms);
    this.#waiting = this.#waiting.filter((candle) => candle.close_time_ms + GRACE_MS >= now_ms);
    for (const venue of due) {
      const interval = INTERVALS.find((one) => one === venue.interval);
      const ours = interval && this.#builder.complete(interval, venue.open_time_ms);
      if (ours) checked({ ours, venue, different: COMPARED.filter((field) => ours[field] !== venue[field]) });
    }
  }
}
