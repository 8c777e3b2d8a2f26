/**
 * The last trades of one instrument, for late joiners and queries, in columns: a thousand trade objects a symbol kept
 * alive for minutes would all grow old in the heap, columns cost 72 bytes a trade and no garbage. Quiet symbols stay small.
 */
import type { Trade } from "../market/event.ts";

const COLUMNS = 9;
const FIRST_CAPACITY = 32;

export class RecentTrades {
  #rows: Float64Array = new Float64Array(FIRST_CAPACITY * COLUMNS);
  /** Trade number → exact text, for quantities that a double would not give back. */
  readonly #exact = new Map<number, string>();
  /** Trade number → the venue's id, where it is no number. */
  readonly #ids = new Map<number, string>();
  /** Trades pushed since the start; the newest is number `#count - 1`. */
  #count = 0;

  constructor(readonly venue: string, readonly symbol: string, readonly capacity: number) {}

  get size(): number {
    return Math.min(this.#count, this.capacity);
  }
  push(trade: Trade): void {
    if (this.#count * COLUMNS >= this.#rows.length && this.#rows.length < this.capacity * COLUMNS) {
      const grown = new Float64Array(Math.min(this.#rows.length * 2, this.capacity * COLUMNS));
      grown.set(this.#rows);
      this.#rows = grown;
    }
    const number = this.#count++;
    const at = (number % this.capacity) * COLUMNS;
    const rows = this.#rows;
    rows[at] = trade.trade_id ?? NaN;
    rows[at + 1] = trade.price;
    rows[at + 2] = trade.quantity;
    rows[at + 3] = trade.exchange_ms ?? NaN;
    rows[at + 4] = trade.sent_ms ?? NaN;
    rows[at + 5] = trade.received_us;
    rows[at + 6] = trade.first_fill_id ?? NaN;
    rows[at + 7] = trade.last_fill_id ?? NaN;
    rows[at + 8] = trade.aggressor === undefined ? NaN : trade.aggressor === "buy" ? 1 : -1;
    if (this.#exact.size > 0) this.#exact.delete(number - this.capacity);
    if (trade.exact_quantity !== undefined) this.#exact.set(number, trade.exact_quantity);
    if (this.#ids.size > 0) this.#ids.delete(number - this.capacity);
    if (trade.venue_trade_id !== undefined) this.#ids.set(number, trade.venue_trade_id);
  }
  /** The newest `limit` trades, oldest first, as fresh objects. */
  list(limit: number = this.capacity): Trade[] {
    const trades: Trade[] = [];
    for (let number = Math.max(0, this.#count - Math.min(limit, this.size)); number < this.#count; number++) {
      trades.push(this.#trade(number));
    }
    return trades;
  }
  #trade(number: number): Trade {
    const at = (number % this.capacity) * COLUMNS;
    const [trade_id, price, quantity, exchange_ms, sent_ms, received_us, first, last, aggressor] = this.#rows
      .subarray(at, at + COLUMNS);
    return {
      kind: "trade",
      venue: this.venue,
      symbol: this.symbol,
      trade_id: known(trade_id),
      venue_trade_id: this.#ids.get(number),
      price,
      quantity,
      exact_quantity: this.#exact.get(number),
      exchange_ms: known(exchange_ms),
      sent_ms: known(sent_ms),
      received_us,
      aggressor: Number.isNaN(aggressor) ? undefined : aggressor > 0 ? "buy" : "sell",
      first_fill_id: known(first),
      last_fill_id: known(last),
    };
  }
}

function known(value: number): number | undefined {
  return Number.isNaN(value) ? undefined : value;
}
