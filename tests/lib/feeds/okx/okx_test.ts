/** OKX's chain with its oddities, and the legacy checksum: the documents' vectors, and 0 that proves nothing. */
import assert from "node:assert/strict";
import { okxChecksum } from "../../../../lib/feeds/okx/checksum.ts";
import { okx } from "../../../../lib/feeds/okx/okx.ts";
import { OrderBook } from "../../../../lib/market/order_book.ts";
import { listOf } from "../../market/level_lists.ts";
import { fixtureBooks } from "../fixture_books.ts";

type Rows = [string, string][];
function frame(
  action: string,
  prevSeqId: number,
  seqId: number,
  bids: Rows,
  asks: Rows,
  checksum = 0,
): string {
  const rows = (levels: Rows) => levels.map(([price, size]) => [price, size, "0", "1"]);
  const data = [{ asks: rows(asks), bids: rows(bids), ts: "1793628600098", checksum, prevSeqId, seqId }];
  return JSON.stringify({ arg: { channel: "books", instId: "ETH-USDT" }, action, data });
}
const BIDS: Rows = [["3366.1", "7"], ["3366", "6"]];
const ASKS: Rows = [["3366.8", "9"], ["3368", "8"]];

Deno.test("legacy checksum: levels by turns, the longer side goes on alone, signed", () => {
  const book = new OrderBook();
  book.apply(listOf([[3366.1, 7], [3366, 6]]), listOf([[3366.8, 9], [3368, 8]]));
  assert.equal(okxChecksum(book), -1_881_014_294);
  const uneven = new OrderBook();
  uneven.apply(listOf([[3366.1, 7]]), listOf([[3366.8, 9], [3368, 8]]));
  assert.equal(okxChecksum(uneven), -1_471_518_219);
});

Deno.test("a real checksum is compared, one that differs puts the book out of sync; 0 is never compared", () => {
  for (const [checksum, in_sync] of [[-1_881_014_294, true], [0, true], [1, false]] as const) {
    const { books, send, wanted } = fixtureBooks(okx);
    send(frame("snapshot", -1, 50, BIDS, ASKS, checksum));
    const instrument = books.instruments.get("ETH-USDT")!;
    assert.equal(instrument.in_sync, in_sync, `${checksum}`);
    assert.deepEqual(wanted, in_sync ? [] : ["ETH-USDT: checksum"]);
    if (!in_sync) continue;
    send(frame("update", 50, 51, [["3366.1", "8"]], [], 0));
    assert.ok(instrument.in_sync, "0 after a change");
    send(frame("update", 51, 52, [["3366.1", "7"]], [], -1_881_014_294));
    assert.ok(instrument.in_sync, "and the right one");
    send(frame("update", 52, 53, [["3366.1", "9"]], [], -1_881_014_294));
    assert.equal(instrument.in_sync, false, "the book moved on, the checksum did not");
  }
});

Deno.test("a text with a trailing zero ends the comparison for its symbol: doubles can't give it back", () => {
  const { books, send } = fixtureBooks(okx);
  send(frame("snapshot", -1, 50, [["3366.10", "7"]], ASKS, 12345));
  send(frame("update", 50, 51, [["3366.1", "8"]], [], 12345));
  assert.ok(books.instruments.get("ETH-USDT")!.in_sync);
});

Deno.test("keep-alives and a maintenance reset continue the chain; a lost update does not", () => {
  const { books, send, statuses } = fixtureBooks(okx);
  send(frame("snapshot", -1, 50, BIDS, ASKS));
  const { replica } = books.instruments.get("ETH-USDT")!;
  send(frame("update", 50, 55, [["3366.1", "8"]], []));
  send(frame("update", 55, 55, [], []));
  assert.deepEqual([replica.live, replica.last_id], [true, 55]);
  send(frame("update", 55, 3, [["3366.1", "9"]], []));
  assert.deepEqual([replica.live, replica.last_id], [true, 3], "seqId < prevSeqId with a matching chain");
  send(frame("update", 3, 7, [], [["3366.8", "0"]]));
  assert.deepEqual([replica.live, replica.last_id], [true, 7]);
  send(frame("update", 9, 11, [["3366.1", "1"]], []));
  assert.deepEqual(statuses.map((one) => one.reason), ["snapshot", "gap"]);
  send(frame("update", 11, 11, [], []));
  send(frame("snapshot", -1, 12, BIDS, ASKS));
  assert.ok(replica.live);
});

Deno.test("a keep-alive shows that the last update before it was lost", () => {
  const { books, send } = fixtureBooks(okx);
  send(frame("snapshot", -1, 50, BIDS, ASKS));
  send(frame("update", 52, 52, [], []));
  assert.equal(books.instruments.get("ETH-USDT")!.in_sync, false);
});

Deno.test("an update cut elsewhere by another connection is laid over, never taken for a gap", () => {
  const { afterDelta } = okx.sequence!;
  const delta = (previous_id: number, last_id: number) => ({
    ...{ kind: "book_delta" as const, venue: "okx", symbol: "ETH-USDT", received_us: 1 },
    ...{ first_id: last_id, last_id, previous_id, bids: listOf([]), asks: listOf([]) },
  });
  assert.equal(afterDelta(delta(10, 17), 15), "next");
  assert.equal(afterDelta(delta(10, 15), 15), "stale");
  assert.equal(afterDelta(delta(10, 12), 15), "stale");
  assert.equal(afterDelta(delta(16, 18), 15), "gap");
  assert.equal(afterDelta(delta(20, 3), 15), "gap", "a reset whose forerunner is missing");
});
