/**
 * The last candles of one instrument, per interval, for queries. In columns for the reason that recent_trades.ts gives;
 * a bar that is told again (still forming, revised) replaces itself. Bounds: the intervals there are, 500 bars of each.
 */
import type { Candle } from "../market/event.ts";
import { INTERVALS } from "../market/interval.ts";

/** Bars kept of an interval, the forming one among them. */
export const KEPT_CANDLES = 500;

const COLUMNS = 13;
const FIRST_CAPACITY = 16;
const CLOSED = 1;
const INCOMPLETE = 2;
const REVISED = 4;

class Bars {
  #rows: Float64Array = new Float64Array(FIRST_CAPACITY * COLUMNS);
  #count = 0;

  get count(): number {
    return this.#count;
  }
  /** Takes the bar to its place by opening time; one older than all that are kept, of a full set, is passed over. */
  note(candle: Candle): void {
    let at = this.#count;
    while (at > 0 && this.#openTime(at - 1) > candle.open_time_ms) at--;
    if (at > 0 && this.#openTime(at - 1) === candle.open_time_ms) return this.#write(at - 1, candle);
    if (this.#count === KEPT_CANDLES) {
      if (at === 0) return;
      this.#rows.copyWithin(0, COLUMNS);
      this.#count--;
      at--;
    }
    this.#grow();
    this.#rows.copyWithin((at + 1) * COLUMNS, at * COLUMNS, this.#count * COLUMNS);
    this.#count++;
    this.#write(at, candle);
  }
  row(at: number): Float64Array {
    return this.#rows.subarray(at * COLUMNS, (at + 1) * COLUMNS);
  }

  #openTime(at: number): number {
    return this.#rows[at * COLUMNS];
  }
  #grow(): void {
    if ((this.#count + 1) * COLUMNS <= this.#rows.length) return;
    const grown = new Float64Array(Math.min(this.#rows.length * 2, KEPT_CANDLES * COLUMNS));
    grown.set(this.#rows);
    this.#rows = grown;
  }
  #write(at: number, candle: Candle): void {
    const row = this.row(at);
    row[0] = candle.open_time_ms;
    row[1] = candle.close_time_ms;
    row[2] = candle.open;
    row[3] = candle.high;
    row[4] = candle.low;
    row[5] = candle.close;
    row[6] = candle.volume;
    row[7] = candle.quote_volume ?? NaN;
    row[8] = candle.trade_count ?? NaN;
    row[9] = candle.exchange_ms ?? NaN;
    row[10] = candle.sent_ms ?? NaN;
    row[11] = candle.received_us;
    row[12] = (candle.closed ? CLOSED : 0) | (candle.incomplete ? INCOMPLETE : 0) |
      (candle.revised ? REVISED : 0);
  }
}

export class RecentCandles {
  readonly #by_interval = new Map<string, Bars>();

  constructor(readonly venue: string, readonly symbol: string) {}

  /** A bar as the venue, or our own builder, tells it. */
  note(candle: Candle): void {
    let bars = this.#by_interval.get(candle.interval);
    if (bars === undefined) {
      if (this.#by_interval.size >= INTERVALS.length) return;
      bars = new Bars();
      this.#by_interval.set(candle.interval, bars);
    }
    bars.note(candle);
  }
  /** Oldest first, as fresh objects. */
  list(interval: string): Candle[] {
    const bars = this.#by_interval.get(interval);
    if (bars === undefined) return [];
    return Array.from({ length: bars.count }, (_, at) => this.#candle(interval, bars.row(at)));
  }
  #candle(interval: string, row: Float64Array): Candle {
    const candle: Candle = {
      kind: "candle",
      venue: this.venue,
      symbol: this.symbol,
      interval,
      open_time_ms: row[0],
      close_time_ms: row[1],
      open: row[2],
      high: row[3],
      low: row[4],
      close: row[5],
      volume: row[6],
      quote_volume: known(row[7]),
      trade_count: known(row[8]),
      exchange_ms: known(row[9]),
      sent_ms: known(row[10]),
      received_us: row[11],
      closed: (row[12] & CLOSED) !== 0,
    };
    if (row[12] & INCOMPLETE) candle.incomplete = true;
    if (row[12] & REVISED) candle.revised = true;
    return candle;
  }
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}
