/**
 * The splice rules of both Binance markets by the numbers of their documents, then everything that goes wrong: gaps,
 * late deltas, overflow, crossing, disconnects, ids that restart, refreshes, snapshots inside the stream.
 */
import assert from "node:assert/strict";
import { binanceFutures } from "../../../lib/feeds/binance/futures.ts";
import { binanceSpot } from "../../../lib/feeds/binance/spot.ts";
import { BookReplica, STALE_LEAD_MS, STALE_RUN_FOR_FAULT } from "../../../lib/flow/book_replica.ts";
import { DeltaLog } from "../../../lib/flow/delta_log.ts";
import type { SequenceRule } from "../../../lib/market/sequence_rule.ts";
import { rowsOf } from "../market/level_lists.ts";
import { delta, type Sides, snapshot, WrittenOwner } from "./book_events.ts";

const FUTURES = binanceFutures.sequence;
const SPOT = binanceSpot.sequence;

function made(rule: SequenceRule, log?: DeltaLog) {
  const owner = new WrittenOwner();
  return { owner, replica: new BookReplica(rule, owner, log) };
}
/** A live futures book at u=160 (§1.6: L=150, first event straddles). */
function liveFutures(log?: DeltaLog) {
  const both = made(FUTURES, log);
  both.replica.onDelta(delta(100, 140, 92));
  both.replica.onDelta(delta(141, 160, 140));
  both.replica.onSnapshot(snapshot(150));
  assert.deepEqual(both.owner.take(), ["in snapshot"]);
  assert.deepEqual([both.replica.live, both.replica.last_id], [true, 160]);
  return both;
}
/** Which delta wrote the far bid last. */
const mark = (replica: BookReplica) => replica.book.bids.quantityAt(1);

// Futures, §1.6.

Deno.test("futures: the example of the document", () => {
  const { replica, owner } = liveFutures();
  assert.equal(mark(replica), 160);
  assert.equal(replica.onDelta(delta(175, 190, 160)), "applied");
  assert.equal(mark(replica), 190);
  assert.equal(replica.onDelta(delta(191, 200, 188)), "held");
  assert.deepEqual(owner.take(), ["out gap 191-188", "want gap"]);
  assert.equal(replica.live, false);
  assert.equal(mark(replica), 190);
});

Deno.test("futures rule 2: u < L is dropped, u == L is kept", () => {
  const { replica, owner } = made(FUTURES);
  replica.onDelta(delta(100, 149, 92));
  replica.onDelta(delta(150, 150, 149));
  replica.onDelta(delta(170, 180, 150));
  replica.onSnapshot(snapshot(150));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.deepEqual([replica.last_id, mark(replica)], [180, 180]);
});

Deno.test("futures rule 3: the first event may have pu == L, or pu < L < U", () => {
  for (const [U, u, pu] of [[175, 190, 150], [175, 190, 145], [150, 190, 149], [120, 150, 110]]) {
    const { replica, owner } = made(FUTURES);
    replica.onDelta(delta(U, u, pu));
    replica.onSnapshot(snapshot(150));
    assert.deepEqual(owner.take(), ["in snapshot"], `U${U} u${u} pu${pu}`);
    assert.equal(replica.last_id, u);
  }
});

Deno.test("futures rule 4: pu > L of the oldest event means that the snapshot is too old; buffering goes on", () => {
  const { replica, owner } = made(FUTURES);
  replica.onDelta(delta(175, 190, 160));
  replica.onSnapshot(snapshot(150));
  assert.deepEqual(owner.take(), ["want snapshot too old"]);
  replica.onDelta(delta(195, 200, 190));
  replica.onSnapshot(snapshot(170));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.equal(replica.last_id, 200);
});

// Spot, §2.4.

