/**
 * The matching book against its properties, against a plain book as oracle, and at its bound. MDG_LONG=1 runs a million
 * random actions instead of fifty thousand. The canaries are broken books that the witness must catch.
 */
import assert from "node:assert/strict";
import { NaiveMatchingBook } from "../../bench/naive_matching_book.ts";
import { recordTape } from "../../bench/order_tape.ts";
import { EventBuffer, LEVEL, QUOTE, TRADE } from "../../../lib/simulation/event_buffer.ts";
import { MatchingBook, type TimeInForce } from "../../../lib/simulation/matching_book.ts";
import { ASK, BID, type Side } from "../../../lib/simulation/side.ts";
import { BookWitness, Violation } from "./book_witness.ts";
import { is_long } from "../../services.ts";

const long = is_long || Boolean(Deno.env.get("MDG_LONG"));

function rowsOf(output: EventBuffer): unknown[][] {
  return Array.from({ length: output.size }, (_, row) => {
    const { price_ticks, quantity_lots, id, side } = output;
    if (output.kind[row] === LEVEL) {
      return ["level", side[row], price_ticks[row], quantity_lots[row], id[row]];
    }
    if (output.kind[row] === TRADE) {
      const parties = [output.makerId(row), output.takerId(row)];
      return ["trade", side[row], price_ticks[row], quantity_lots[row], id[row], ...parties];
    }
    const ask = [output.askPriceTicks(row), output.askQuantityLots(row)];
    return ["quote", price_ticks[row], quantity_lots[row], ...ask, id[row]];
  });
}

function queueOf(book: MatchingBook, side: Side, price_ticks: number): number[] {
  const ladder = book.ladders[side];
  const ids: number[] = [];
  const level = ladder.find(price_ticks);
  if (level < 0) return ids;
  for (let slot = ladder.head[level]; slot >= 0; slot = book.orders.next[slot]) {
    ids.push(book.orders.id[slot]);
  }
  return ids;
}

Deno.test("a crossing order trades best price first, oldest first, and its rest stays", () => {
  const book = new MatchingBook();
  const output = new EventBuffer();
  const first = book.add(ASK, 101, 5, 0, output);
  const second = book.add(ASK, 101, 5, 1, output);
  const better = book.add(ASK, 100, 2, 2, output);
  output.clear();
  const taker = book.add(BID, 101, 20, 3, output);
  assert.deepEqual(rowsOf(output), [
    ["trade", BID, 100, 2, 1, better, taker],
    ["level", ASK, 100, 0, 4],
    ["trade", BID, 101, 5, 2, first, taker],
    ["trade", BID, 101, 5, 3, second, taker],
    ["level", ASK, 101, 0, 5],
    ["level", BID, 101, 8, 6],
    ["quote", 101, 8, 0, 0, 6],
  ]);
  assert.equal(book.has(taker), true);
  assert.equal(book.has(first), false);
});

Deno.test("less quantity keeps the place, more quantity or another price loses it", () => {
  const book = new MatchingBook();
  const output = new EventBuffer();
  const [a, b, c] = [1, 2, 3].map((time_ms) => book.add(BID, 100, 10, time_ms, output));
  book.modify(a, 100, 4, 4, output);
  assert.deepEqual(queueOf(book, BID, 100), [a, b, c]);
  book.modify(a, 100, 5, 5, output);
  assert.deepEqual(queueOf(book, BID, 100), [b, c, a]);
  book.modify(b, 99, 10, 6, output);
  book.modify(b, 100, 10, 7, output);
  assert.deepEqual(queueOf(book, BID, 100), [c, a, b]);
  assert.equal(book.ladders[BID].quantity_lots[book.ladders[BID].best()], 25);
});

Deno.test("a modify that crosses trades under its own id, an immediate order never rests", () => {
  const book = new MatchingBook();
  const output = new EventBuffer();
  const bid = book.add(BID, 99, 10, 0, output);
  const ask = book.add(ASK, 101, 4, 0, output);
  output.clear();
  book.modify(bid, 101, 10, 1, output);
  assert.deepEqual(rowsOf(output).filter(([kind]) => kind === "trade"), [[
    "trade",
    BID,
    101,
    4,
    1,
    ask,
    bid,
  ]]);
  assert.deepEqual(queueOf(book, BID, 101), [bid]);
  const immediate = book.add(ASK, 101, 50, 2, output, "immediate_or_cancel");
  assert.equal(book.has(immediate), false);
  assert.equal(book.orders.count(BID) + book.orders.count(ASK), 0);
});

Deno.test("unknown orders are told, inexact prices and quantities are refused", () => {
  const book = new MatchingBook();
  const output = new EventBuffer();
  assert.equal(book.cancel(7, 0, output), false);
  assert.equal(book.modify(7, 1, 1, 0, output), false);
  assert.throws(() => book.add(BID, 1, 0, 0, output), /order quantity: 0 lots, want an integer ≥ 1/);
  assert.throws(() => book.add(BID, 1.5, 1, 0, output), /order price: 1.5 ticks, want an integer/);
  assert.throws(() => book.add(BID, NaN, 1, 0, output), RangeError);
  assert.equal(output.size, 0);
});

