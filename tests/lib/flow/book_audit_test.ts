/**
 * The audit by example (exact, bracketed, late depth, ring limits) and by property: a generated market's quotes against
 * its own book never differ, whatever the interleaving; a book that lost a delta always does.
 */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import {
  type AuditDifference,
  BookAudit,
  MAX_PENDING,
  MAX_QUOTES,
  type Top,
} from "../../../lib/flow/book_audit.ts";
import { OrderBook } from "../../../lib/market/order_book.ts";
import { listOf } from "../market/level_lists.ts";
import { quote } from "./book_events.ts";

const A: [number, number, number, number] = [99, 1, 101, 1];
const B: [number, number, number, number] = [99, 2, 101, 1];

function bookOf([bid, bid_quantity, ask, ask_quantity]: Top): OrderBook {
  const book = new OrderBook();
  book.apply(listOf([[bid, bid_quantity], [bid - 1, 5]]), listOf([[ask, ask_quantity]]));
  return book;
}
function made() {
  const differences: AuditDifference[] = [];
  const audit = new BookAudit((difference) => differences.push(difference));
  return {
    audit,
    differences,
    counts: () => [audit.compared_exact, audit.compared_bracketed, audit.differed],
  };
}

Deno.test("exact: same id, whichever comes first", () => {
  const { audit, differences, counts } = made();
  audit.onQuote(quote(10, A));
  audit.onBook(10, bookOf(A));
  audit.onBook(20, bookOf(B));
  audit.onQuote(quote(20, B));
  assert.deepEqual(counts(), [2, 0, 0]);
  audit.onBook(30, bookOf(A));
  audit.onQuote(quote(30, B));
  assert.deepEqual(counts(), [3, 0, 1]);
  assert.deepEqual(differences, [{ update_id: 30, ours: A, venue: B, exact: true }]);
  assert.deepEqual([audit.compared, audit.equal], [3, 2]);
});

Deno.test("bracketed: the quote before is the truth only once a later one came", () => {
  const { audit, counts } = made();
  audit.onQuote(quote(10, A));
  audit.onBook(15, bookOf(A));
  assert.deepEqual(counts(), [0, 0, 0]);
  audit.onQuote(quote(20, B));
  assert.deepEqual(counts(), [0, 1, 0]);
  audit.onBook(25, bookOf(A));
  audit.onQuote(quote(30, A));
  assert.deepEqual(counts(), [0, 2, 1]);
});

Deno.test("late depth: the book comes after quotes beyond it", () => {
  const { audit, counts } = made();
  for (const [id, top] of [[10, A], [20, B], [30, A]] as const) audit.onQuote(quote(id, top));
  audit.onBook(25, bookOf(B));
  assert.deepEqual(counts(), [0, 1, 0]);
  audit.onBook(30, bookOf(A));
  assert.deepEqual(counts(), [1, 1, 0]);
});

Deno.test("a book before all quotes is not compared", () => {
  const { audit, counts } = made();
  audit.onBook(5, bookOf(B));
  audit.onQuote(quote(10, A));
  audit.onBook(7, bookOf(B));
  assert.deepEqual(counts(), [0, 0, 0]);
  audit.onBook(10, bookOf(A));
  assert.deepEqual(counts(), [1, 0, 0]);
});

Deno.test("repeated and older quotes are ignored, a one-sided book is not compared", () => {
  const { audit, counts } = made();
  audit.onQuote(quote(10, A));
  audit.onQuote(quote(10, B));
  audit.onQuote(quote(9, B));
  const one_sided = new OrderBook();
  one_sided.apply(listOf([[99, 1]]), listOf([]));
  audit.onBook(10, one_sided);
  assert.deepEqual(counts(), [0, 0, 0]);
  audit.onBook(10, bookOf(A));
  assert.deepEqual(counts(), [1, 0, 0]);
});