Deno.test("spot: the example of the document, u == L dropped, U == L + 1 accepted", () => {
  const { replica, owner } = made(SPOT);
  replica.onDelta(delta(150, 157));
  replica.onDelta(delta(158, 160));
  replica.onSnapshot(snapshot(159));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.deepEqual([replica.last_id, mark(replica)], [160, 160]);
  assert.equal(replica.onDelta(delta(161, 161)), "applied");
  assert.equal(replica.onDelta(delta(163, 170)), "held");
  assert.deepEqual(owner.take(), ["out gap 162-162", "want gap"]);

  const other = made(SPOT);
  other.replica.onDelta(delta(158, 160));
  other.replica.onDelta(delta(161, 165));
  other.replica.onSnapshot(snapshot(160));
  assert.deepEqual(other.owner.take(), ["in snapshot"]);
  assert.equal(other.replica.last_id, 165);
});

Deno.test("spot: an old event is ignored, an overlapping one applied", () => {
  const { replica } = made(SPOT);
  replica.onDelta(delta(100, 110));
  replica.onSnapshot(snapshot(105));
  assert.equal(replica.onDelta(delta(100, 110)), "stale");
  assert.equal(replica.onDelta(delta(105, 115)), "applied");
  assert.equal(replica.last_id, 115);
});

Deno.test("spot: L below the first buffered U − 1 is too old", () => {
  const { replica, owner } = made(SPOT);
  replica.onDelta(delta(100, 110));
  replica.onSnapshot(snapshot(98));
  assert.deepEqual(owner.take(), ["want snapshot too old"]);
  replica.onSnapshot(snapshot(99));
  assert.deepEqual(owner.take(), ["in snapshot"]);
});

// The order of arrival.

Deno.test("a snapshot before any delta waits for the first one", () => {
  const { replica, owner } = made(SPOT);
  replica.onSnapshot(snapshot(100));
  assert.deepEqual([replica.live, owner.take()], [false, []]);
  assert.equal(replica.onDelta(delta(90, 100)), "stale");
  replica.onDelta(delta(99, 103));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.deepEqual([replica.last_id, mark(replica)], [103, 103]);
});

Deno.test("a snapshot before any delta, and a hole between: another snapshot, the delta is kept", () => {
  const { replica, owner } = made(SPOT);
  replica.onSnapshot(snapshot(100));
  replica.onDelta(delta(105, 110));
  assert.deepEqual(owner.take(), ["want snapshot too old"]);
  replica.onSnapshot(snapshot(104));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.equal(replica.last_id, 110);
});

Deno.test("when all that is buffered is older than the snapshot, the stream flows and the book is right at once", () => {
  const { replica, owner } = made(FUTURES);
  replica.onDelta(delta(100, 140, 92));
  replica.onSnapshot(snapshot(150));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.equal(replica.last_id, 150);
  assert.equal(replica.onDelta(delta(141, 149, 140)), "stale");
  assert.equal(replica.onDelta(delta(145, 160, 149)), "applied");
  assert.equal(replica.onDelta(delta(161, 170, 160)), "applied");
});

Deno.test("a hole inside the buffer asks for a newer snapshot and keeps what follows the hole", () => {
  const { replica, owner } = made(SPOT);
  replica.onDelta(delta(100, 110));
  replica.onDelta(delta(121, 130));
  replica.onDelta(delta(131, 140));
  replica.onSnapshot(snapshot(105));
  assert.deepEqual(owner.take(), ["want gap in the buffer"]);
  assert.equal(replica.buffered, 2);
  replica.onSnapshot(snapshot(125));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.equal(replica.last_id, 140);
});

Deno.test("repeats inside the buffer (two connections) are no hole", () => {
  const { replica, owner } = made(FUTURES);
  for (
    const [U, u, pu] of [[100, 140, 92], [141, 160, 140], [100, 140, 92], [141, 160, 140], [161, 170, 160]]
  ) {
    replica.onDelta(delta(U, u, pu));
  }
  replica.onSnapshot(snapshot(130));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.equal(replica.last_id, 170);
});

