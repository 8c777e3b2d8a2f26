/**
 * A book as its readers want it: the top N levels aggregated (MBP) or the first N orders in price–time priority (MBO).
 * Fresh objects per call, for snapshots some times a second; whoever follows every change reads the event buffer.
 * Sums are taken in lots and converted once, so they are exact.
 */
import type { Instrument } from "./instrument.ts";
import type { MatchingBook } from "./matching_book.ts";
import { none } from "./order_store.ts";
import { BID, type Side } from "./side.ts";

/** One aggregated level. */
export interface MbpLevel {
  price: number;
  quantity: number;
  order_count: number;
  /** This level and all better ones. */
  total_quantity: number;
}

/** One resting order. */
export interface MboOrder {
  order_id: number;
  side: "bid" | "ask";
  price: number;
  quantity: number;
  /** When it got its place in the queue, milliseconds of simulated time with a fraction. */
  time_ms: number;
  /** How long it has had it, milliseconds with a fraction. */
  age_ms: number;
}

/** Up to `max_levels` levels, best first. */
export function mbpLevels(
  book: MatchingBook,
  instrument: Instrument,
  side: Side,
  max_levels: number,
): MbpLevel[] {
  const ladder = book.ladders[side];
  const levels: MbpLevel[] = [];
  let total_lots = 0;
  for (let rank = 0; rank < ladder.size && rank < max_levels; rank++) {
    const level = ladder.levelAt(rank);
    total_lots += ladder.quantity_lots[level];
    levels.push({
      price: instrument.price(ladder.price_ticks[level]),
      quantity: instrument.quantity(ladder.quantity_lots[level]),
      order_count: ladder.order_count[level],
      total_quantity: instrument.quantity(total_lots),
    });
  }
  return levels;
}

/** Up to `max_orders` orders, best price first, oldest first within a price. */
export function mboOrders(
  book: MatchingBook,
  instrument: Instrument,
  side: Side,
  max_orders: number,
  now_ms: number,
): MboOrder[] {
  const { orders } = book;
  const ladder = book.ladders[side];
  const side_name = side === BID ? "bid" : "ask";
  const found: MboOrder[] = [];
  for (let rank = 0; rank < ladder.size && found.length < max_orders; rank++) {
    const level = ladder.levelAt(rank);
    const price = instrument.price(ladder.price_ticks[level]);
    let slot = ladder.head[level];
    for (; slot !== none && found.length < max_orders; slot = orders.next[slot]) {
      found.push({
        order_id: orders.id[slot],
        side: side_name,
        price,
        quantity: instrument.quantity(orders.quantity_lots[slot]),
        time_ms: orders.time_ms[slot],
        age_ms: now_ms - orders.time_ms[slot],
      });
    }
  }
  return found;
}
