/** The book of two sides: top, spread, imbalance, crossing, and how far a snapshot lets us know. */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { LevelList } from "../../../lib/market/level_list.ts";
import { OrderBook } from "../../../lib/market/order_book.ts";
import { listOf, listOfTexts, rowsOf } from "./level_lists.ts";

const NONE = listOf([]);

Deno.test("an empty book has no top, no spread, no imbalance, and is not crossed", () => {
  const book = new OrderBook();
  assert.equal(book.best_bid, undefined);
  assert.equal(book.best_ask, undefined);
  assert.equal(book.spread, undefined);
  assert.equal(book.imbalance(5), undefined);
  assert.equal(book.crossed, false);
  book.apply(listOfTexts([["10", "1"]]), NONE);
  assert.equal(book.spread, undefined);
  assert.equal(book.imbalance(5), 1);
  assert.equal(book.crossed, false);
});

Deno.test("the spread is exact in the book's own decimals", () => {
  const random = new Random("spread");
  for (let i = 0; i < 3_000; i++) {
    const decimals = random.integer(0, 8);
    const bid = random.integer(1, 90_000_000);
    const ticks = random.integer(1, 500);
    const text = (mantissa: number) => (mantissa / 10 ** decimals).toFixed(decimals);
    const book = new OrderBook();
    book.apply(listOfTexts([[text(bid), "1"]]), listOfTexts([[text(bid + ticks), "1"]]));
    assert.equal(book.spread, Number(text(ticks)), `${text(bid)} ${text(bid + ticks)}`);
  }
});

Deno.test("crossed means best bid at or above best ask", () => {
  for (
    const [bid, ask, crossed] of [["99", "100", false], ["100", "100", true], ["101", "100", true]] as const
  ) {
    const book = new OrderBook();
    book.apply(listOfTexts([[bid, "1"]]), listOfTexts([[ask, "1"]]));
    assert.equal(book.crossed, crossed);
  }
});

Deno.test("imbalance sums the best levels only", () => {
  const book = new OrderBook();
  book.apply(listOf([[10, 3], [9, 5], [8, 100]]), listOf([[11, 1], [12, 1], [13, 1]]));
  assert.equal(book.imbalance(1), 0.5);
  assert.equal(book.imbalance(2), 6 / 10);
  assert.equal(book.imbalance(99), (108 - 3) / 111);
});

Deno.test("a side that came back full is known to its last level, a shorter one wholly", () => {
  const book = new OrderBook();
  book.replace(listOf([[10, 1], [9, 1], [8, 1]]), listOf([[11, 1], [12, 1]]), 3);
  assert.equal(book.bids.bound_key, 8);
  assert.equal(book.asks.bound_key, -Infinity);
  book.apply(listOf([[7, 1], [9.5, 1], [8, 0]]), listOf([[13, 1]]));
  assert.equal(book.bids.known, 3);
  assert.equal(book.bids.size, 4);
  assert.equal(book.asks.known, 3);
  book.replace(listOf([[10, 1], [9, 1], [8, 1]]), listOf([[11, 1], [12, 1]]));
  assert.equal(book.bids.bound_key, -Infinity);
});

Deno.test("the bound of asks is above them", () => {
  const book = new OrderBook();
  book.replace(listOf([[10, 1]]), listOf([[11, 1], [12, 1]]), 2);
  assert.equal(book.asks.bound_key, -12);
  book.apply(NONE, listOf([[12.5, 1], [11.5, 1]]));
  assert.equal(book.asks.known, 3);
  assert.equal(book.asks.size, 4);
});

Deno.test("replace leaves nothing of the old book, decimals only grow", () => {
  const book = new OrderBook();
  book.apply(listOfTexts([["10.123", "1.5"]]), listOfTexts([["11", "0.00001"]]));
  book.replace(listOfTexts([["5", "1"]]), listOfTexts([["6", "1"]]));
  assert.deepEqual(rowsOf(book.bids), [[5, 1, undefined]]);
  assert.deepEqual(rowsOf(book.asks), [[6, 1, undefined]]);
  assert.deepEqual([book.price_decimals, book.quantity_decimals], [3, 5]);
  book.clear();
  assert.equal(book.bids.size + book.asks.size, 0);
});

Deno.test("a level list grows, clears and copies without sharing", () => {
  const list = new LevelList(1);
  for (let i = 0; i < 1_000; i++) list.push(i, i * 2);
  list.noteDecimals(2, 5);
  (list.exact_quantities ??= new Map()).set(3, "exact");
  const copy = new LevelList(2);
  copy.push(1, 1);
  copy.copyFrom(list);
  list.clear();
  list.push(7, 7);
  assert.deepEqual([copy.size, copy.price_decimals, copy.quantity_decimals], [1_000, 2, 5]);
  assert.deepEqual([...copy.prices.subarray(0, 3)], [0, 1, 2]);
  assert.equal(copy.exact_quantities?.get(3), "exact");
  assert.deepEqual([list.size, list.price_decimals, list.exact_quantities], [1, 0, undefined]);
});
