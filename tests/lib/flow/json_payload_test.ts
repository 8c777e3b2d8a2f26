import assert from "node:assert/strict";
import { bookPayload, tradePayload } from "../../../lib/flow/json_payload.ts";
import { LevelList } from "../../../lib/market/level_list.ts";
import { OrderBook } from "../../../lib/market/order_book.ts";
import type { BookUpdate } from "../../../lib/market/update.ts";
import type { Trade } from "../../../lib/market/event.ts";

function bookOf(bid: number, ask: number): OrderBook {
  const bids = new LevelList();
  const asks = new LevelList();
  for (let i = 0; i < 5; i++) {
    bids.push(bid - i, 1);
    asks.push(ask + i, 2);
  }
  const book = new OrderBook();
  book.apply(bids, asks);
  return book;
}
const update = (book: OrderBook, more: Partial<BookUpdate> = {}): BookUpdate => ({
  kind: "book",
  venue: "v",
  symbol: "S",
  book,
  sequence: 1,
  last_update_id: 9,
  received_us: 1_700_000_000_123_456,
  ...more,
});

Deno.test("one update is encoded once per depth", () => {
  const book = bookOf(100, 101);
  const one = update(book);
  const first = bookPayload(one, 2);
  assert.deepEqual(JSON.parse(first).bids, [[100, 1], [99, 1]]);
  assert.equal(JSON.parse(bookPayload(one, 3)).asks.length, 3);
  // What the book holds later is another state: the remembered text proves that nothing was encoded again.
  book.clear();
  assert.equal(bookPayload(one, 2), first);
  assert.notEqual(bookPayload({ ...one }, 2), first);
});

Deno.test("a reused update object with a new sequence is encoded anew", () => {
  const one = update(bookOf(100, 101));
  const first = bookPayload(one, 2);
  one.sequence++;
  one.last_update_id++;
  assert.notEqual(bookPayload(one, 2), first);
});

Deno.test("book timestamp: send time, else engine time, else receive time, whole milliseconds", () => {
  const book = bookOf(100, 101);
  const stamp = (more: Partial<BookUpdate>) => JSON.parse(bookPayload(update(book, more), 1)).timestamp;
  assert.equal(stamp({ sent_ms: 5.9, exchange_ms: 4 }), 5);
  assert.equal(stamp({ exchange_ms: 4 }), 4);
  assert.equal(stamp({}), 1_700_000_000_123);
});

Deno.test("trade timestamp: trade time, else send time, else receive time, whole milliseconds", () => {
  const stamp = (more: Partial<Trade>) =>
    JSON.parse(tradePayload({
      kind: "trade",
      venue: "v",
      symbol: "S",
      trade_id: 1,
      price: 1,
      quantity: 1,
      aggressor: "buy",
      received_us: 1_700_000_000_123_456,
      ...more,
    })).timestamp;
  assert.equal(stamp({ sent_ms: 5, exchange_ms: 4.25 }), 4);
  assert.equal(stamp({ sent_ms: 5 }), 5);
  assert.equal(stamp({}), 1_700_000_000_123);
});
