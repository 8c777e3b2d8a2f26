/** The ledger: ranges, gaps by name, what a second connection fills, what a venue proves otherwise. */
import assert from "node:assert/strict";
import { binanceFutures } from "../../../lib/feeds/binance/futures.ts";
import { binanceSpot } from "../../../lib/feeds/binance/spot.ts";
import { kraken } from "../../../lib/feeds/kraken/kraken.ts";
import { SequenceLedger } from "../../../lib/flow/sequence_ledger.ts";
import type { BookDelta, Trade } from "../../../lib/market/event.ts";
import { emptyDelta } from "../../../lib/market/event_batch.ts";
import { LevelList } from "../../../lib/market/level_list.ts";
import type { SequenceRule } from "../../../lib/market/sequence_rule.ts";

function delta(first_id: number, last_id: number, previous_id?: number): BookDelta {
  return { ...emptyDelta(), symbol: "BTCUSDT", received_us: last_id, first_id, last_id, previous_id };
}
function trade(trade_id: number, aggregate = true): Trade {
  const fills = aggregate ? { first_fill_id: trade_id, last_fill_id: trade_id } : {};
  return {
    kind: "trade",
    venue: "v",
    symbol: "BTCUSDT",
    received_us: 1,
    trade_id,
    price: 1,
    quantity: 1,
    ...fills,
  };
}
const gapsOf = (ledger: SequenceLedger) =>
  ledger.records().flatMap((one) => one.gaps.map((gap) => [gap.after_id, gap.before_id, gap.connection]));

Deno.test("ids that chain are one range; what is missing is named, with where it was noticed", () => {
  const ledger = new SequenceLedger("live", binanceFutures.sequence);
  for (const one of [delta(5, 10, 4), delta(11, 20, 10), delta(40, 50, 30), delta(60, 70, 50)]) {
    ledger.note(one, 1);
  }
  const [record] = ledger.records();
  assert.deepEqual([record.after_id, record.last_id, record.events, record.proof], [4, 70, 4, "ids"]);
  assert.deepEqual(record.gaps, [{
    after_id: 20,
    before_id: 31,
    at_us: 50,
    connection: 1,
    resumed_by: "event",
  }]);
});

Deno.test("spot chains by its first id", () => {
  const ledger = new SequenceLedger("live", binanceSpot.sequence);
  for (const one of [delta(5, 10), delta(11, 20), delta(22, 30)]) ledger.note(one, 1);
  assert.deepEqual(gapsOf(ledger), [[20, 22, 1]]);
});

Deno.test("what another connection brings is not missing, before or after", () => {
  const ledger = new SequenceLedger("live", binanceFutures.sequence);
  for (const id of [1, 2, 3, 4, 5, 6]) {
    const one = delta(id, id, id - 1);
    if (id !== 3) ledger.note(one, 1);
    // The second is later, and misses another one.
    if (id !== 5) ledger.note(one, 2);
  }
  assert.deepEqual(gapsOf(ledger), []);
  const [record] = ledger.records();
  assert.deepEqual([record.after_id, record.last_id, record.events], [0, 6, 10]);
});

Deno.test("a gap that the slower connection fills is closed again; one that both have stays", () => {
  const ledger = new SequenceLedger("live", binanceFutures.sequence);
  const ids = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
  const note = (id: number, connection: number) => ledger.note(delta(id, id, id - 1), connection);
  for (const id of ids(1, 3)) [1, 2].forEach((connection) => note(id, connection));
  for (const id of ids(6, 9)) note(id, 1);
  assert.deepEqual(gapsOf(ledger), [[3, 6, 1]]);
  for (const id of ids(4, 9)) note(id, 2);
  assert.deepEqual(gapsOf(ledger), []);
  for (const id of ids(12, 14)) [1, 2].forEach((connection) => note(id, connection));
  assert.deepEqual(gapsOf(ledger), [[9, 12, 1]]);
});

Deno.test("a new connection that begins later leaves a gap between the two", () => {
  const ledger = new SequenceLedger("live", binanceFutures.sequence);
  ledger.note(delta(1, 2, 0), 1);
  ledger.closed(1);
  ledger.note(delta(9, 10, 8), 2);
  assert.deepEqual(gapsOf(ledger), [[2, 9, 2]]);
});

Deno.test("a segment goes on where the one before ended: a gap at its very beginning is seen", () => {
  const ledger = new SequenceLedger("live", binanceFutures.sequence);
  ledger.note(delta(1, 2, 0), 1);
  ledger.restart();
  assert.deepEqual(ledger.records(), []);
  ledger.note(delta(6, 7, 5), 1);
  const [record] = ledger.records();
  assert.deepEqual([record.after_id, record.last_id, gapsOf(ledger)], [2, 7, [[2, 6, 1]]]);
});

Deno.test("in-band snapshots: a book that goes on with a later one has a gap, healed by it", () => {
  const rule: SequenceRule = { ...binanceSpot.sequence!, in_band_snapshots: true };
  const ledger = new SequenceLedger("live", rule);
  const snapshot = (last_id: number, resets?: true) => ({
    kind: "book_snapshot" as const,
    venue: "v",
    symbol: "BTCUSDT",
    received_us: 3,
    last_id,
    resets,
    bids: new LevelList(),
    asks: new LevelList(),
  });
  ledger.note(snapshot(4), 1);
  ledger.note(delta(5, 6), 1);
  ledger.note(snapshot(6), 1);
  ledger.note(delta(7, 8), 1);
  assert.deepEqual(gapsOf(ledger), []);
  ledger.note(snapshot(20), 2);
  assert.deepEqual(ledger.records()[0].gaps.map((gap) => [gap.after_id, gap.before_id, gap.resumed_by]), [[
    8,
    21,
    "snapshot",
  ]]);
  ledger.note(snapshot(1, true), 2);
  ledger.note(delta(2, 3), 2);
  assert.equal(gapsOf(ledger).length, 1, "ids that start over are no gap");
});

Deno.test("aggregates are numbered +1; single fills prove nothing, and a checksum venue is said to be one", () => {
  const ledger = new SequenceLedger("live", kraken.sequence);
  for (const id of [1, 2, 5]) ledger.note(trade(id), 1);
  ledger.note(delta(1, 1), 1);
  ledger.note(delta(9, 9), 1);
  const [trades, book] = ledger.records();
  assert.deepEqual([trades.proof, trades.gaps.length, book.proof, book.gaps.length], [
    "ids",
    1,
    "checksum",
    0,
  ]);
  const fills = new SequenceLedger("live", undefined);
  for (const id of [1, 2, 5]) fills.note(trade(id, false), 1);
  assert.deepEqual([fills.records()[0].proof, fills.records()[0].gaps.length], ["none", 0]);
});

Deno.test("changes are told once, and all again when they were lost", () => {
  const ledger = new SequenceLedger("live", binanceFutures.sequence);
  ledger.note(delta(1, 2, 0), 1);
  assert.equal(ledger.changes().length, 1);
  assert.equal(ledger.changes().length, 0);
  ledger.restate();
  assert.equal(ledger.changes().length, 1);
});
