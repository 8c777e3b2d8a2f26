/**
 * The straightforward order book: a Map of price to an array of orders, prices sorted when a level came or went. It is
 * the baseline that bench/simulation_bench.ts measures against and, being too plain to be wrong, the oracle of
 * tests/lib/simulation/matching_book_test.ts. Same rules and same output rows as lib/simulation/matching_book.ts.
 */
import type { EventBuffer } from "../../lib/simulation/event_buffer.ts";
import type { TimeInForce } from "../../lib/simulation/matching_book.ts";
import { ASK, BID, oppositeOf, type Side } from "../../lib/simulation/side.ts";

export interface NaiveOrder {
  id: number;
  side: Side;
  price_ticks: number;
  quantity_lots: number;
}

export class NaiveMatchingBook {
  readonly levels = [new Map<number, NaiveOrder[]>(), new Map<number, NaiveOrder[]>()] as const;
  readonly by_id = new Map<number, NaiveOrder>();
  readonly #sorted: [number[] | undefined, number[] | undefined] = [undefined, undefined];
  #update_id = 0;
  #trade_id = 0;
  #order_id = 0;
  #last_quote = { bid: 0, bid_lots: 0, ask: 0, ask_lots: 0 };

  /** Prices of a side, best first. */
  prices(side: Side): number[] {
    return this.#sorted[side] ??= [...this.levels[side].keys()].sort((a, b) => side === BID ? b - a : a - b);
  }
  add(
    side: Side,
    price_ticks: number,
    quantity_lots: number,
    time_ms: number,
    output: EventBuffer,
    time_in_force: TimeInForce = "good_till_cancelled",
  ): number {
    const order = { id: ++this.#order_id, side, price_ticks, quantity_lots };
    this.#enter(order, time_ms, output, time_in_force);
    this.#quote(time_ms, output);
    return order.id;
  }
  modify(
    id: number,
    price_ticks: number,
    quantity_lots: number,
    time_ms: number,
    output: EventBuffer,
  ): boolean {
    const order = this.by_id.get(id);
    if (!order) return false;
    if (order.price_ticks !== price_ticks) {
      this.#remove(order, time_ms, output);
      this.#enter({ ...order, price_ticks, quantity_lots }, time_ms, output, "good_till_cancelled");
    } else if (order.quantity_lots !== quantity_lots) {
      const queue = this.levels[order.side].get(price_ticks)!;
      if (quantity_lots > order.quantity_lots) {
        queue.splice(queue.indexOf(order), 1);
        queue.push(order);
      }
      order.quantity_lots = quantity_lots;
      this.#level(order.side, price_ticks, time_ms, output);
    }
    this.#quote(time_ms, output);
    return true;
  }
  cancel(id: number, time_ms: number, output: EventBuffer): boolean {
    const order = this.by_id.get(id);
    if (!order) return false;
    this.#remove(order, time_ms, output);
    this.#quote(time_ms, output);
    return true;
  }

  #enter(order: NaiveOrder, time_ms: number, output: EventBuffer, time_in_force: TimeInForce): void {
    const against = oppositeOf(order.side);
    for (const price of [...this.prices(against)]) {
      const crosses = order.side === BID ? price <= order.price_ticks : price >= order.price_ticks;
      if (!crosses || order.quantity_lots === 0) break;
      const queue = this.levels[against].get(price)!;
      while (queue.length > 0 && order.quantity_lots > 0) {
        const maker = queue[0];
        const fill_lots = Math.min(maker.quantity_lots, order.quantity_lots);
        maker.quantity_lots -= fill_lots;
        order.quantity_lots -= fill_lots;
        if (maker.quantity_lots === 0) {
          queue.shift();
          this.by_id.delete(maker.id);
        }
        output.pushTrade(order.side, price, fill_lots, ++this.#trade_id, maker.id, order.id, time_ms);
      }
      this.#level(against, price, time_ms, output);
    }
    if (order.quantity_lots === 0 || time_in_force === "immediate_or_cancel") return;
    const queue = this.levels[order.side].get(order.price_ticks);
    if (queue) {
      queue.push(order);
    } else {
      this.levels[order.side].set(order.price_ticks, [order]);
      this.#sorted[order.side] = undefined;
    }
    this.by_id.set(order.id, order);
    this.#level(order.side, order.price_ticks, time_ms, output);
  }
  #remove(order: NaiveOrder, time_ms: number, output: EventBuffer): void {
    const queue = this.levels[order.side].get(order.price_ticks)!;
    queue.splice(queue.indexOf(order), 1);
    this.by_id.delete(order.id);
    this.#level(order.side, order.price_ticks, time_ms, output);
  }
  /** Announces a level's sum and drops it where nothing is left. */
  #level(side: Side, price_ticks: number, time_ms: number, output: EventBuffer): void {
    const queue = this.levels[side].get(price_ticks)!;
    output.pushLevel(side, price_ticks, sumOf(queue), ++this.#update_id, time_ms);
    if (queue.length > 0) return;
    this.levels[side].delete(price_ticks);
    this.#sorted[side] = undefined;
  }
  #quote(time_ms: number, output: EventBuffer): void {
    const [bid = 0] = this.prices(BID);
    const [ask = 0] = this.prices(ASK);
    const bid_lots = sumOf(this.levels[BID].get(bid));
    const ask_lots = sumOf(this.levels[ASK].get(ask));
    const last = this.#last_quote;
    if (
      last.bid === bid && last.bid_lots === bid_lots && last.ask === ask && last.ask_lots === ask_lots
    ) return;
    this.#last_quote = { bid, bid_lots, ask, ask_lots };
    output.pushQuote(bid, bid_lots, ask, ask_lots, this.#update_id, time_ms);
  }
}

function sumOf(queue: readonly NaiveOrder[] | undefined): number {
  let sum = 0;
  for (const order of queue ?? []) sum += order.quantity_lots;
  return sum;
}
