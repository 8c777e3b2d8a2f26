import assert from "node:assert/strict";
import { checksum } from "../../../../lib/sinks/shared_memory/checksum.ts";
import { decodeBook, decodeEvent } from "../../../../lib/sinks/shared_memory/decode.ts";
import { BOOK, EVENT, geometryOf, readGeometry, STATE } from "../../../../lib/sinks/shared_memory/layout.ts";
import { Segment, type SegmentOptions } from "../../../../lib/sinks/shared_memory/segment.ts";
import { type Lapped, SegmentReader } from "../../../../lib/sinks/shared_memory/segment_reader.ts";
import type { BookUpdate } from "../../../../lib/market/update.ts";
import { nativeTest } from "../../../native.ts";
import { levels } from "../../servers/fake_hub.ts";
import { PATTERN, patternBook, patternTrade } from "./pattern.ts";

const DEPTH = 3;
const RING = 64;
let made = 0;

const head = { venue: "v", symbol: "BTCUSDT", received_us: 5 };
const status = (in_sync: boolean, reason: string) =>
  ({ kind: "book_status", ...head, in_sync, reason }) as const;

interface Rig {
  segment: Segment;
  reader: SegmentReader;
  name: string;
  events(): Record<string, unknown>[];
  book(index?: number): Record<string, unknown>;
}

/** A writer whose clock counts its calls, and a reader that begins at the first event. */
function rigTest(name: string, options: Partial<SegmentOptions>, body: (rig: Rig) => void): void {
  nativeTest(name, () => {
    const segment_name = `mdg-test-segment-${Deno.pid}-${++made}`;
    let now_us = 100;
    using segment = new Segment({
      name: segment_name,
      geometry: geometryOf(4, DEPTH, RING),
      mode: 0o600,
      heartbeat_interval_ms: 100,
      started_us: 1_000,
      keep: false,
      ...options,
    }, () => now_us++);
    using reader = SegmentReader.open(segment_name);
    reader.position = 1;
    body({
      segment,
      reader,
      name: segment_name,
      events() {
        const events = [];
        for (let found = reader.next(); found; found = reader.next()) {
          events.push("lapped" in found ? { ...found } : { ...decodeEvent(found), published_us: undefined });
        }
        return events;
      },
      book: (index = 0) => ({ ...decodeBook(reader.book(index)!, DEPTH) }),
    });
  });
}
const plain = (value: unknown) => JSON.parse(JSON.stringify(value));

rigTest("every kind of update comes back as it was, absent fields absent", {}, ({ segment, events }) => {
  const { writer } = segment;
  writer.trade({
    ...patternTrade(9),
    ...head,
    exchange_ms: undefined,
    exact_quantity: "0.1234567890123456789",
  });
  writer.trade({ kind: "trade", ...head, venue_trade_id: "a1b2-ü", price: 1, quantity: 2 });
  const quote = { ...head, update_id: 4, bid: 1.5, bid_quantity: 2, ask: 1.6, ask_quantity: 3 };
  writer.quote({ kind: "quote", ...quote });
  writer.quote({ kind: "quote", ...head, bid: 1.5 });
  writer.ticker({ kind: "ticker", ...head, last_price: 0.1, trade_count: 0 });
  const bar = { open: 1, high: 3, low: 0.5, close: 2, volume: 10, open_time_ms: 0, close_time_ms: 59_999 };
  writer.candle({ kind: "candle", ...head, interval: "1m", ...bar, closed: true });
  writer.status(status(true, "synced"));
  const missing = { missing_from_id: 5, missing_to_id: 8, out_of_sync_ms: 1.5 };
  writer.status({ ...status(false, "gap"), ...missing });
  const common = { instrument: 0, received_us: 5 };
  assert.deepEqual(plain(events()), [
    { sequence: 1, instrument: 0, kind: "instrument", venue: "v", symbol: "BTCUSDT" },
    {
      sequence: 2,
      ...common,
      kind: "trade",
      price: 5.5,
      quantity: 9.25,
      trade_id: 9,
      first_fill_id: 27,
      last_fill_id: 34,
      aggressor: "buy",
      inexact: true,
    },
    { sequence: 3, ...common, kind: "trade", price: 1, quantity: 2, venue_trade_id: "a1b2-ü" },
    {
      sequence: 4,
      ...common,
      kind: "quote",
      bid: 1.5,
      bid_quantity: 2,
      ask: 1.6,
      ask_quantity: 3,
      update_id: 4,
    },
    { sequence: 5, ...common, kind: "quote", bid: 1.5 },
    { sequence: 6, ...common, kind: "ticker", last_price: 0.1, trade_count: 0 },
    { sequence: 7, ...common, kind: "candle", ...bar, interval: "1m", closed: true },
    { sequence: 8, ...common, kind: "book_status", in_sync: true, reason: "synced" },
    { sequence: 9, ...common, kind: "book_status", in_sync: false, ...missing, reason: "gap" },
  ]);
});

