/**
 * Books of venues that send snapshots inside the stream: replacing, keeping the venue's depth, checksums, and snapshots
 * repeated by an overlapping connection.
 */
import assert from "node:assert/strict";
import { BookReplica } from "../../../lib/flow/book_replica.ts";
import type { BookDelta, BookSnapshot } from "../../../lib/market/event.ts";
import { emptyDelta } from "../../../lib/market/event_batch.ts";
import { LevelList } from "../../../lib/market/level_list.ts";
import { OrderBook } from "../../../lib/market/order_book.ts";
import type { SequenceRule } from "../../../lib/market/sequence_rule.ts";
import { WrittenOwner } from "./book_events.ts";

type Pairs = readonly (readonly [number, number])[];

/** Ids chain by +1; the checksum is the sum of all quantities. */
const rule: SequenceRule = {
  in_band_snapshots: true,
  afterSnapshot: (delta, id) => chained(delta, id),
  afterDelta: (delta, id) => chained(delta, id),
  checksum({ bids, asks }) {
    let sum = 0;
    for (const side of [bids, asks]) for (let i = 0; i < side.size; i++) sum += side.quantity(i);
    return sum;
  },
};
function chained(delta: BookDelta, last_id: number) {
  if (delta.last_id <= last_id) return "stale" as const;
  return delta.first_id === last_id + 1 ? "next" as const : "gap" as const;
}

function listOf(pairs: Pairs): LevelList {
  const list = new LevelList();
  for (const [price, quantity] of pairs) list.push(price, quantity);
  return list;
}
function snapshot(id: number, bids: Pairs, asks: Pairs, more: Partial<BookSnapshot> = {}): BookSnapshot {
  const head = { kind: "book_snapshot", venue: "v", symbol: "S", received_us: id * 1000 } as const;
  return { ...head, last_id: id, bids: listOf(bids), asks: listOf(asks), ...more };
}
function delta(id: number, bids: Pairs, asks: Pairs, more: Partial<BookDelta> = {}): BookDelta {
  const ids = { venue: "v", symbol: "S", received_us: id * 1000, first_id: id, last_id: id };
  return { ...emptyDelta(), ...ids, bids: listOf(bids), asks: listOf(asks), ...more };
}
function pairsOf(book: OrderBook, side: "bids" | "asks"): string {
  return Array.from({ length: book[side].size }, (_, i) => `${book[side].price(i)}x${book[side].quantity(i)}`)
    .join(" ");
}
function replica(): [BookReplica, WrittenOwner] {
  const owner = new WrittenOwner();
  return [new BookReplica(rule, owner), owner];
}

Deno.test("in-band: a snapshot is the book at once; a second one while live replaces it without leaving sync", () => {
  const [book, owner] = replica();
  book.onSnapshot(snapshot(10, [[99, 1]], [[101, 2]]));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.equal(book.onDelta(delta(11, [[98, 3]], [])), "applied");
  book.onSnapshot(snapshot(12, [[97, 4]], [[101, 2]]));
  assert.deepEqual(owner.take(), ["replaced"]);
  assert.deepEqual([pairsOf(book.book, "bids"), book.last_id], ["97x4", 12]);
});

Deno.test("in-band: a gap asks for a new snapshot, which ends it; the missing delta ends it too", () => {
  const [book, owner] = replica();
  book.onSnapshot(snapshot(10, [[99, 1]], [[101, 2]]));
  owner.take();
  assert.equal(book.onDelta(delta(12, [[98, 3]], [])), "held");
  assert.deepEqual(owner.take(), ["out gap 11-11", "want gap"]);
  assert.equal(book.onDelta(delta(11, [], [[102, 1]])), "held");
  assert.deepEqual(owner.take(), ["in repair"]);
  assert.equal(book.onDelta(delta(14, [], [])), "held");
  book.onSnapshot(snapshot(14, [[96, 1]], [[101, 2]]));
  assert.deepEqual(owner.take(), ["out gap 13-13", "want gap", "in snapshot"]);
});

Deno.test("in-band: an overlapping connection's older snapshot does not take the book back", () => {
  const [book, owner] = replica();
  const at_ms = 1_793_628_600_000;
  book.onSnapshot(snapshot(10, [[99, 1]], [[101, 2]], { exchange_ms: at_ms }));
  book.onDelta(delta(11, [[98, 3]], [], { exchange_ms: at_ms + 100 }));
  owner.take();
  book.onSnapshot(snapshot(10, [[99, 1]], [[101, 2]], { exchange_ms: at_ms }));
  book.onSnapshot(snapshot(11, [[99, 1], [98, 3]], [[101, 2]], { exchange_ms: at_ms + 150 }));
  assert.deepEqual(owner.take(), []);
  assert.equal(book.onDelta(delta(11, [[98, 3]], [])), "stale");
  assert.equal(book.onDelta(delta(12, [[98, 4]], [])), "applied");
  // Ids that started over are believed: said so by the venue, or much later in time.
  book.onSnapshot(snapshot(1, [[50, 1]], [[51, 1]], { resets: true, exchange_ms: at_ms + 200 }));
  assert.deepEqual([owner.take(), book.last_id], [["replaced"], 1]);
  book.onDelta(delta(2, [], [], { exchange_ms: at_ms + 300 }));
  book.onSnapshot(snapshot(1, [[60, 1]], [[61, 1]], { exchange_ms: at_ms + 5_000 }));
  assert.deepEqual([owner.take(), book.last_id], [["replaced"], 1]);
});

Deno.test("in-band: levels that the venue no longer keeps go, and the delta says so", () => {
  const [book] = replica();
  book.onSnapshot(snapshot(10, [[99, 1], [98, 2], [97, 3]], [[101, 1]], { depth_limit: 3 }));
  const change = delta(11, [[98.5, 9], [96, 1]], [], { depth_limit: 3 });
  assert.equal(book.onDelta(change), "applied");
  assert.equal(pairsOf(book.book, "bids"), "99x1 98.5x9 98x2");
  assert.equal(book.book.bids.bound_key, 98);
  const mirror = new OrderBook();
  mirror.replace(listOf([[99, 1], [98, 2], [97, 3]]), listOf([[101, 1]]));
  mirror.apply(change.bids, change.asks);
  assert.equal(pairsOf(mirror, "bids"), "99x1 98.5x9 98x2");
  book.onDelta(delta(12, [[99, 0]], [], { depth_limit: 3 }));
  assert.equal(book.book.bids.bound_key, -Infinity, "fewer than the venue keeps: all there are");
});

Deno.test("in-band: a wrong checksum is a fault at that very update, of a delta and of a snapshot", () => {
  const [book, owner] = replica();
  book.onSnapshot(snapshot(10, [[99, 1]], [[101, 2]], { checksum: 3 }));
  assert.equal(book.onDelta(delta(11, [[98, 3]], [], { checksum: 6 })), "applied");
  owner.take();
  assert.equal(book.onDelta(delta(12, [[98, 4]], [], { checksum: 6 })), "held");
  assert.deepEqual(owner.take(), ["out checksum", "want checksum"]);
  book.onSnapshot(snapshot(13, [[99, 1]], [[101, 2]], { checksum: 4 }));
  assert.deepEqual([owner.take(), book.live], [["want checksum"], false]);
  book.onSnapshot(snapshot(14, [[99, 1]], [[101, 2]], { checksum: 3 }));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  book.onSnapshot(snapshot(15, [[99, 1]], [[101, 2]], { checksum: 4 }));
  assert.deepEqual([owner.take(), book.live], [["out checksum", "want checksum"], false]);
});
