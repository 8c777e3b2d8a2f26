/**
 * Who sends which order: 40 % new, 30 % modify, 30 % cancel. Passive orders are placed around the current best of their
 * side, leaning towards the fair price, at heavy-tailed distances and often on round prices or existing levels; incoming
 * takers first clear what the fair price has left behind. Size control: takers grow more frequent and larger as the book
 * outgrows its target, so the mix of actions never has to bend.
 * Bound: while the book is full every new order takes. A side is never emptied: takers and cancels turn to the other side
 * below a floor, and what they take above it leaves at least one order.
 */
import type { Random } from "../base/random.ts";
import type { EventBuffer } from "./event_buffer.ts";
import { type FairPrice, seconds_per_year } from "./fair_price.ts";
import type { Instrument } from "./instrument.ts";
import type { MatchingBook } from "./matching_book.ts";
import { none } from "./order_store.ts";
import { ASK, BID, oppositeOf, type Side } from "./side.ts";

const new_share = 0.4;
const modify_share = 0.3;
const cancel_share = 0.3;

/** Below this a side is only added to. */
const floor_orders = 8;
/** Smallest sensible target: both sides stand well above their floors. */
export const min_target_orders = 64;
/** Share of new orders that take at the target size: with the mix above, as many leave as come. */
const taker_share = 0.125;
/** Patient orders stand at most this fraction of the price behind the best, times a heavy-tailed factor around 1. */
const max_scale = 0.005;
/** A front moves towards a distant fair price by at most this fraction of the price at once, or two scales if more. */
const max_lean = 0.002;
/** How many levels one taker may clear when the fair price has moved past them. */
const max_cleared_levels = 40;

/** Actions performed, by kind. Every one found an order to act on. */
export interface ActionCounts {
  added: number;
  modified: number;
  cancelled: number;
}

export interface OrderFlowOptions {
  /** Resting orders, both sides together, that the flow steers to. */
  target_orders: number;
  /** Of the quiet market, actions per second; with the volatility it says how wide the book must be. */
  rate_per_s: number;
  /** Annualised, as a fraction. */
  volatility: number;
}

export class OrderFlow {
  readonly counts: ActionCounts = { added: 0, modified: 0, cancelled: 0 };
  /** How far behind the best the patient orders stand. */
  readonly #scale_ticks: number;
  readonly #lean_ticks: number;
  readonly #round_ticks: number;
  readonly #half_spread_ticks: number;