Deno.test("a repeated delta in a live book is stale and changes nothing", () => {
  const { replica, owner } = liveFutures();
  assert.equal(replica.onDelta(delta(141, 160, 140, { bids: [[1, 5]] })), "stale");
  assert.equal(mark(replica), 160);
  assert.deepEqual(owner.take(), []);
});

Deno.test("a quiet symbol: a second, equal snapshot proves the silence, and the next delta chains to the later one", () => {
  const { replica, owner } = made(FUTURES);
  replica.onSnapshot(snapshot(100));
  assert.equal(replica.live, false);
  replica.onSnapshot(snapshot(105, { bids: [[99, 2]] }));
  assert.equal(replica.live, false);
  replica.onSnapshot(snapshot(120, { bids: [[99, 2]] }));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.equal(replica.onDelta(delta(130, 140, 115)), "applied");
  assert.deepEqual(owner.take(), []);
});

// Gaps and late deltas.

Deno.test("the missing delta comes late: the gap closes without a snapshot, in order", () => {
  for (const rule of [FUTURES, SPOT]) {
    const { replica, owner } = made(rule);
    replica.onDelta(delta(95, 100, 94));
    replica.onSnapshot(snapshot(98));
    owner.take();
    replica.onDelta(delta(111, 120, 110));
    replica.onDelta(delta(121, 130, 120));
    assert.deepEqual(owner.take(), ["out gap 101-110", "want gap"]);
    assert.equal(replica.onDelta(delta(101, 110, 100)), "held");
    assert.deepEqual(owner.take(), ["in repair"]);
    assert.deepEqual([replica.last_id, mark(replica), replica.live], [130, 130, true]);
    assert.equal(replica.onDelta(delta(131, 140, 130)), "applied");
  }
});

Deno.test("two gaps close one after the other", () => {
  const { replica, owner } = liveFutures();
  replica.onDelta(delta(181, 190, 180));
  replica.onDelta(delta(201, 210, 200));
  replica.onDelta(delta(161, 180, 160));
  assert.deepEqual(owner.take(), ["out gap 161-180", "want gap"]);
  assert.deepEqual([replica.live, replica.last_id], [false, 190]);
  replica.onDelta(delta(191, 200, 190));
  assert.deepEqual(owner.take(), ["in repair"]);
  assert.equal(replica.last_id, 210);
});

Deno.test("after a gap a snapshot does as well, and the snapshot of an older wish is ignored once live", () => {
  const { replica, owner } = liveFutures();
  replica.onDelta(delta(181, 190, 180));
  replica.onSnapshot(snapshot(185, { bids: [[50, 5]] }));
  assert.deepEqual(owner.take(), ["out gap 161-180", "want gap", "in snapshot"]);
  assert.deepEqual(rowsOf(replica.book.bids).map((row) => row[0]), [50, 1]);
  replica.onSnapshot(snapshot(186, { bids: [[40, 5]] }));
  assert.equal(replica.book.best_bid, 50);
  assert.deepEqual(owner.take(), []);
});

Deno.test("a snapshot older than the gap does not hide it", () => {
  const { replica, owner } = liveFutures();
  replica.onDelta(delta(181, 190, 180));
  owner.take();
  replica.onSnapshot(snapshot(165));
  assert.deepEqual(owner.take(), ["want snapshot too old"]);
  assert.equal(replica.live, false);
});

Deno.test("a fault forgets the base: a chaining delta does not bring the book back", () => {
  const { replica, owner } = liveFutures();
  replica.fault("audit", 1);
  assert.deepEqual(owner.take(), ["out audit", "want audit"]);
  replica.onDelta(delta(161, 170, 160));
  assert.equal(replica.live, false);
  replica.onSnapshot(snapshot(165));
  assert.deepEqual(owner.take(), ["in snapshot"]);
});

// The bound of the buffer.

Deno.test("a full buffer starts over and asks again", () => {
  const { replica, owner } = made(SPOT, new DeltaLog({ max_deltas: 3, max_levels: 100 }));
  for (let u = 1; u <= 4; u++) replica.onDelta(delta(u, u));
  assert.deepEqual(owner.take(), ["want buffer overflow"]);
  assert.equal(replica.buffered, 1);
  replica.onSnapshot(snapshot(3));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.equal(replica.last_id, 4);
});

