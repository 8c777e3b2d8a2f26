/**
 * Watches a matching book from outside and checks, after every action, what must hold of any book: quantity is conserved,
 * price–time priority is kept, the sides never cross, every level is the sum of its orders, and the event rows alone
 * rebuild the book. It keeps its own account and never asks the book what it meant to do.
 */
import { ADD_IMMEDIATE, CANCEL, MODIFY, type OrderTape } from "../../bench/order_tape.ts";
import { EventBuffer, LEVEL, QUOTE, TRADE } from "../../../lib/simulation/event_buffer.ts";
import type { MatchingBook } from "../../../lib/simulation/matching_book.ts";
import { none } from "../../../lib/simulation/order_store.ts";
import { ASK, BID, oppositeOf, type Side } from "../../../lib/simulation/side.ts";

/** A property that did not hold. */
export class Violation extends Error {
  override readonly name = "Violation";
}

export class BookWitness {
  readonly output = new EventBuffer();
  /** Levels as the event rows tell them: price → quantity. */
  readonly #told = [new Map<number, number>(), new Map<number, number>()] as const;
  /** Order id → when it got its place, by our own count. */
  readonly #place = new Map<number, number>();
  #next_place = 1;
  #resting_lots = 0;
  #orders_added = 0;
  #update_id = 0;
  #trade_id = 0;
  #quote = [0, 0, 0, 0];
  trades = 0;

  constructor(readonly book: MatchingBook) {}

  /** Plays one action and checks everything. */
  step(tape: OrderTape, at: number): void {
    const action = tape.action[at];
    const is_new = action !== CANCEL && action !== MODIFY;
    const id = is_new ? ++this.#orders_added : tape.order_id[at];
    const slot = is_new ? none : this.book.slotOf(id);
    const found = slot !== none;
    const old_lots = found ? this.book.orders.quantity_lots[slot] : 0;
    const old_ticks = found ? this.book.priceOfSlot(slot) : 0;
    const side = (found ? this.book.orders.side[slot] : tape.side[at]) as Side;
    const lots = tape.quantity_lots[at];
    this.output.clear();
    tape.play(at, this.book, this.output);

    if (is_new || (found && action === MODIFY && (tape.price_ticks[at] !== old_ticks || lots > old_lots))) {
      this.#place.set(id, this.#next_place++);
    }
    if (action === CANCEL) this.#place.delete(id);
    const traded_lots = this.#checkRows(id, side, tape.price_ticks[at]);
    // Every fill takes from the taker and from the maker. What an immediate order does not trade never rests.
    const entered_lots = action === ADD_IMMEDIATE
      ? traded_lots
      : action === CANCEL
      ? -old_lots
      : is_new || found
      ? lots - old_lots
      : 0;
    this.#resting_lots += entered_lots - 2 * traded_lots;
    const resting_lots = this.#checkSide(BID) + this.#checkSide(ASK);
    claim(resting_lots === this.#resting_lots, "conservation", resting_lots, this.#resting_lots);
    if (action === ADD_IMMEDIATE || action === CANCEL) claim(!this.book.has(id), "order gone", id, "absent");
    this.#checkTouch();
  }

  /** Reads the rows of one action; returns the lots traded. */
  #checkRows(taker_id: number, side: Side, limit_ticks: number): number {
    const { output } = this;
    const against = this.book.ladders[oppositeOf(side)];
    let traded_lots = 0;
    for (let row = 0; row < output.size; row++) {
      const price = output.price_ticks[row];
      const lots = output.quantity_lots[row];
      if (output.kind[row] === LEVEL) {
        claim(output.id[row] === ++this.#update_id, "update id", output.id[row], this.#update_id);
        if (lots === 0) this.#told[output.side[row]].delete(price);
        else this.#told[output.side[row]].set(price, lots);
      } else if (output.kind[row] === TRADE) {
        claim(output.id[row] === ++this.#trade_id, "trade id", output.id[row], this.#trade_id);
        claim(output.takerId(row) === taker_id, "taker", output.takerId(row), taker_id);
        claim(side === BID ? price <= limit_ticks : price >= limit_ticks, "limit", price, limit_ticks);
        claim(lots > 0, "traded quantity", lots, "> 0");
        this.#checkMaker(row, against.best() === none ? none : against.head[against.best()]);
        traded_lots += lots;
        this.trades++;
      } else {
        claim(output.kind[row] === QUOTE && row === output.size - 1, "quote is the last row", row, "last");
        this.#quote = [price, lots, output.askPriceTicks(row), output.askQuantityLots(row)];
      }
    }
    return traded_lots;
  }

  /** No order that should have traded before this maker may still rest. */
  #checkMaker(row: number, head: number): void {
    const maker_id = this.output.makerId(row);
    const price = this.output.price_ticks[row];
    const place = this.#place.get(maker_id);
    if (place === undefined) throw new Violation(`maker ${maker_id}: unknown, want a resting order`);
    if (head !== none) {
      const best = this.book.priceOfSlot(head);
      const better = this.book.orders.side[head] === BID ? best > price : best < price;
      claim(!better, "price priority", best, price);
      const head_place = this.#place.get(this.book.orders.id[head])!;
      claim(best !== price || head_place >= place, "time priority", head_place, place);
    }
    if (!this.book.has(maker_id)) this.#place.delete(maker_id);
  }

  /** Walks one side; returns its lots. */
  #checkSide(side: Side): number {
    const { orders } = this.book;
    const ladder = this.book.ladders[side];
    const told = this.#told[side];
    let side_lots = 0;
    let side_orders = 0;
    let better = side === BID ? Infinity : -Infinity;
    for (let rank = 0; rank < ladder.size; rank++) {
      const level = ladder.levelAt(rank);
      const price = ladder.price_ticks[level];
      claim(side === BID ? price < better : price > better, "levels in order", price, better);
      better = price;
      let lots = 0;
      let count = 0;
      let last_place = 0;
      for (let slot = ladder.head[level]; slot !== none; slot = orders.next[slot]) {
        const place = this.#place.get(orders.id[slot]) ?? 0;
        claim(place > last_place, "queue in order of time", place, last_place);
        last_place = place;
        lots += orders.quantity_lots[slot];
        count++;
      }
      claim(
        count > 0 && count === ladder.order_count[level],
        "order count",
        ladder.order_count[level],
        count,
      );
      claim(
        lots === ladder.quantity_lots[level],
        "level is the sum of its orders",
        ladder.quantity_lots[level],
        lots,
      );
      claim(told.get(price) === lots, "rows rebuild the level", told.get(price), lots);
      side_lots += lots;
      side_orders += count;
    }
    claim(told.size === ladder.size, "rows rebuild the side", told.size, ladder.size);
    claim(side_orders === orders.count(side), "orders of the side", orders.count(side), side_orders);
    return side_lots;
  }

  #checkTouch(): void {
    const [bids, asks] = this.book.ladders;
    const bid = bids.best();
    const ask = asks.best();
    const touch = [
      bid === none ? 0 : bids.price_ticks[bid],
      bid === none ? 0 : bids.quantity_lots[bid],
      ask === none ? 0 : asks.price_ticks[ask],
      ask === none ? 0 : asks.quantity_lots[ask],
    ];
    claim(bid === none || ask === none || touch[0] < touch[2], "not crossed", touch[0], touch[2]);
    for (let i = 0; i < 4; i++) {
      claim(touch[i] === this.#quote[i], "quote is the touch", this.#quote[i], touch[i]);
    }
  }
}

function claim(holds: boolean, what: string, is: unknown, want: unknown): void {
  if (!holds) throw new Violation(`${what}: ${is}, want ${want}`);
}
