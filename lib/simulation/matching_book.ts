/**
 * A limit order book with price–time priority and matching. Prices are integer ticks and quantities integer lots, so
 * every sum is exact. An action's fills, then each touched level's new quantity, then the quote if the best changed, go
 * to an EventBuffer that the caller reuses; nothing is allocated per action once the storage has grown.
 * Bound: max_orders resting orders; what would rest beyond it is refused and counted in `refused`.
 * Refuses: owners, self-trade prevention, hidden quantity — a market data simulation shows none of them.
 */
import type { EventBuffer } from "./event_buffer.ts";
import { OrderIndex } from "./order_index.ts";
import { none, OrderStore } from "./order_store.ts";
import { PriceLadder } from "./price_ladder.ts";
import { ASK, BID, oppositeOf, type Side } from "./side.ts";

/** What happens to the part of an order that does not trade at once: it rests, or it is cancelled. */
export type TimeInForce = "good_till_cancelled" | "immediate_or_cancel";

export class MatchingBook {
  readonly orders: OrderStore;
  /** Indexed by side. */
  readonly ladders: readonly [PriceLadder, PriceLadder];
  readonly #index = new OrderIndex();
  /** Id of the last level change; the next is one more. */
  update_id = 0;
  /** Id of the last trade; the next is one more. */
  trade_id = 0;
  /** Id of the last order accepted; the next is one more. */
  order_id = 0;
  /** Orders whose rest found the book at its bound. */
  refused = 0;
  #bid_ticks = 0;
  #bid_lots = 0;
  #ask_ticks = 0;
  #ask_lots = 0;

  constructor(max_orders = 16_384) {
    if (!Number.isInteger(max_orders) || max_orders < 1) {
      throw new RangeError(`resting order bound: ${max_orders}, want an integer ≥ 1`);
    }
    this.orders = new OrderStore(max_orders);
    this.ladders = [new PriceLadder(BID, this.orders), new PriceLadder(ASK, this.orders)];
  }

  /** Whether this order still rests. */
  has(order_id: number): boolean {
    return this.#index.get(order_id) !== none;
  }
  /** Storage slot of a resting order, for reading `orders` columns until the next action; -1 where it rests no more. */
  slotOf(order_id: number): number {
    return this.#index.get(order_id);
  }
  /** Price of the order in a storage slot. */
  priceOfSlot(slot: number): number {
    return this.ladders[this.orders.side[slot]].price_ticks[this.orders.level[slot]];
  }

  /**
   * Enters an order: it trades against better or equal opposite prices, oldest first, at the resting order's price.
   * @param price_ticks limit, integer
   * @param quantity_lots integer ≥ 1
   * @returns the new order's id, whether or not any of it rests
   */
  add(
    side: Side,
    price_ticks: number,
    quantity_lots: number,
    time_ms: number,
    output: EventBuffer,
    time_in_force: TimeInForce = "good_till_cancelled",
  ): number {
    requireExact(price_ticks, quantity_lots);
    const id = ++this.order_id;
    const left = this.#match(side, price_ticks, quantity_lots, id, time_ms, output);
    if (left > 0 && time_in_force === "good_till_cancelled") {
      this.#rest(side, price_ticks, left, id, time_ms, output);
    }
    this.#quote(time_ms, output);
    return id;
  }

  /**
   * Changes a resting order. A smaller quantity at the same price keeps its place; more quantity or another price puts
   * it last, and a price that crosses trades.
   * @param quantity_lots the new open quantity, integer ≥ 1
   * @returns false where no such order rests
   */
  modify(
    order_id: number,
    price_ticks: number,
    quantity_lots: number,
    time_ms: number,
    output: EventBuffer,
  ): boolean {
    requireExact(price_ticks, quantity_lots);
    const slot = this.#index.get(order_id);
    if (slot === none) return false;
    const { orders } = this;
    const side = orders.side[slot] as Side;
    const ladder = this.ladders[side];
    const level = orders.level[slot];
    const old_lots = orders.quantity_lots[slot];
    if (ladder.price_ticks[level] !== price_ticks) {
      this.#remove(slot, time_ms, output);
      const left = this.#match(side, price_ticks, quantity_lots, order_id, time_ms, output);
      if (left > 0) this.#rest(side, price_ticks, left, order_id, time_ms, output);
    } else if (quantity_lots < old_lots) {
      orders.quantity_lots[slot] = quantity_lots;
      ladder.quantity_lots[level] -= old_lots - quantity_lots;
      this.#level(side, level, time_ms, output);
    } else if (quantity_lots > old_lots) {
      ladder.detach(slot);
      orders.quantity_lots[slot] = quantity_lots;
      orders.time_ms[slot] = time_ms;
      ladder.append(level, slot);
      this.#level(side, level, time_ms, output);
    }
    this.#quote(time_ms, output);
    return true;
  }