Deno.test("levels fill the buffer too, and an overflow forgets the base", () => {
  const { replica, owner } = liveFutures(new DeltaLog({ max_deltas: 100, max_levels: 2 }));
  replica.onDelta(delta(181, 190, 180));
  replica.onDelta(delta(191, 200, 190));
  replica.onDelta(delta(201, 210, 200));
  assert.deepEqual(owner.take(), ["out gap 161-180", "want gap", "want buffer overflow"]);
  replica.onDelta(delta(161, 180, 160));
  assert.equal(replica.live, false);
});

// Crossing.

Deno.test("a book crossed for one update is suspended, for two out of sync", () => {
  const crossing: Sides = { bids: [[102, 1]] };
  const { replica, owner } = liveFutures();
  assert.equal(replica.onDelta(delta(161, 170, 160, crossing)), "suspended");
  assert.equal(replica.onDelta(delta(171, 180, 170, { bids: [[102, 0]] })), "applied");
  assert.equal(replica.onDelta(delta(181, 190, 180, crossing)), "suspended");
  assert.equal(replica.onDelta(delta(191, 200, 190)), "held");
  assert.deepEqual(owner.take(), ["out crossed", "want crossed"]);
  replica.onDelta(delta(201, 210, 200, { bids: [[102, 0]] }));
  assert.equal(replica.live, false);
});

Deno.test("a splice that ends crossed is no sync", () => {
  const { replica, owner } = made(SPOT);
  replica.onDelta(delta(100, 110, undefined, { bids: [[150, 1]] }));
  replica.onSnapshot(snapshot(105));
  assert.deepEqual(owner.take(), ["want crossed after splice"]);
  assert.equal(replica.live, false);
  replica.onDelta(delta(111, 120, undefined, { bids: [[150, 0]] }));
  replica.onSnapshot(snapshot(115));
  assert.deepEqual(owner.take(), ["in snapshot"]);
});

// Disconnects and ids that restart.

Deno.test("a reconnect that lost nothing continues the chain", () => {
  const { replica, owner } = liveFutures();
  replica.disconnected("disconnected", 1);
  assert.deepEqual(owner.take(), ["out disconnected", "want disconnected"]);
  replica.onDelta(delta(161, 170, 160));
  assert.deepEqual(owner.take(), ["in repair"]);
  assert.equal(replica.last_id, 170);
});

Deno.test("a reconnect with loss waits for the snapshot", () => {
  const { replica, owner } = liveFutures();
  replica.disconnected("disconnected", 1);
  replica.onDelta(delta(201, 210, 200));
  assert.equal(replica.live, false);
  replica.onSnapshot(snapshot(205));
  assert.deepEqual(owner.take(), ["out disconnected", "want disconnected", "in snapshot"]);
});

Deno.test("ids restart at a reconnect: the snapshot wins, nothing hangs", () => {
  const { replica, owner } = liveFutures();
  replica.disconnected("disconnected", 1);
  replica.onDelta(delta(1, 5, 0));
  replica.onDelta(delta(6, 9, 5));
  replica.onSnapshot(snapshot(5));
  assert.deepEqual(owner.take(), ["out disconnected", "want disconnected", "in snapshot"]);
  assert.deepEqual([replica.last_id, mark(replica)], [9, 9]);
});

Deno.test("a second disconnect, still out of sync: what was buffered before it is not mixed with what comes after", () => {
  const { replica, owner } = liveFutures();
  replica.onDelta(delta(181, 190, 180));
  owner.take();
  replica.disconnected("disconnected", 1);
  replica.onDelta(delta(1, 5, 0));
  replica.onDelta(delta(6, 9, 5));
  replica.onSnapshot(snapshot(5));
  assert.deepEqual(owner.take().at(-1), "in snapshot");
  assert.equal(replica.last_id, 9);
});

