/**
 * Several publishers of the same instruments become one stream: a book never goes back, nothing is handed on twice. Books
 * are ordered by the venue's update id; trades with an id of digits are told apart further on (flow/trade_order.ts), those
 * with another id here, by the last `MAX_TRADE_IDS` of their instrument. Trades without any id can't be told apart.
 */
import type { BookSnapshot, Trade } from "../market/event.ts";

const MAX_TRADE_IDS = 2_048;
/** A book of a lower id, yet later by more than the clocks of two publishers differ: the venue's ids started over. */
const RESTART_LEAD_MS = 1_000;

interface Newest {
  sent_ms: number;
  last_id: number;
  /** The consumer has it; else the same again is welcome. */
  is_known: boolean;
}

export class PublisherMerge {
  readonly #newest = new Map<string, Newest>();
  /** Symbol → trade ids, oldest first. */
  readonly #trade_ids = new Map<string, Set<string>>();

  /** False for what is older than, or the same as, what was handed on. */
  admits(event: BookSnapshot | Trade): boolean {
    return event.kind === "trade" ? this.#admitsTrade(event) : this.#admitsBook(event);
  }
  /** The consumer gave up this book: the newest is welcome again. */
  wanted(symbol: string): void {
    const newest = this.#newest.get(symbol);
    if (newest) newest.is_known = false;
  }
  forget(symbol: string): void {
    this.#newest.delete(symbol);
    this.#trade_ids.delete(symbol);
  }

  #admitsBook({ symbol, sent_ms = 0, last_id }: BookSnapshot): boolean {
    const newest = this.#newest.get(symbol);
    if (newest) {
      const is_restart = last_id < newest.last_id && sent_ms - newest.sent_ms > RESTART_LEAD_MS;
      const is_newer = last_id > newest.last_id || is_restart;
      if (!is_newer && (last_id < newest.last_id || newest.is_known)) return false;
    }
    this.#newest.set(symbol, { sent_ms, last_id, is_known: true });
    return true;
  }
  #admitsTrade({ symbol, venue_trade_id }: Trade): boolean {
    if (venue_trade_id === undefined) return true;
    let ids = this.#trade_ids.get(symbol);
    if (!ids) this.#trade_ids.set(symbol, ids = new Set());
    if (ids.has(venue_trade_id)) return false;
    ids.add(venue_trade_id);
    if (ids.size > MAX_TRADE_IDS) {
      const [oldest] = ids;
      ids.delete(oldest);
    }
    return true;
  }
}