Deno.test("at its bound the book refuses to rest more and counts it, but still trades", () => {
  const book = new MatchingBook(2);
  const output = new EventBuffer();
  book.add(BID, 98, 1, 0, output);
  book.add(BID, 99, 1, 0, output);
  output.clear();
  book.add(BID, 97, 1, 0, output);
  assert.equal(book.refused, 1);
  assert.deepEqual(rowsOf(output), []);
  book.add(ASK, 99, 1, 0, output);
  assert.equal(book.trade_id, 1);
  book.add(BID, 97, 1, 0, output);
  assert.equal(book.refused, 1);
});

Deno.test("random actions: every property holds after every action, and every row equals the plain book's", () => {
  const tape = recordTape({
    seed: 11,
    actions: long ? 1_000_000 : 50_000,
    resting_orders: 150,
    mean_distance_ticks: 12,
  });
  const witness = new BookWitness(new MatchingBook());
  const oracle = new NaiveMatchingBook();
  const expected = new EventBuffer();
  for (let at = 0; at < tape.length; at++) {
    witness.step(tape, at);
    expected.clear();
    tape.play(at, oracle, expected);
    const { output } = witness;
    let equal = output.size === expected.size;
    for (let row = 0; equal && row < output.size; row++) {
      equal = output.kind[row] === expected.kind[row] && output.id[row] === expected.id[row] &&
        output.price_ticks[row] === expected.price_ticks[row] &&
        output.quantity_lots[row] === expected.quantity_lots[row] &&
        (output.kind[row] === QUOTE || output.side[row] === expected.side[row]) &&
        (output.kind[row] === LEVEL ||
          (output.makerId(row) === expected.makerId(row) && output.takerId(row) === expected.takerId(row)));
    }
    if (!equal) assert.deepEqual(rowsOf(output), rowsOf(expected), `action ${at}`);
  }
  assert.ok(
    witness.trades > tape.length / 20,
    `the tape traded too little to prove anything: ${witness.trades}`,
  );
});

/** Keeps its place in the queue when the quantity grows. */
class UnfairBook extends MatchingBook {
  override modify(
    id: number,
    price_ticks: number,
    lots: number,
    time_ms: number,
    output: EventBuffer,
  ): boolean {
    const slot = this.slotOf(id);
    const grows = slot >= 0 && this.priceOfSlot(slot) === price_ticks &&
      lots > this.orders.quantity_lots[slot];
    if (!grows) return super.modify(id, price_ticks, lots, time_ms, output);
    const followers = queueOf(this, this.orders.side[slot] as Side, price_ticks).filter((other) =>
      other !== id
    );
    super.modify(id, price_ticks, lots, time_ms, output);
    const ladder = this.ladders[this.orders.side[slot]];
    for (const follower of followers) {
      const other = this.slotOf(follower);
      ladder.detach(other);
      ladder.append(this.orders.level[slot], other);
    }
    return true;
  }
}

/** Loses one lot of a level on every hundredth order. */
class LeakyBook extends MatchingBook {
  override cancel(id: number, time_ms: number, output: EventBuffer): boolean {
    const done = super.cancel(id, time_ms, output);
    const best = this.ladders[BID].best();
    if (best >= 0 && this.order_id % 100 === 0) this.ladders[BID].quantity_lots[best]--;
    return done;
  }
}

/** Forgets to match: an order rests although it crosses. */
class CrossedBook extends MatchingBook {
  override add(
    side: Side,
    price_ticks: number,
    lots: number,
    time_ms: number,
    output: EventBuffer,
    time_in_force?: TimeInForce,
  ): number {
    const against = this.ladders[1 - side];
    const best = against.best();
    if (best < 0 || time_in_force === "immediate_or_cancel") {
      return super.add(side, price_ticks, lots, time_ms, output, time_in_force);
    }
    const touch = against.price_ticks[best];
    const shy = side === BID ? Math.min(price_ticks, touch - 1) : Math.max(price_ticks, touch + 1);
    const id = super.add(side, shy, lots, time_ms, output);
    if (shy === price_ticks) return id;
    const ladder = this.ladders[side];
    const slot = this.slotOf(id);
    const level = this.orders.level[slot];
    ladder.detach(slot);
    ladder.dropIfEmpty(level);
    const crossing = ladder.findOrAdd(price_ticks);
    ladder.append(crossing, slot);
    output.clear();
    output.pushLevel(side, price_ticks, ladder.quantity_lots[crossing], this.update_id, time_ms);
    return id;
  }
}

/** Enters one lot less than it was given. */
class ThievingBook extends MatchingBook {
  override add(
    side: Side,
    price_ticks: number,
    lots: number,
    time_ms: number,
    output: EventBuffer,
    time_in_force?: TimeInForce,
  ): number {
    return super.add(side, price_ticks, Math.max(1, lots - 1), time_ms, output, time_in_force);
  }
}

const canaries = [
  { Broken: UnfairBook, caught: /^queue in order of time: / },
  { Broken: LeakyBook, caught: /^level is the sum of its orders: / },
  { Broken: CrossedBook, caught: /^not crossed: / },
  { Broken: ThievingBook, caught: /^conservation: / },
];

for (const { Broken, caught } of canaries) {
  Deno.test(`canary: the witness catches ${Broken.name}`, () => {
    const tape = recordTape({ seed: 3, actions: 5_000, resting_orders: 150, mean_distance_ticks: 12 });
    const witness = new BookWitness(new Broken());
    assert.throws(() => {
      for (let at = 0; at < tape.length; at++) witness.step(tape, at);
    }, (error) => error instanceof Violation && caught.test(error.message));
  });
}
