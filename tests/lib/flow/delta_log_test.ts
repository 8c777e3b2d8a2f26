/** Copies that share nothing, both bounds, pooled entries that remember nothing. */
import assert from "node:assert/strict";
import { DeltaLog } from "../../../lib/flow/delta_log.ts";
import type { BookDelta } from "../../../lib/market/event.ts";
import { rowsOf } from "../market/level_lists.ts";
import { OrderBook } from "../../../lib/market/order_book.ts";
import { delta } from "./book_events.ts";

Deno.test("an entry is a copy", () => {
  const log = new DeltaLog();
  const source = delta(1, 2, 0, { bids: [[10, 1]] });
  log.push(source);
  source.bids.clear();
  source.last_id = 99;
  const book = new OrderBook();
  book.apply(log.at(0).bids, log.at(0).asks);
  assert.deepEqual(rowsOf(book.bids).map((row) => row.slice(0, 2)), [[10, 1]]);
  assert.equal(log.at(0).last_id, 2);
});

Deno.test("a reused entry keeps nothing of its former delta", () => {
  const log = new DeltaLog();
  log.push({ ...delta(1, 2, 0), sent_ms: 5, exchange_ms: 6 });
  log.clear();
  const bare = delta(3, 4);
  delete (bare as Partial<BookDelta>).previous_id;
  log.push(bare);
  const { previous_id, sent_ms, exchange_ms } = log.at(0);
  assert.deepEqual([previous_id, sent_ms, exchange_ms], [undefined, undefined, undefined]);
});

Deno.test("bounds by count and by levels; dropping makes room again", () => {
  const log = new DeltaLog({ max_deltas: 3, max_levels: 4 });
  const two = () => delta(1, 2, 0, { bids: [[1, 1]], asks: [[2, 1]] });
  assert.deepEqual([log.push(two()), log.push(two()), log.push(two())], [true, true, false]);
  assert.equal(log.size, 2);
  log.dropFirst(1);
  assert.deepEqual([log.push(delta(5, 6)), log.push(delta(7, 8)), log.push(delta(9, 9))], [
    true,
    true,
    false,
  ]);
  assert.deepEqual([log.at(0).last_id, log.at(1).last_id, log.at(2).last_id], [2, 6, 8]);
  log.clear();
  assert.equal(log.size, 0);
  assert.equal(log.push(two()), true);
});
