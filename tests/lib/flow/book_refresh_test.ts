/** Background refreshes: wider bounds without a pause, differences found, the log that does not reach back. */
import assert from "node:assert/strict";
import { binanceFutures } from "../../../lib/feeds/binance/futures.ts";
import { BookReplica } from "../../../lib/flow/book_replica.ts";
import { countDifferences } from "../../../lib/flow/book_refresh.ts";
import { DeltaLog } from "../../../lib/flow/delta_log.ts";
import { BookSide } from "../../../lib/market/book_side.ts";
import { listOf, listOfTexts, rowsOf } from "../market/level_lists.ts";
import { delta, snapshot, WrittenOwner } from "./book_events.ts";

const EXACT = "0.1234567890123456789";

/** Live at 100 with bids 99 98 97 known (limit 3), 50 unknown but touched. */
function live(log?: DeltaLog) {
  const owner = new WrittenOwner();
  const replica = new BookReplica(binanceFutures.sequence, owner, log);
  replica.onDelta(delta(80, 90, 70));
  replica.onSnapshot(
    snapshot(100, { bids: [[99, 1], [98, 1], [97, 1]], asks: [[101, 1], [102, 1], [103, 1]] }, 3),
  );
  replica.onDelta(delta(95, 110, 90, { bids: [[50, 5, undefined]] }));
  owner.take();
  return { owner, replica };
}
const prices = (side: BookSide) => rowsOf(side).map((row) => row[0]);

Deno.test("a refresh widens the bounds, keeps what lies beyond, and lays deltas since over it", () => {
  const { owner, replica } = live();
  assert.equal(replica.refresh(), true);
  assert.equal(replica.refresh(), false);
  assert.deepEqual(owner.take(), ["want refresh"]);
  replica.onDelta(delta(111, 120, 110, { bids: [[98, 0], [96, 7]] }));
  replica.onSnapshot(snapshot(115, { bids: [[99, 1], [95, 4], [94, 3]], asks: [[101, 1]] }, 3));
  assert.deepEqual(owner.take(), ["refreshed 3"]);
  assert.equal(replica.live, true);
  assert.deepEqual(rowsOf(replica.book.bids).map((row) => row.slice(0, 2)), [[99, 1], [96, 7], [95, 4], [
    94,
    3,
  ], [50, 5]]);
  assert.equal(replica.book.bids.bound_key, 94);
  assert.deepEqual(prices(replica.book.asks), [101]);
  assert.equal(replica.book.asks.bound_key, -Infinity);
  assert.equal(replica.onDelta(delta(121, 130, 120)), "applied");
});

Deno.test("a right book has no differences", () => {
  const { owner, replica } = live();
  replica.refresh();
  replica.onSnapshot(snapshot(110, {
    bids: [[99, 1], [98, 1], [97, 1], [96, 2]],
    asks: [[101, 1], [102, 1], [103, 1], [104, 2]],
  }, 4));
  assert.deepEqual(owner.take(), ["want refresh", "refreshed 0"]);
  assert.deepEqual(prices(replica.book.bids), [99, 98, 97, 96, 50]);
});

Deno.test("a snapshot ahead of the stream waits until the stream has come so far", () => {
  const { owner, replica } = live();
  replica.refresh();
  replica.onSnapshot(snapshot(125, { bids: [[99, 9]], asks: [[101, 9]] }));
  assert.deepEqual(owner.take(), ["want refresh"]);
  replica.onDelta(delta(111, 120, 110));
  assert.equal(replica.book.bids.quantityAt(99), 1);
  replica.onDelta(delta(121, 130, 120, { bids: [[99, 9], [98, 0], [97, 0]] }));
  assert.match(owner.take().join(), /^refreshed \d+$/);
  assert.equal(replica.book.asks.quantityAt(101), 9);
});

Deno.test("a snapshot from before the log asks for a newer one, the book goes on", () => {
  const { owner, replica } = live();
  replica.refresh();
  replica.onDelta(delta(111, 120, 110));
  replica.onDelta(delta(121, 130, 120));
  replica.onSnapshot(snapshot(105));
  assert.deepEqual(owner.take(), ["want refresh", "want refresh"]);
  assert.equal(replica.live, true);
  replica.onSnapshot(snapshot(125, { bids: [[99, 1]], asks: [[101, 1]] }));
  assert.match(owner.take().join(), /refreshed/);
});

Deno.test("a log that fills up gives the refresh up, not the book", () => {
  const { owner, replica } = live(new DeltaLog({ max_deltas: 2, max_levels: 100 }));
  replica.refresh();
  for (let u = 111; u < 116; u++) assert.equal(replica.onDelta(delta(u, u, u - 1)), "applied");
  assert.equal(replica.refreshing, false);
  replica.onSnapshot(snapshot(113, { bids: [[1, 1]] }));
  assert.equal(replica.book.best_bid, 99);
  assert.deepEqual(owner.take(), ["want refresh"]);
  assert.equal(replica.refresh(), true);
});

Deno.test("a gap during a refresh ends it; its snapshot then serves the resync", () => {
  const { owner, replica } = live();
  replica.refresh();
  replica.onDelta(delta(131, 140, 130));
  assert.equal(replica.refreshing, false);
  replica.onSnapshot(snapshot(135));
  assert.deepEqual(owner.take(), ["want refresh", "out gap 111-130", "want gap", "in snapshot"]);
});

Deno.test("exact texts and decimals come over with their levels", () => {
  const { replica } = live();
  replica.refresh();
  const fresh = snapshot(110, { bids: [[99, 1], [98, Number(EXACT), EXACT]], asks: [[101, 1]] });
  fresh.asks = listOfTexts([["101.125", "1.5"]]);
  replica.onSnapshot(fresh);
  assert.equal(replica.book.bids.exactQuantity(1), EXACT);
  assert.deepEqual([replica.book.price_decimals, replica.book.quantity_decimals], [3, 1]);
  assert.equal(replica.book.spread, 2.125);
});

Deno.test("differences are counted inside the bound only", () => {
  const side = (rows: [number, number][]) => {
    const made = new BookSide(1);
    made.apply(listOf(rows));
    return made;
  };
  const one = side([[10, 1], [9, 1], [8, 1], [1, 1]]);
  assert.equal(countDifferences(one, side([[10, 1], [9, 1], [8, 1]]), 5), 0);
  assert.equal(countDifferences(one, side([[10, 1], [9, 2], [8, 1]]), 5), 1);
  assert.equal(countDifferences(one, side([[10, 1], [7, 2], [8, 1]]), 5), 2);
  assert.equal(countDifferences(one, side([[10, 1], [9, 1], [8, 1]]), -Infinity), 1);
  assert.equal(countDifferences(one, side([]), 5), 3);
});