  /** Takes a resting order out. Returns false where no such order rests. */
  cancel(order_id: number, time_ms: number, output: EventBuffer): boolean {
    const slot = this.#index.get(order_id);
    if (slot === none) return false;
    this.#remove(slot, time_ms, output);
    this.#quote(time_ms, output);
    return true;
  }

  /** Trades what crosses and returns the quantity left. */
  #match(
    side: Side,
    price_ticks: number,
    quantity_lots: number,
    taker_id: number,
    time_ms: number,
    output: EventBuffer,
  ): number {
    const { orders } = this;
    const against = oppositeOf(side);
    const ladder = this.ladders[against];
    let left = quantity_lots;
    while (left > 0) {
      const level = ladder.best();
      if (level === none) break;
      const maker_ticks = ladder.price_ticks[level];
      if (side === BID ? maker_ticks > price_ticks : maker_ticks < price_ticks) break;
      while (left > 0) {
        const maker = ladder.head[level];
        if (maker === none) break;
        const open_lots = orders.quantity_lots[maker];
        const maker_id = orders.id[maker];
        const fill_lots = open_lots < left ? open_lots : left;
        left -= fill_lots;
        if (fill_lots === open_lots) {
          ladder.detach(maker);
          this.#index.delete(maker_id);
          orders.release(maker);
        } else {
          orders.quantity_lots[maker] = open_lots - fill_lots;
          ladder.quantity_lots[level] -= fill_lots;
        }
        output.pushTrade(side, maker_ticks, fill_lots, ++this.trade_id, maker_id, taker_id, time_ms);
      }
      this.#level(against, level, time_ms, output);
      ladder.dropIfEmpty(level);
    }
    return left;
  }

  #rest(
    side: Side,
    price_ticks: number,
    quantity_lots: number,
    id: number,
    time_ms: number,
    output: EventBuffer,
  ): void {
    const { orders } = this;
    const slot = orders.take(side);
    if (slot === none) {
      this.refused++;
      return;
    }
    orders.id[slot] = id;
    orders.quantity_lots[slot] = quantity_lots;
    orders.time_ms[slot] = time_ms;
    this.#index.set(id, slot);
    const ladder = this.ladders[side];
    const level = ladder.findOrAdd(price_ticks);
    ladder.append(level, slot);
    this.#level(side, level, time_ms, output);
  }

  #remove(slot: number, time_ms: number, output: EventBuffer): void {
    const { orders } = this;
    const side = orders.side[slot] as Side;
    const ladder = this.ladders[side];
    const level = orders.level[slot];
    ladder.detach(slot);
    this.#index.delete(orders.id[slot]);
    orders.release(slot);
    this.#level(side, level, time_ms, output);
    ladder.dropIfEmpty(level);
  }

  #level(side: Side, level: number, time_ms: number, output: EventBuffer): void {
    const ladder = this.ladders[side];
    output.pushLevel(
      side,
      ladder.price_ticks[level],
      ladder.quantity_lots[level],
      ++this.update_id,
      time_ms,
    );
  }

  #quote(time_ms: number, output: EventBuffer): void {
    const [bids, asks] = this.ladders;
    const bid = bids.best();
    const ask = asks.best();
    const bid_ticks = bid === none ? 0 : bids.price_ticks[bid];
    const bid_lots = bid === none ? 0 : bids.quantity_lots[bid];
    const ask_ticks = ask === none ? 0 : asks.price_ticks[ask];
    const ask_lots = ask === none ? 0 : asks.quantity_lots[ask];
    if (
      bid_ticks === this.#bid_ticks && bid_lots === this.#bid_lots &&
      ask_ticks === this.#ask_ticks && ask_lots === this.#ask_lots
    ) return;
    this.#bid_ticks = bid_ticks;
    this.#bid_lots = bid_lots;
    this.#ask_ticks = ask_ticks;
    this.#ask_lots = ask_lots;
    output.pushQuote(bid_ticks, bid_lots, ask_ticks, ask_lots, this.update_id, time_ms);
  }
}

function requireExact(price_ticks: number, quantity_lots: number): void {
  if (!Number.isSafeInteger(price_ticks)) {
    throw new RangeError(`order price: ${price_ticks} ticks, want an integer`);
  }
  if (!Number.isSafeInteger(quantity_lots) || quantity_lots < 1) {
    throw new RangeError(`order quantity: ${quantity_lots} lots, want an integer ≥ 1`);
  }
}