rigTest("the latest book, its place among the events, its end", {}, ({ segment, events, book }) => {
  const { writer } = segment;
  writer.book({ ...patternBook(7, 10), ...head, sent_ms: 3 }, false);
  const whole = book();
  assert.deepEqual(
    [whole.state, whole.last_update_id, whole.event_sequence, whole.sent_ms, whole.exchange_ms],
    ["in_sync", 7, 2, 3, undefined],
  );
  assert.deepEqual(whole.bids, [[100_007, 7], [100_006, 7.25], [100_005, 7.5]]);
  assert.deepEqual(whole.asks, [[100_008, 7], [100_009, 7.25], [100_010, 7.5]]);
  writer.status(status(false, "gap"));
  const away = book();
  assert.deepEqual([away.state, away.reason, away.bids, away.asks], ["out_of_sync", "gap", [], []]);
  const [, event, told] = events();
  assert.deepEqual([event.kind, event.bid, event.ask, event.whole], ["book", 100_007, 100_008, true]);
  assert.deepEqual([told.kind, told.sequence], ["book_status", 3]);
});

rigTest("changed levels come before their book event, in parts", {}, ({ segment, events, book }) => {
  const rows = Array.from({ length: 14 }, (_, i) => [10 - i / 10, i % 2 ? i : 0] as const);
  const delta = {
    ...head,
    kind: "book_delta" as const,
    first_id: 2,
    last_id: 8,
    bids: levels(rows),
    asks: levels([[11, 5]]),
  };
  segment.writer.book({ ...patternBook(8, 10), ...head, delta } as BookUpdate, true);
  const [, first, second, asks, told] = events() as { [field: string]: unknown; levels: unknown[] }[];
  assert.deepEqual([first.side, first.levels.length, first.last], ["bid", 12, undefined]);
  assert.deepEqual([...first.levels, ...second.levels], rows);
  assert.deepEqual([second.last, asks.side, asks.levels, asks.last], [true, "ask", [[11, 5]], true]);
  assert.deepEqual([told.kind, told.sequence, told.whole], ["book", 5, undefined]);
  assert.equal(book().event_sequence, 5);
});

rigTest(
  "a removed instrument frees its place; the next one is announced",
  {},
  ({ segment, events, book }) => {
    const { writer } = segment;
    for (const symbol of ["A", "B", "C", "D"]) writer.trade({ ...patternTrade(1), symbol });
    assert.throws(() => writer.trade({ ...patternTrade(1), symbol: "E" }), /all 4 places are taken/);
    writer.status({ ...status(false, "removed"), venue: PATTERN.venue, symbol: "B" });
    assert.equal(book(1).state, "removed");
    writer.trade({ ...patternTrade(1), symbol: "E" });
    const [announced, trade] = events().slice(-2);
    assert.deepEqual([announced.kind, announced.instrument, announced.symbol], ["instrument", 1, "E"]);
    assert.deepEqual([trade.instrument, book(1).symbol], [1, "E"]);
    assert.throws(
      () => writer.trade({ ...patternTrade(1), symbol: "é".repeat(33) }),
      /longer than 64 bytes/,
    );
  },
);

rigTest("a slow reader learns what it lost and goes on in order", {}, ({ segment, reader }) => {
  for (let n = 2; n <= 1_000; n++) segment.writer.trade(patternTrade(n));
  const { first, last } = reader.next() as Lapped;
  assert.deepEqual([first, last], [1, 1_000 - RING / 2 - 1]);
  let expected = last + 1;
  for (let found = reader.next(); found; found = reader.next()) {
    assert.equal((found as DataView).getFloat64(EVENT.sequence, true), expected++);
  }
  assert.equal(expected, 1_001);
  assert.equal(reader.oldest(), 1_000 - RING + 1);
});

