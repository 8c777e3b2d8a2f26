/**
 * One symbol as the depth server sees it: the simulated market, moved on in slices so that no symbol starves the sockets,
 * and the trades since the last publication. Bound: the newest MAX_TRADES trades of an interval are kept, older ones are
 * counted and the message says so.
 */
import { BoundedQueue } from "../../base/bounded_queue.ts";
import { EventBuffer, TRADE } from "../../simulation/event_buffer.ts";
import type { SimulatedMarket } from "../../simulation/market.ts";
import { BID } from "../../simulation/side.ts";

/** Trades kept per interval. */
export const MAX_TRADES = 1_000;
/** A few milliseconds of work: after that the caller looks at the time. */
const SLICE_EVENTS = 8_192;

export interface FeedTrade {
  trade_id: number;
  price: number;
  quantity: number;
  /** Of the aggressor. */
  side: "buy" | "sell";
  time_us: number;
  maker_order_id: number;
  taker_order_id: number;
}

export class SymbolFeed {
  readonly #trades = new BoundedQueue<FeedTrade>(MAX_TRADES, "drop_oldest");
  readonly #buffer = new EventBuffer(SLICE_EVENTS);

  constructor(readonly market: SimulatedMarket) {}

  get symbol(): string {
    return this.market.instrument.symbol;
  }
  /** Forgets the trades of the interval before. */
  beginInterval(): void {
    this.#trades.clear();
    this.#trades.dropped = 0;
  }
  /** Trades of the interval, oldest first, and how many older ones found no room. Each is given out once. */
  takeTrades(): { trades: FeedTrade[]; lost: number } {
    const trades: FeedTrade[] = [];
    for (let trade = this.#trades.shift(); trade; trade = this.#trades.shift()) trades.push(trade);
    return { trades, lost: this.#trades.dropped };
  }
  /** One slice of work towards `to_us`; true when there. */
  advance(to_us: number): boolean {
    this.#buffer.clear();
    const done = this.market.advance(to_us / 1000, this.#buffer);
    this.#keepTrades();
    return done;
  }

  #keepTrades(): void {
    const buffer = this.#buffer;
    const { instrument } = this.market;
    for (let row = 0; row < buffer.size; row++) {
      if (buffer.kind[row] !== TRADE) continue;
      this.#trades.push({
        trade_id: buffer.id[row],
        price: instrument.price(buffer.price_ticks[row]),
        quantity: instrument.quantity(buffer.quantity_lots[row]),
        side: buffer.side[row] === BID ? "buy" : "sell",
        time_us: buffer.time_ms[row] * 1000,
        maker_order_id: buffer.makerId(row),
        taker_order_id: buffer.takerId(row),
      });
    }
  }
}