Deno.test("reset forgets both sides, resetBook only ours", () => {
  const { audit, counts } = made();
  audit.onQuote(quote(10, A));
  audit.onBook(15, bookOf(B));
  audit.resetBook();
  audit.onQuote(quote(20, A));
  assert.deepEqual(counts(), [0, 0, 0]);
  audit.onBook(20, bookOf(A));
  assert.deepEqual(counts(), [1, 0, 0]);
  audit.onBook(25, bookOf(B));
  audit.reset();
  audit.onQuote(quote(30, A));
  audit.onBook(28, bookOf(B));
  assert.deepEqual(counts(), [1, 0, 0]);
});

Deno.test("the rings are bounded: what was forgotten is not compared, never compared wrongly", () => {
  const { audit, counts } = made();
  for (let id = 1; id <= 5_000; id++) audit.onQuote(quote(id, id % 2 ? A : B));
  audit.onBook(500, bookOf([1, 1, 2, 2]));
  assert.deepEqual(counts(), [0, 0, 0]);
  audit.onBook(5_000 - MAX_QUOTES + 1, bookOf(A));
  assert.deepEqual(counts(), [1, 0, 0]);
  // 1,500 books wait, the newest are kept; the next quote proves the last one of them only.
  for (let id = 5_001; id <= 6_500; id++) audit.onBook(id, bookOf(B));
  audit.onQuote(quote(7_000, A));
  assert.deepEqual(counts(), [1, MAX_PENDING, 0]);
});

/** A random market: every change has an id; quotes at changes of the top, books at every few changes. */
function market(seed: number, lose: boolean): { compared: number; differed: number } {
  const random = new Random(`audit ${seed}`);
  const { audit } = made();
  const truth = new OrderBook();
  const ours = new OrderBook();
  truth.apply(listOf([[99, 1], [98, 1]]), listOf([[101, 1], [102, 1]]));
  ours.apply(listOf([[99, 1], [98, 1]]), listOf([[101, 1], [102, 1]]));
  const late_quotes: (() => void)[] = [];
  const late_books: (() => void)[] = [];
  let top = "";
  for (let id = 1; id <= 400; id++) {
    const is_bid = random.chance(0.5);
    const price = is_bid ? random.integer(96, 99) : random.integer(101, 104);
    const change = listOf([[
      price,
      random.chance(0.3) && price !== 96 && price !== 104 ? 0 : random.integer(1, 5),
    ]]);
    const none = listOf([]);
    truth.apply(is_bid ? change : none, is_bid ? none : change);
    if (!lose || id < 50 || id > 60) ours.apply(is_bid ? change : none, is_bid ? none : change);
    if (truth.bids.size > 0 && truth.asks.size > 0) {
      const now: [number, number, number, number] = [
        truth.bids.price(0),
        truth.bids.quantity(0),
        truth.asks.price(0),
        truth.asks.quantity(0),
      ];
      if (now.join() !== top) late_quotes.push(() => audit.onQuote(quote(id, now)));
      top = now.join();
    } else {
      late_quotes.push(() => audit.onQuote(quote(id, [truth.best_bid ?? 0, 0, truth.best_ask ?? 0, 0])));
      top = "";
    }
    if (random.chance(0.4)) {
      const copy = new OrderBook();
      copy.apply(listOf(rows(ours.bids)), listOf(rows(ours.asks)));
      late_books.push(() => audit.onBook(id, copy));
    }
    // Each stream keeps its own order; between them anything goes.
    while (late_quotes.length > 0 && random.chance(0.6)) late_quotes.shift()!();
    while (late_books.length > 0 && random.chance(0.6)) late_books.shift()!();
  }
  return audit;
}
const rows = (side: OrderBook["bids"]) =>
  Array.from({ length: side.size }, (_, i): [number, number] => [side.price(i), side.quantity(i)]);

Deno.test("a right book never differs, however the two streams interleave", () => {
  let compared = 0;
  for (let seed = 0; seed < 60; seed++) {
    const audit = market(seed, false);
    assert.equal(audit.differed, 0, `seed ${seed}`);
    compared += audit.compared;
  }
  assert.ok(compared > 5_000, `${compared} compared`);
});

Deno.test("canary: a book that lost eleven deltas is found out in most markets", () => {
  let found = 0;
  for (let seed = 0; seed < 60; seed++) if (market(seed, true).differed > 0) found++;
  assert.ok(found > 50, `${found} of 60`);
});