rigTest("what lock or checksum does not confirm is not returned", {}, ({ segment, reader }) => {
  const { writer } = segment;
  const { ring_offset, books_offset } = segment.writer.geometry;
  for (let n = 2; n <= 4; n++) writer.trade(patternTrade(n));
  writer.book(patternBook(9, DEPTH), false);
  const words = new Int32Array(writer.buffer);
  const slot = (n: number) => (ring_offset + n * 256) / 4;
  words[slot(2) + EVENT.payload / 4] ^= 1;
  words[slot(3)] |= 1;
  reader.position = 2;
  assert.equal(reader.next(), undefined, "event 2 is damaged, event 3 is being written");
  assert.deepEqual([reader.damaged, reader.position], [1, 3]);
  words[slot(3)] &= ~1;
  assert.equal((reader.next() as DataView).getFloat64(EVENT.sequence, true), 3);
  const level = (books_offset + 256) / 4;
  words[level] ^= 1;
  assert.equal(reader.book(0), undefined, "a level differs");
  words[level] ^= 1;
  words[(books_offset + BOOK.bid_count) / 4] = 1_000_000;
  assert.equal(reader.book(0), undefined, "a count beyond the slot");
  words[(books_offset + BOOK.bid_count) / 4] = DEPTH;
  assert.ok(reader.book(0));
});

rigTest("a second writer in the same memory is found out", {}, ({ segment }) => {
  const { writer } = segment;
  writer.trade(patternTrade(2));
  // between the two halves of the writer's own check another store falls in
  const { store } = Atomics;
  const theirs = (array: Int32Array, index: number, value: number) => {
    store(array, index, value);
    return store(array, index, 12_345);
  };
  Object.assign(Atomics, { store: theirs });
  try {
    assert.throws(() => writer.trade(patternTrade(3)), /another writer is in it/);
  } finally {
    Object.assign(Atomics, { store });
  }
});

rigTest("a restarted writer has another epoch, its reader is told", { keep: true }, (rig) => {
  const { segment, reader, name } = rig;
  const { epoch } = reader.header();
  segment[Symbol.dispose]();
  assert.equal(reader.header().state, STATE.closed);
  using _next = new Segment({ ...segment.options, keep: false, started_us: 1 });
  assert.equal(reader.header().state, STATE.replaced);
  using again = SegmentReader.open(name);
  assert.ok(again.header().epoch > epoch, "also when the wall clock was set back");
  assert.equal(again.header().head, 0);
});

rigTest("headers that contradict themselves are refused", {}, ({ segment, name }) => {
  const { buffer } = segment.writer;
  const copy = () => buffer.slice(0);
  const with_u32 = (offset: number, value: number) => {
    const changed = copy();
    new DataView(changed).setUint32(offset, value, true);
    return changed;
  };
  assert.deepEqual(readGeometry(copy(), name), geometryOf(4, DEPTH, RING));
  assert.throws(() => readGeometry(new ArrayBuffer(0), name), /no segment of mdg/);
  assert.throws(() => readGeometry(with_u32(0, 1), name), /no segment of mdg/);
  assert.throws(() => readGeometry(with_u32(8, 2), name), /layout version 2, want 1/);
  assert.throws(() => readGeometry(with_u32(76, 63), name), /contradicts itself/);
  assert.throws(() => readGeometry(with_u32(52, 2 ** 31), name), /contradicts itself/);
  assert.throws(() => readGeometry(buffer.slice(0, 4096), name), /contradicts itself/);
});

Deno.test("the checksum tells every single changed bit, and continues over ranges", () => {
  const words = Int32Array.from({ length: 32 }, (_, i) => Math.imul(i, 0x9e3779b1));
  const sum = checksum(words, 0, 32);
  for (let bit = 0; bit < 32 * 32; bit++) {
    words[bit >> 5] ^= 1 << (bit & 31);
    assert.notEqual(checksum(words, 0, 32), sum);
    words[bit >> 5] ^= 1 << (bit & 31);
  }
  assert.notEqual(checksum(words, 16, 32, checksum(words, 0, 16)), checksum(words, 16, 32));
});
