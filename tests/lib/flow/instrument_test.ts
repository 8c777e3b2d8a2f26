/** What an instrument publishes, and when not: status notices, whole books after resyncs, audit faults, trades. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../lib/base/clock.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { type HistogramValue, Metrics } from "../../../lib/base/metrics.ts";
import { binanceFutures } from "../../../lib/feeds/binance/futures.ts";
import { STALE_RUN_FOR_FAULT } from "../../../lib/flow/book_replica.ts";
import { Books } from "../../../lib/flow/books.ts";
import { Instrument, type InstrumentContext, RECENT_TRADES } from "../../../lib/flow/instrument.ts";
import type { HubUpdate, MarketUpdate } from "../../../lib/market/update.ts";
import { delta, quote, snapshot, trade } from "./book_events.ts";
import { StrictConsumer } from "./strict_consumer.ts";

const TOP: [number, number, number, number] = [99, 1, 101, 1];
const WRONG: [number, number, number, number] = [98, 1, 101, 1];
const far = { bids: [[1, 1]] as [number, number][] };

function made(can_refresh = true) {
  const consumer = new StrictConsumer();
  const updates: MarketUpdate[] = [];
  const wanted: string[] = [];
  const context: InstrumentContext = {
    clock: new ManualClock(),
    log: silentLog,
    metrics: new Metrics(),
    can_refresh,
    publish(update) {
      assert.ok(update.kind !== "orders");
      updates.push({ ...update });
      consumer.offer(update);
    },
    requestSnapshot: (_symbol, reason) => void wanted.push(reason),
  };
  const instrument = new Instrument("test", "BTCUSDT", binanceFutures.sequence, context);
  return { instrument, consumer, updates, wanted, context };
}
function live() {
  const all = made();
  all.instrument.onDelta(delta(80, 100, 70, far));
  all.instrument.onSnapshot(snapshot(90));
  assert.equal(all.instrument.in_sync, true);
  all.updates.length = 0;
  return all;
}
const kinds = (updates: MarketUpdate[]) =>
  updates.map((one) => one.kind === "book_status" ? `${one.kind} ${one.reason}` : one.kind);

Deno.test("nothing before the first snapshot, then a notice and the whole book", () => {
  const { instrument, updates } = made();
  instrument.onDelta(delta(80, 100, 70, far));
  assert.equal(updates.length, 0);
  instrument.onSnapshot(snapshot(90));
  assert.deepEqual(kinds(updates), ["book_status snapshot", "book"]);
  const [status, book] = updates;
  assert.ok(status.kind === "book_status" && status.in_sync && status.out_of_sync_ms === undefined);
  assert.ok(book.kind === "book" && book.delta === undefined);
  assert.deepEqual([book.sequence, book.last_update_id, book.received_us], [1, 100, 100]);
});

Deno.test("a gap: a notice with the missing range, silence, then the way back with the time it took", () => {
  const { instrument, consumer, updates, wanted } = live();
  instrument.onDelta(delta(201, 210, 200, far, 5_000_000));
  assert.deepEqual(kinds(updates), ["book_status gap"]);
  const [gap] = consumer.statuses.slice(-1);
  assert.deepEqual([gap.in_sync, gap.missing_from_id, gap.missing_to_id], [false, 101, 200]);
  assert.deepEqual(wanted, ["gap"]);
  instrument.onDelta(delta(211, 220, 210, far, 6_000_000));
  assert.equal(updates.length, 1);
  instrument.onSnapshot({ ...snapshot(215), received_us: 6_500_000 });
  const [back] = consumer.statuses.slice(-1);
  assert.deepEqual([back.in_sync, back.reason, back.out_of_sync_ms], [true, "snapshot", 1_000]);
  assert.equal(consumer.whole_books, 2);
  assert.equal(consumer.sequence, 2);
  assert.deepEqual([
    instrument.gaps,
    instrument.metrics.resyncs.value,
    instrument.metrics.sequence_errors.value,
  ], [1, 1, 1]);
  assert.equal(instrument.metrics.in_sync.value, 1);
});

Deno.test("a late delta closes the gap: a repair, not a resync", () => {
  const { instrument, consumer } = live();
  instrument.onDelta(delta(111, 120, 110, far));
  instrument.onDelta(delta(101, 110, 100, far));
  assert.equal(consumer.statuses.at(-1)?.reason, "repair");
  assert.deepEqual([instrument.metrics.repairs.value, instrument.metrics.resyncs.value], [1, 0]);
  assert.equal(consumer.last_update_id, 120);
});

Deno.test("a crossed update is not published; the next good one carries the whole book", () => {
  const { instrument, consumer, updates } = live();
  instrument.onDelta(delta(101, 110, 100, { bids: [[102, 1]] }));
  assert.equal(updates.length, 0);
  instrument.onDelta(delta(111, 120, 110, { bids: [[102, 0]] }));
  assert.deepEqual(kinds(updates), ["book"]);
  assert.equal(consumer.whole_books, 2);
  assert.equal(instrument.metrics.crossed.value, 1);
});

Deno.test("an exact difference from the venue's quote is a fault at once, and that update is not published", () => {
  const { instrument, updates, wanted } = live();
  instrument.onQuote(quote(110, WRONG));
  instrument.onDelta(delta(101, 110, 100, far));
  assert.deepEqual(kinds(updates), ["quote", "book_status audit"]);
  assert.deepEqual(wanted, ["audit"]);
  assert.equal(instrument.in_sync, false);
});

Deno.test("bracketed differences are a fault only when there are three in a row", () => {
  const { instrument, updates } = live();
  const round = (u: number, top: typeof TOP) => {
    instrument.onQuote(quote(u - 5, top));
    instrument.onDelta(delta(u - 9, u, u - 10, far));
    instrument.onQuote(quote(u + 1, top));
  };
  round(110, WRONG);
  round(120, WRONG);
  round(130, TOP);
  round(140, WRONG);
  round(150, WRONG);
  assert.equal(instrument.in_sync, true);
  round(160, WRONG);
  assert.equal(kinds(updates).at(-2), "book_status audit");
  assert.equal(instrument.in_sync, false);
  assert.equal(instrument.metrics.audit_differed.value, 5);
});

Deno.test("after a damaged frame no book is judged by quotes that may have one missing between them", () => {
  const { instrument } = live();
  instrument.onQuote(quote(95, WRONG));
  instrument.onDelta(delta(101, 110, 100, far));
  instrument.onDamage();
  instrument.onQuote(quote(120, TOP));
  assert.deepEqual([instrument.audit.compared, instrument.audit.differed], [0, 0]);
  // The same without the damage is a difference.
  const { instrument: whole } = live();
  whole.onQuote(quote(105, WRONG));
  whole.onDelta(delta(101, 110, 100, far));
  whole.onQuote(quote(120, TOP));
  assert.deepEqual([whole.audit.compared, whole.audit.differed], [1, 1]);
});

Deno.test("a snapshot that the venue's quote at the same id contradicts is not published", () => {
  const { instrument, consumer } = made();
  instrument.onQuote(quote(100, WRONG));
  instrument.onDelta(delta(80, 100, 70, far));
  instrument.onSnapshot(snapshot(90));
  assert.equal(instrument.in_sync, false);
  assert.equal(consumer.updates, 0);
  assert.equal(consumer.statuses.at(-1)?.in_sync, false);
  instrument.onSnapshot(snapshot(105, { bids: [[98, 1]] }));
  instrument.onDelta(delta(101, 110, 100, far));
  assert.equal(instrument.in_sync, true);
});

Deno.test("a refresh that ends while the book is crossed is not published", () => {
  const { instrument, updates } = live();
  instrument.replica.refresh();
  instrument.onDelta(delta(101, 110, 100, { bids: [[102, 1]] }));
  instrument.onSnapshot(snapshot(105));
  assert.deepEqual(kinds(updates), []);
  instrument.onDelta(delta(111, 120, 110, { bids: [[102, 0]] }));
  assert.deepEqual(kinds(updates), ["book"]);
  assert.equal(instrument.metrics.refreshes.value, 1);
});

Deno.test("a refresh publishes the whole book, even when the stream is quiet", () => {
  const { instrument, updates, consumer } = live();
  instrument.replica.refresh();
  instrument.onSnapshot(snapshot(100, { bids: [[99, 1], [50, 2]] }));
  assert.deepEqual(kinds(updates), ["book"]);
  assert.equal(consumer.whole_books, 2);
});

Deno.test("times are those of the last delta; a refresh snapshot does not take them away", () => {
  const { instrument, consumer } = live();
  instrument.onDelta({ ...delta(101, 110, 100, far), sent_ms: 7, exchange_ms: 6 });
  instrument.replica.refresh();
  instrument.onSnapshot(snapshot(110));
  assert.deepEqual([instrument.sent_ms, instrument.exchange_ms], [7, 6]);
  instrument.onDelta({ ...delta(201, 210, 200, far), sent_ms: 20, exchange_ms: 19 });
  instrument.onSnapshot(snapshot(205));
  assert.equal(consumer.in_sync, true);
  assert.deepEqual([instrument.sent_ms, instrument.exchange_ms], [20, 19]);
});

Deno.test("repeated quotes are published once; after ids restart, quotes and audit start over", () => {
  const { instrument, consumer } = live();
  instrument.onQuote(quote(1_000, TOP));
  instrument.onQuote(quote(1_000, TOP));
  instrument.onQuote(quote(999, TOP));
  assert.equal(consumer.others.length, 1);
  for (let u = 1; u <= STALE_RUN_FOR_FAULT; u++) instrument.onDelta(delta(u, u, u - 1, far));
  assert.equal(consumer.statuses.at(-1)?.reason, "ids_restarted");
  instrument.onQuote(quote(70, TOP));
  assert.equal(consumer.others.length, 2);
});

Deno.test("an interruption forgets quote ids and keeps the book as a base", () => {
  const { instrument, consumer } = live();
  instrument.onQuote(quote(1_000, TOP));
  instrument.interrupted("disconnected", 2_000);
  assert.equal(consumer.statuses.at(-1)?.reason, "disconnected");
  instrument.onQuote(quote(5, TOP));
  assert.equal(consumer.others.length, 2);
  instrument.onDelta(delta(101, 110, 100, far));
  assert.equal(consumer.statuses.at(-1)?.reason, "repair");
});

Deno.test("the last ticker and the last candles are kept; an interruption takes the ticker away", () => {
  const { instrument } = live();
  const head = { venue: "test", symbol: "BTCUSDT", received_us: 1 };
  instrument.onOther({ kind: "ticker", ...head, last_price: 1 });
  instrument.onOther({ kind: "ticker", ...head, last_price: 2 });
  assert.equal(instrument.last_ticker!.last_price, 2);
  const bar = { interval: "1m", open: 1, high: 1, low: 1, close: 1, volume: 1, closed: true };
  instrument.onOther({ kind: "candle", ...head, ...bar, open_time_ms: 0, close_time_ms: 59_999 });
  assert.equal(instrument.last_ticker!.last_price, 2);
  assert.equal(instrument.recent_candles.list("1m").length, 1);
  instrument.interrupted("disconnected", 2_000);
  assert.equal(instrument.last_ticker, undefined);
  assert.equal(instrument.recent_candles.list("1m").length, 1);
});

Deno.test("candles that are built from trades are kept as they are published", () => {
  const { context } = made();
  const published: HubUpdate[] = [];
  const instrument = new Instrument("test", "BTCUSDT", undefined, {
    ...context,
    publish: (update) => void published.push(update),
    candles: { intervals: ["1m"], publish: true },
  });
  instrument.onTrade({ ...trade(1), exchange_ms: context.clock.now_ms() + 1 });
  instrument.tick(context.clock.now_ms() + 500);
  const [candle] = published.filter(({ kind }) => kind === "candle");
  const [kept] = instrument.recent_candles.list("1m");
  assert.deepEqual({ ...candle, sent_ms: undefined }, kept);
});

Deno.test("trades pass once and the last thousand are kept", () => {
  const { instrument, consumer, context } = made();
  for (let id = 1; id <= 5_000; id++) {
    instrument.onTrade(trade(id));
    instrument.onTrade(trade(id));
  }
  assert.equal(consumer.others.length, 5_000);
  assert.equal(instrument.metrics.trades_repeated.value, 5_000);
  assert.equal(instrument.recent_trades.size, RECENT_TRADES);
  assert.equal(instrument.recent_trades.list(1)[0].trade_id, 5_000);
  assert.ok(context.metrics.families.has("trades_repeated_total"));
});

Deno.test("books: each event to its instrument, foreign ones counted, one symbol's trouble is its own", () => {
  const { context, consumer } = made();
  const books = new Books("test", binanceFutures.sequence, { ...context, publish: () => {} });
  const [btc, eth] = ["BTCUSDT", "ETHUSDT"].map((symbol) => books.add(symbol));
  for (const symbol of ["BTCUSDT", "ETHUSDT", "XRPUSDT"]) {
    books.event({ ...delta(80, 100, 70, far), symbol });
    books.event({ ...snapshot(90), symbol });
  }
  assert.equal(books.foreign, 2);
  books.event({ ...delta(201, 210, 200, far), symbol: "ETHUSDT" });
  assert.deepEqual([btc.in_sync, eth.in_sync], [true, false]);
  books.interrupted(["BTCUSDT", "NONE"], "disconnected");
  assert.equal(btc.in_sync, false);
  assert.equal(books.add("BTCUSDT"), btc);
  books.remove("BTCUSDT");
  books.event({ ...delta(80, 100, 70, far), symbol: "BTCUSDT" });
  assert.equal(books.foreign, 3);
  assert.equal(consumer.updates, 0);
});

Deno.test("what dashboards ask of a feed: the last event's time, the lag, and silence where a market is closed", () => {
  const { context } = made();
  const { metrics } = context;
  const market: { closed?: string } = {};
  const books = new Books("test", binanceFutures.sequence, { ...context, silence: () => market.closed });
  books.add("BTCUSDT");
  const value = (name: string) => {
    metrics.collect();
    return metrics.families.get(name)!.children.get("test\u0000BTCUSDT")?.value as
      | { value: number }
      | undefined;
  };
  assert.equal(value("feed_last_event_timestamp_seconds"), undefined, "nothing came yet: absent, not 0");
  books.event({ ...trade(1), exchange_ms: 900, received_us: 1_250_000 });
  assert.equal(value("feed_last_event_timestamp_seconds")?.value, 1.25);
  const lag = metrics.families.get("feed_exchange_lag_seconds")!.children.get("test")!
    .value as HistogramValue;
  assert.deepEqual([lag.count, lag.sum.toFixed(3)], [1, "0.350"]);
  books.event({ ...trade(2), exchange_ms: undefined, sent_ms: undefined, received_us: 1_300_000 });
  assert.equal(lag.count, 1, "a venue without times has no lag");
  assert.equal(value("feed_data_expected")?.value, 1);
  market.closed = "market closed";
  assert.equal(value("feed_data_expected")?.value, 0);
  assert.equal(value("book_in_sync")?.value, 0);
  books.remove("BTCUSDT");
  for (const name of ["feed_last_event_timestamp_seconds", "feed_data_expected", "book_in_sync"]) {
    assert.equal(value(name), undefined, `${name} of a symbol that is gone`);
  }
  new Books("bookless", undefined, context).add("BTCUSDT");
  const books_told = [...metrics.families.get("book_in_sync")!.children.keys()];
  assert.ok(!books_told.some((key) => key.startsWith("bookless")), "never a book, so none out of sync");
});