  constructor(
    readonly instrument: Instrument,
    readonly book: MatchingBook,
    readonly fair: FairPrice,
    readonly random: Random,
    readonly options: OrderFlowOptions,
  ) {
    const { volatility, target_orders, rate_per_s } = options;
    // Patient orders stand where the price may come while they live: a slow market is a wide one.
    const life_s = target_orders / (cancel_share * rate_per_s);
    const wander = volatility * Math.sqrt(life_s / seconds_per_year);
    this.#scale_ticks = Math.max(
      2,
      instrument.typical_spread_ticks * 4,
      Math.min(max_scale, wander) * instrument.reference_ticks,
    );
    this.#lean_ticks = Math.max(2 * this.#scale_ticks, max_lean * instrument.reference_ticks);
    this.#round_ticks = roundStep(instrument.typical_spread_ticks);
    this.#half_spread_ticks = instrument.typical_spread_ticks / 2;
  }

  /** Orders of the opening auction: the book is full from the first moment. Not counted as actions. */
  open(time_ms: number, output: EventBuffer): void {
    for (let i = 0; i < this.options.target_orders; i++) {
      const side = i % 2 === 0 ? BID : ASK;
      this.book.add(side, this.#passiveTicks(side), this.#sizeLots(), time_ms, output);
    }
  }
  /** Performs one action. */
  act(time_ms: number, output: EventBuffer): void {
    const choice = this.random.unit();
    if (choice < new_share) this.#enter(time_ms, output);
    else if (choice < new_share + modify_share) this.#modify(time_ms, output);
    else this.#cancel(time_ms, output);
  }

  #enter(time_ms: number, output: EventBuffer): void {
    const { book, random } = this;
    this.counts.added++;
    const bids = book.orders.count(BID);
    const asks = book.orders.count(ASK);
    const excess = (bids + asks) / this.options.target_orders - 1;
    const share = Math.min(0.9, Math.max(0.02, taker_share + excess * 0.5));
    const takeable = bids > floor_orders || asks > floor_orders;
    if (takeable && (book.orders.full || random.chance(share))) {
      this.#take(1 + Math.max(0, excess) * 4, time_ms, output);
      return;
    }
    const side = random.chance(asks / (bids + asks)) ? BID : ASK;
    book.add(side, this.#passiveTicks(side), this.#sizeLots(), time_ms, output);
  }

  /** A taker: clears what the fair price has left behind, else takes at the touch on a random side. */
  #take(size_factor: number, time_ms: number, output: EventBuffer): void {
    const { book, random } = this;
    const fair_ticks = this.fair.ticks;
    let side: Side = random.chance(0.5) ? BID : ASK;
    if (this.#bestTicks(ASK) < fair_ticks) side = BID;
    else if (this.#bestTicks(BID) > fair_ticks) side = ASK;
    if (book.orders.count(oppositeOf(side)) <= floor_orders) side = oppositeOf(side);
    const ladder = book.ladders[oppositeOf(side)];
    const cleared_levels = this.#clearedLevels(ladder.price_ticks[ladder.best()]);
    let limit_ticks = ladder.price_ticks[ladder.best()];
    let stale_lots = 0;
    let spare = book.orders.count(oppositeOf(side)) - floor_orders;
    for (let rank = 0; rank < ladder.size && rank < cleared_levels; rank++) {
      const level = ladder.levelAt(rank);
      const ticks = ladder.price_ticks[level];
      spare -= ladder.order_count[level];
      if (spare < 0 || (side === BID ? ticks >= fair_ticks : ticks <= fair_ticks)) break;
      stale_lots += ladder.quantity_lots[level];
      limit_ticks = ticks;
    }
    const wanted_lots = stale_lots > 0 ? stale_lots : Math.ceil(this.#sizeLots() * size_factor);
    const lots = this.#sparing(side, limit_ticks, wanted_lots);
    book.add(side, limit_ticks, lots, time_ms, output, "immediate_or_cancel");
  }
  /**
   * How many stale levels one taker may clear. A thinned book is cleared little and walks instead, for owners of stale
   * orders flee; but where the touch is far from fair there is a panic and the taker sweeps.
   */
  #clearedLevels(touch_ticks: number): number {
    const { orders } = this.book;
    if (Math.abs(touch_ticks - this.fair.ticks) > this.#lean_ticks / 2) return max_cleared_levels;
    const fullness = Math.min(1, (orders.count(BID) + orders.count(ASK)) / this.options.target_orders);
    return Math.max(1, max_cleared_levels * fullness ** 3);
  }
  /** As much of `lots` as leaves the other side its floor: only the touch is taken, and not its last orders. */
  #sparing(side: Side, limit_ticks: number, lots: number): number {
    const ladder = this.book.ladders[oppositeOf(side)];
    const count = this.book.orders.count(oppositeOf(side));
    const level = ladder.best();
    if (limit_ticks !== ladder.price_ticks[level]) return lots;
    const thin = count - ladder.order_count[level] < floor_orders;
    return thin ? Math.max(1, Math.min(lots, ladder.quantity_lots[level] - 1)) : lots;
  }

  #modify(time_ms: number, output: EventBuffer): void {
    const { book, random } = this;
    this.counts.modified++;
    const reprice = random.chance(0.5);
    const stale = reprice ? this.#staleSlot() : none;
    const slot = stale === none ? this.#farther(this.#fullerSide(), 0.6) : stale;
    const id = book.orders.id[slot];
    const lots = book.orders.quantity_lots[slot];
    if (reprice) {
      book.modify(id, this.#passiveTicks(book.orders.side[slot] as Side), lots, time_ms, output);
      return;
    }
    const changed = random.chance(0.6) ? Math.ceil(lots * random.unit()) : lots + this.#sizeLots();
    const capped = Math.min(Math.max(1, changed), this.instrument.typical_lots * 50);
    book.modify(id, book.priceOfSlot(slot), capped, time_ms, output);
  }

  #cancel(time_ms: number, output: EventBuffer): void {
    const { book } = this;
    const side = this.#fullerSide();
    // Both sides at the floor is all but unreachable, but there a new order does the market more good.
    if (book.orders.count(side) <= floor_orders) return this.#enter(time_ms, output);
    this.counts.cancelled++;
    const slot = this.#farther(side, 0.6);
    book.cancel(book.orders.id[slot], time_ms, output);
  }

  /** The oldest order at a touch that the fair price has moved past: its owner flees. -1 where there is none. */
  #staleSlot(): number {
    const { ladders } = this.book;
    const fair_ticks = this.fair.ticks;
    if (this.#bestTicks(ASK) < fair_ticks) return ladders[ASK].head[ladders[ASK].best()];
    if (this.#bestTicks(BID) > fair_ticks) return ladders[BID].head[ladders[BID].best()];
    return none;
  }
  /** A side drawn in proportion to its orders, so that a thin side is spared. */
  #fullerSide(): Side {
    const bids = this.book.orders.count(BID);
    const asks = this.book.orders.count(ASK);
    if (bids <= floor_orders) return ASK;
    if (asks <= floor_orders) return BID;
    return this.random.chance(bids / (bids + asks)) ? BID : ASK;
  }
  /** Of two random orders the one farther from the touch, with this probability; else the first drawn. */
  #farther(side: Side, probability: number): number {
    const { book, random } = this;
    const count = book.orders.count(side);
    const one = book.orders.liveSlot(side, random.integer(0, count - 1));
    if (!random.chance(probability)) return one;
    const other = book.orders.liveSlot(side, random.integer(0, count - 1));
    const one_is_behind = side === BID
      ? book.priceOfSlot(one) < book.priceOfSlot(other)
      : book.priceOfSlot(one) > book.priceOfSlot(other);
    return one_is_behind ? one : other;
  }

  /** A price that does not cross: a heavy-tailed distance behind the side's best, which leans towards the fair price. */
  #passiveTicks(side: Side): number {
    const { book, random } = this;
    const sign = side === BID ? -1 : 1;
    const count = book.orders.count(side);
    const anchor = this.#anchorTicks(side);
    if (count > floor_orders && random.chance(0.3)) {
      const joined = book.priceOfSlot(book.orders.liveSlot(side, random.integer(0, count - 1)));
      if ((joined - anchor) * sign < this.#scale_ticks * 10) return joined;
    }
    // Market makers at the touch; patient orders behind it, Pareto with tail exponent 2, cut where nobody quotes.
    const reach = random.chance(0.4)
      ? random.exponential(this.#half_spread_ticks)
      : Math.min(20, (1 - random.unit()) ** -0.5 - 1) * this.#scale_ticks;
    let ticks = Math.round(anchor + sign * reach);
    if (random.chance(0.5)) {
      const steps = ticks / this.#round_ticks;
      ticks = (side === BID ? Math.floor(steps) : Math.ceil(steps)) * this.#round_ticks;
    }
    return Math.max(1, ticks);
  }
  /** Where the front of a side belongs: at half a spread from fair, within the lean of its best, never crossing. */
  #anchorTicks(side: Side): number {
    const fair_ticks = this.fair.ticks;
    const best = this.#bestTicks(side);
    const against = this.#bestTicks(oppositeOf(side));
    if (side === BID) {
      const wanted = Math.floor(fair_ticks - this.#half_spread_ticks);
      const near = best === 0 ? wanted : Math.max(wanted, best - this.#lean_ticks);
      return Math.max(1, against === 0 ? near : Math.min(near, against - 1));
    }
    const wanted = Math.ceil(fair_ticks + this.#half_spread_ticks);
    const near = best === 0 ? wanted : Math.min(wanted, best + this.#lean_ticks);
    return Math.max(near, against + 1);
  }
  /** Best price of a side, 0 where it is empty. */
  #bestTicks(side: Side): number {
    const ladder = this.book.ladders[side];
    const level = ladder.best();
    return level === none ? 0 : ladder.price_ticks[level];
  }
  /** Log-normal around the typical size; a third of the orders come in round sizes. */
  #sizeLots(): number {
    const { random, instrument } = this;
    const lots = instrument.typical_lots * Math.exp(0.9 * random.normal());
    const step = random.chance(0.33) ? roundStep(lots) : 1;
    return Math.max(1, Math.min(Math.round(lots / step) * step, instrument.typical_lots * 50));
  }
}

/** The largest of 1, 2, 5 × 10^n that is not above `value`; at least 1. */
function roundStep(value: number): number {
  if (value < 1) return 1;
  let power = 1;
  while (power * 10 <= value) power *= 10;
  if (power * 5 <= value) return power * 5;
  return power * 2 <= value ? power * 2 : power;
}
