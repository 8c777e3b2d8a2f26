/** Bybit's books: jumps are losses, restarts and later snapshots replace, ids that don't count by one are survived. */
import assert from "node:assert/strict";
import { bybitLinear } from "../../../../lib/feeds/bybit/linear.ts";
import { fixtureBooks } from "../fixture_books.ts";

type Rows = [string, string][];
const BIDS: Rows = [["100", "1"], ["99", "2"]];
const ASKS: Rows = [["101", "1"], ["102", "2"]];
let ts = 1_793_628_600_000;
function frame(type: string, u: number, b: Rows, a: Rows): string {
  ts += 20;
  const data = { s: "BTCUSDT", b, a, u, seq: u };
  return JSON.stringify({ topic: "orderbook.50.BTCUSDT", type, ts, data, cts: ts - 5 });
}
function opened() {
  const all = fixtureBooks(bybitLinear);
  all.send(frame("snapshot", 1_000, BIDS, ASKS));
  return { ...all, replica: all.books.instruments.get("BTCUSDT")!.replica };
}

Deno.test("u + 1 continues, a jump is a loss, the next snapshot heals", () => {
  const { send, replica, statuses } = opened();
  send(frame("delta", 1_001, [["100", "3"]], []));
  assert.deepEqual([replica.live, replica.book.bids.quantity(0)], [true, 3]);
  send(frame("delta", 1_003, [["100", "4"]], []));
  assert.equal(replica.live, false);
  send(frame("snapshot", 1_010, BIDS, ASKS));
  assert.deepEqual(statuses.map((one) => one.reason), ["snapshot", "gap", "snapshot"]);
});

Deno.test("a service restart: u == 1 replaces the book at once, whatever its type and however high the ids were", () => {
  for (const type of ["snapshot", "delta"]) {
    const { send, replica, statuses } = opened();
    send(frame(type, 1, [["50", "1"]], [["51", "1"]]));
    assert.deepEqual([replica.live, replica.last_id, replica.book.best_bid, replica.book.bids.size], [
      true,
      1,
      50,
      1,
    ]);
    send(frame("delta", 2, [["50", "2"]], []));
    assert.deepEqual([replica.live, replica.last_id, replica.book.bids.quantity(0)], [true, 2, 2]);
    assert.deepEqual(statuses.map((one) => one.reason), ["snapshot"], "never out of sync");
  }
});

Deno.test("a snapshot in mid-stream replaces the book", () => {
  const { send, replica } = opened();
  send(frame("snapshot", 1_500, [["90", "1"]], [["91", "1"]]));
  assert.deepEqual([replica.live, replica.book.best_bid, replica.book.bids.size], [true, 90, 1]);
});

Deno.test("should the ids turn out not to count by one, the book lives all the same", () => {
  const { send, replica } = opened();
  let u = 1_000;
  for (let i = 0; i < 40; i++) {
    send(frame("delta", u += 3, [["100", String(i + 1)]], []));
    // What the new subscription would bring.
    if (!replica.live) send(frame("snapshot", u, BIDS, ASKS));
  }
  const before = replica.last_id;
  for (let i = 0; i < 20; i++) send(frame("delta", u += 5, [["100", String(i + 1)]], []));
  assert.deepEqual([replica.live, replica.last_id], [true, before + 100]);
});
