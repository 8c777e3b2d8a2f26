/** The mock's own book against the worked examples of the venue's documents. */
import assert from "node:assert/strict";
import { TextBook } from "../../../../lib/mocks/binance/text_book.ts";

type Levels = [string, string][];
const snapshot = (lastUpdateId: number, bids: Levels = [], asks: Levels = []) =>
  JSON.stringify({ lastUpdateId, bids, asks });
const diff = (U: number, u: number, pu?: number, b: Levels = [], a: Levels = []) =>
  JSON.stringify({ U, u, pu, b, a });

Deno.test("futures: stale diffs drop, the straddling one applies, then pu chains although ids jump", () => {
  const book = new TextBook("BTCUSDT", true);
  book.applyDiff(diff(100, 140, 92, [["1", "9"]]));
  book.applyDiff(diff(141, 160, 140, [["1", "2"]]));
  assert.equal(book.synced, false);
  book.applySnapshot(snapshot(150, [["1", "1"], ["0.5", "1"]]));
  assert.equal(book.last_update_id, 160);
  assert.equal(book.bids.get("1"), "2");
  book.applyDiff(diff(175, 190, 160, [["1", "0.000"]]));
  assert.equal(book.last_update_id, 190);
  assert.deepEqual([...book.bids], [["0.5", "1"]]);
  book.applyDiff(diff(191, 200, 188));
  assert.deepEqual([book.gaps, book.synced, book.last_update_id], [1, false, 190]);
});

Deno.test("futures: pu == L with U > L joins; a diff that ends at L is harmless", () => {
  const book = new TextBook("BTCUSDT", true);
  book.applySnapshot(snapshot(150));
  book.applyDiff(diff(120, 150, 110, [["1", "5"]]));
  book.applyDiff(diff(155, 160, 150, [["2", "5"]]));
  assert.deepEqual([book.last_update_id, book.gaps, book.bids.size], [160, 0, 2]);
});

Deno.test("spot: u ≤ L drops, U ≤ L + 1 ≤ u joins, U > last + 1 is a gap that the next snapshot mends", async () => {
  const book = new TextBook("BTCUSDT", false);
  book.applySnapshot(snapshot(159));
  book.applyDiff(diff(150, 157, undefined, [["1", "1"]]));
  assert.equal(book.bids.size, 0);
  book.applyDiff(diff(158, 160));
  book.applyDiff(diff(161, 161));
  assert.equal(book.last_update_id, 161);
  book.applyDiff(diff(163, 170, undefined, [["3", "3"]]));
  assert.equal(book.synced, false);
  const ready = book.whenSynced();
  book.applySnapshot(snapshot(165, [["2", "2"]]));
  await ready;
  assert.deepEqual([book.last_update_id, book.gaps], [170, 1]);
  assert.deepEqual([...book.bids], [["2", "2"], ["3", "3"]]);
});

Deno.test("the REST answer has the best levels first, in the venue's own texts", () => {
  const book = new TextBook("BTCUSDT", false);
  book.applySnapshot(
    snapshot(7, [["9.50", "1.0"], ["10.00", "2.0"], ["9.90", "3"]], [["11.0", "1"], ["10.5", "4"]]),
  );
  assert.deepEqual(JSON.parse(book.depthAnswer(2)), {
    lastUpdateId: 7,
    bids: [["10.00", "2.0"], ["9.90", "3"]],
    asks: [["10.5", "4"], ["11.0", "1"]],
  });
});