Deno.test("a disconnect between snapshot and first delta: ids that restart ask for another snapshot", () => {
  const { replica, owner } = made(FUTURES);
  replica.onSnapshot(snapshot(1000));
  replica.disconnected("disconnected", 1);
  assert.deepEqual(owner.take(), ["want disconnected"]);
  replica.onDelta(delta(1, 5, 0));
  replica.onSnapshot(snapshot(3));
  assert.deepEqual(owner.take(), ["in snapshot"]);
});

Deno.test("ids restart without a disconnect: after a run of stale deltas the book is not believed any longer", () => {
  for (const live of [true, false]) {
    const { replica, owner } = made(FUTURES);
    if (live) replica.onDelta(delta(990, 1000, 980));
    replica.onSnapshot(snapshot(1000));
    assert.equal(replica.live, live);
    owner.take();
    for (let u = 1; u < STALE_RUN_FOR_FAULT; u++) assert.equal(replica.onDelta(delta(u, u, u - 1)), "stale");
    assert.deepEqual(owner.take(), []);
    replica.onDelta(delta(STALE_RUN_FOR_FAULT, STALE_RUN_FOR_FAULT, STALE_RUN_FOR_FAULT - 1));
    assert.deepEqual(
      owner.take(),
      live ? ["out ids_restarted", "want ids_restarted"] : ["want ids_restarted"],
    );
    replica.onDelta(delta(STALE_RUN_FOR_FAULT + 1, STALE_RUN_FOR_FAULT + 1, STALE_RUN_FOR_FAULT));
    replica.onSnapshot(snapshot(STALE_RUN_FOR_FAULT));
    assert.deepEqual(owner.take(), ["in snapshot"]);
  }
});

Deno.test("a second connection that lags far behind repeats old deltas: no restart", () => {
  const { replica, owner } = liveFutures();
  const at = (u: number) => ({ ...delta(u, u, u - 1), exchange_ms: u * 100 });
  const count = 2 * STALE_RUN_FOR_FAULT;
  for (let u = 161; u < 161 + count; u++) assert.equal(replica.onDelta(at(u)), "applied");
  for (let u = 161; u < 161 + count; u++) assert.equal(replica.onDelta(at(u)), "stale");
  assert.deepEqual(owner.take(), []);
  const later_ms = (161 + count) * 100 + STALE_LEAD_MS + 1;
  for (let u = 1; u <= STALE_RUN_FOR_FAULT; u++) {
    replica.onDelta({ ...delta(u, u, u - 1), exchange_ms: later_ms });
  }
  assert.deepEqual(owner.take(), ["out ids_restarted", "want ids_restarted"]);
});

Deno.test("repeats between fresh deltas never add up to a fault", () => {
  const { replica, owner } = liveFutures();
  for (let u = 161; u < 161 + 2 * STALE_RUN_FOR_FAULT; u++) {
    assert.equal(replica.onDelta(delta(u, u, u - 1)), "applied");
    assert.equal(replica.onDelta(delta(u, u, u - 1)), "stale");
  }
  assert.deepEqual(owner.take(), []);
});

// Snapshots inside the stream.

Deno.test("a snapshot inside the stream replaces the book at once", () => {
  const { replica, owner } = made({ ...SPOT, in_band_snapshots: true });
  replica.onDelta(delta(90, 91));
  replica.onSnapshot(snapshot(100));
  assert.equal(replica.onDelta(delta(101, 101)), "applied");
  assert.equal(replica.refresh(), false);
  replica.onDelta(delta(105, 105));
  assert.deepEqual(owner.take(), ["in snapshot", "out gap 102-104", "want gap"]);
  replica.onSnapshot(snapshot(110, { bids: [[50, 1]] }));
  assert.deepEqual(owner.take(), ["in snapshot"]);
  assert.deepEqual([replica.last_id, replica.book.best_bid, replica.buffered], [110, 50, 0]);
});
