/**
 * The trades between two publications, for one topic. Bound: the newest MAX_TRADES are kept, older ones are counted and
 * the message says so.
 */
import { BoundedQueue } from "../../base/bounded_queue.ts";

/** Trades kept per publication. */
export const MAX_TRADES = 1_000;

export interface TapeTrade {
  /** Absent where the data has none. */
  trade_id?: number;
  price: number;
  quantity: number;
  /** Of the aggressor; absent where nobody tells. */
  side?: "buy" | "sell";
  /** Unix epoch, microseconds with a fraction. */
  time_us: number;
  maker_order_id?: number;
  taker_order_id?: number;
}

export class TradeTape {
  readonly #trades = new BoundedQueue<TapeTrade>(MAX_TRADES, "drop_oldest");

  push(trade: TapeTrade): void {
    this.#trades.push(trade);
  }
  /** Everything since the last call, oldest first, and how many older trades found no room. */
  take(): { trades: TapeTrade[]; lost: number } {
    const trades: TapeTrade[] = [];
    for (let trade = this.#trades.shift(); trade; trade = this.#trades.shift()) trades.push(trade);
    const lost = this.#trades.dropped;
    this.#trades.dropped = 0;
    return { trades, lost };
  }
}
