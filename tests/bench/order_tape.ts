/**
 * A recorded sequence of order actions, so that two books do exactly the same work and the cost of choosing the actions
 * stays out of the measurement. Ids are those a book hands out in sequence, known because recording drives a real book.
 */
import { Random } from "../../lib/base/random.ts";
import { EventBuffer } from "../../lib/simulation/event_buffer.ts";
import { MatchingBook, type TimeInForce } from "../../lib/simulation/matching_book.ts";
import { ASK, BID, type Side } from "../../lib/simulation/side.ts";

export const ADD = 0;
export const ADD_IMMEDIATE = 1;
export const MODIFY = 2;
export const CANCEL = 3;

/** What a tape can be played on. */
export interface BookUnderTest {
  add(
    side: Side,
    price_ticks: number,
    quantity_lots: number,
    time_ms: number,
    output: EventBuffer,
    time_in_force?: TimeInForce,
  ): number;
  modify(
    id: number,
    price_ticks: number,
    quantity_lots: number,
    time_ms: number,
    output: EventBuffer,
  ): boolean;
  cancel(id: number, time_ms: number, output: EventBuffer): boolean;
}

export class OrderTape {
  readonly action: Uint8Array;
  readonly side: Uint8Array;
  readonly price_ticks: Float64Array;
  readonly quantity_lots: Float64Array;
  readonly order_id: Float64Array;

  constructor(readonly length: number) {
    this.action = new Uint8Array(length);
    this.side = new Uint8Array(length);
    this.price_ticks = new Float64Array(length);
    this.quantity_lots = new Float64Array(length);
    this.order_id = new Float64Array(length);
  }
  /** Plays action `at`, whose time is `at` milliseconds. */
  play(at: number, book: BookUnderTest, output: EventBuffer): void {
    const action = this.action[at];
    if (action === CANCEL) {
      book.cancel(this.order_id[at], at, output);
    } else if (action === MODIFY) {
      book.modify(this.order_id[at], this.price_ticks[at], this.quantity_lots[at], at, output);
    } else {
      book.add(
        this.side[at] as Side,
        this.price_ticks[at],
        this.quantity_lots[at],
        at,
        output,
        action === ADD ? "good_till_cancelled" : "immediate_or_cancel",
      );
    }
  }
}

export interface TapeOptions {
  seed: number;
  actions: number;
  /** The book is steered towards this many resting orders. */
  resting_orders: number;
  /** Mean distance of an order from the middle, which itself wanders. */
  mean_distance_ticks: number;
}

/** Random actions around a wandering middle: about 40 % new, 30 % modify, 30 % cancel, an eighth of the new ones crossing. */
export function recordTape(options: TapeOptions): OrderTape {
  const random = new Random(options.seed);
  const tape = new OrderTape(options.actions);
  const book = new MatchingBook();
  const output = new EventBuffer();
  let middle_ticks = 1_000_000;
  for (let at = 0; at < tape.length; at++) {
    middle_ticks += random.integer(-1, 1);
    const resting = book.orders.count(BID) + book.orders.count(ASK);
    const new_share = resting < options.resting_orders ? 0.55 : 0.34;
    const choice = random.unit();
    const side = random.chance(0.5) ? BID : ASK;
    const picked = choice < new_share ? undefined : randomOrder(book, side, random);
    tape.side[at] = side;
    tape.quantity_lots[at] = random.integer(1, 100);
    const sign = side === BID ? -1 : 1;
    const distance = Math.ceil(random.exponential(options.mean_distance_ticks)) *
      (random.chance(0.06) ? -1 : 1);
    tape.price_ticks[at] = middle_ticks + sign * distance;
    if (picked === undefined) {
      tape.action[at] = random.chance(0.08) ? ADD_IMMEDIATE : ADD;
      if (tape.action[at] === ADD_IMMEDIATE) tape.price_ticks[at] = middle_ticks - sign * 5;
    } else {
      tape.order_id[at] = book.orders.id[picked];
      tape.action[at] = choice < 0.7 ? MODIFY : CANCEL;
      if (random.chance(0.5)) tape.price_ticks[at] = book.priceOfSlot(picked);
    }
    tape.play(at, book, output);
    output.clear();
  }
  return tape;
}

/** A storage slot of some resting order, or undefined where the side is empty. */
function randomOrder(book: MatchingBook, side: Side, random: Random): number | undefined {
  const count = book.orders.count(side);
  return count === 0 ? undefined : book.orders.liveSlot(side, random.integer(0, count - 1));
}
