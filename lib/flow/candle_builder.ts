/**
 * Candles of one instrument from its trades, exact to the last digit, for every interval at once. A bar closes when its
 * time is over and `GRACE_MS` have passed for trades under way; one that comes even later revises it. Honest about what
 * it can't know: a bar with an interruption, a missing trade or the start inside is `incomplete`.
 * Refuses: inventing bars for intervals without a trade.
 */
import { exactDecimal, exactProduct, ExactSum } from "../base/exact_sum.ts";
import type { Candle, Trade } from "../market/event.ts";
import { barStartMs, type Interval, nextBarMs } from "../market/interval.ts";

/** Venues send trades within a few hundred milliseconds. */
export const GRACE_MS = 1_000;
/** Closed bars of an interval that a late trade may still revise. */
const KEPT_BARS = 3;

interface Bar {
  readonly interval: Interval;
  readonly start_ms: number;
  readonly next_ms: number;
  open: number;
  high: number;
  low: number;
  close: number;
  /** Times of the trades that gave `open` and `close`. */
  first_ms: number;
  last_ms: number;
  readonly volume: ExactSum;
  readonly quote_volume: ExactSum;
  trade_count: number;
  incomplete: boolean;
  /** Something of it was not published yet. */
  changed: boolean;
  told_closed: boolean;
}

export class CandleBuilder {
  /** Per interval, newest last, at most `KEPT_BARS` and the forming one. */
  readonly #bars = new Map<Interval, Bar[]>();
  /** From here to the next trade, trades may be missing; undefined: none are. */
  #unsure_from_ms: number | undefined;
  #newest_ms = -Infinity;
  /** Trades too late even to revise a bar. */
  too_late = 0;

  /** `start_ms`: from when on trades are seen; a bar that began before is incomplete. */
  constructor(
    readonly venue: string,
    readonly symbol: string,
    intervals: readonly Interval[],
    start_ms: number,
  ) {
    for (const interval of intervals) this.#bars.set(interval, []);
    this.#unsure_from_ms = start_ms - 1;
  }
  /** The trades' stream stopped, or some are known to be missing from `since_ms` on. */
  interrupted(since_ms: number): void {
    this.#unsure_from_ms = Math.min(this.#unsure_from_ms ?? Infinity, since_ms);
    for (const bars of this.#bars.values()) {
      for (const bar of bars) if (bar.next_ms > since_ms) this.#doubt(bar);
    }
  }
  /** Time of the newest trade; −Infinity before the first. */
  get newest_ms(): number {
    return this.#newest_ms;
  }
  onTrade(trade: Trade): void {
    const time_ms = trade.exchange_ms ?? trade.sent_ms ?? trade.received_us / 1000;
    const quantity = exactDecimal(trade.exact_quantity ?? trade.quantity);
    const quote_quantity = exactProduct(quantity, exactDecimal(trade.price));
    const count = trade.first_fill_id !== undefined && trade.last_fill_id !== undefined
      ? trade.last_fill_id - trade.first_fill_id + 1
      : 1;
    const is_unsure = this.#unsure_from_ms !== undefined && time_ms >= this.#unsure_from_ms;
    for (const [interval, bars] of this.#bars) {
      const bar = this.#barOf(interval, bars, time_ms, trade.price);
      if (bar === undefined) continue;
      // Nobody knows when the stream came back: sure again are the bars after that of the first trade.
      if (is_unsure) this.#doubt(bar);
      if (time_ms < bar.first_ms) [bar.open, bar.first_ms] = [trade.price, time_ms];
      if (time_ms >= bar.last_ms) [bar.close, bar.last_ms] = [trade.price, time_ms];
      if (trade.price > bar.high) bar.high = trade.price;
      if (trade.price < bar.low) bar.low = trade.price;
      bar.volume.add(quantity);
      bar.quote_volume.add(quote_quantity);
      bar.trade_count += count;
      bar.changed = true;
    }
    if (is_unsure) this.#unsure_from_ms = undefined;
    if (time_ms > this.#newest_ms) this.#newest_ms = time_ms;
  }
  /** What changed since the last call, oldest bar first; `now_ms`: the time by which bars close. */
  *take(now_ms: number, received_us: number): Iterable<Candle> {
    const closed_before_ms = Math.max(now_ms, this.#newest_ms) - GRACE_MS;
    for (const bars of this.#bars.values()) {
      for (const bar of bars) {
        const closed = bar.next_ms <= closed_before_ms;
        if (!bar.changed && (!closed || bar.told_closed)) continue;
        bar.changed = false;
        yield candleOf(this, bar, closed, received_us);
        bar.told_closed = closed;
      }
      while (bars.length > KEPT_BARS && bars[0].told_closed) bars.shift();
    }
  }
  /** The bar that begins at `start_ms`, as it stands; undefined when it is not kept or not known wholly. */
  complete(interval: Interval, start_ms: number): Candle | undefined {
    const bar = this.#bars.get(interval)?.find((one) => one.start_ms === start_ms);
    return bar && !bar.incomplete ? candleOf(this, bar, true, 0) : undefined;
  }

  #doubt(bar: Bar): void {
    if (!bar.incomplete) bar.changed = true;
    bar.incomplete = true;
  }
  #barOf(interval: Interval, bars: Bar[], time_ms: number, price: number): Bar | undefined {
    const start_ms = barStartMs(interval, time_ms);
    let at = bars.length;
    while (at > 0 && bars[at - 1].start_ms > start_ms) at--;
    if (at > 0 && bars[at - 1].start_ms === start_ms) return bars[at - 1];
    if (at === 0 && bars.length >= KEPT_BARS) {
      this.too_late++;
      return undefined;
    }
    const bar: Bar = {
      interval,
      start_ms,
      next_ms: nextBarMs(interval, start_ms),
      open: price,
      high: price,
      low: price,
      close: price,
      first_ms: time_ms,
      last_ms: time_ms,
      volume: new ExactSum(),
      quote_volume: new ExactSum(),
      trade_count: 0,
      incomplete: false,
      changed: true,
      told_closed: false,
    };
    bars.splice(at, 0, bar);
    return bar;
  }
}

function candleOf(
  { venue, symbol }: { venue: string; symbol: string },
  bar: Bar,
  closed: boolean,
  received_us: number,
): Candle {
  const candle: Candle = {
    kind: "candle",
    venue,
    symbol,
    received_us,
    exchange_ms: bar.last_ms,
    interval: bar.interval,
    open_time_ms: bar.start_ms,
    close_time_ms: bar.next_ms - 1,
    open: bar.open,
    high: bar.high,
    low: bar.low,
    close: bar.close,
    volume: bar.volume.value,
    quote_volume: bar.quote_volume.value,
    trade_count: bar.trade_count,
    closed,
  };
  if (bar.incomplete) candle.incomplete = true;
  if (bar.told_closed) candle.revised = true;
  return candle;
}
