import assert from "node:assert/strict";
import { LevelList } from "../../../../lib/market/level_list.ts";
import { OrderBook } from "../../../../lib/market/order_book.ts";
import type { MarketUpdate } from "../../../../lib/market/update.ts";
import { RowEncoder } from "../../../../lib/sinks/sql/encode_row.ts";
import { tableOf } from "../../../../lib/sinks/sql/tables.ts";

const HEAD = { venue: "v", symbol: "S", received_us: 1_723_075_200_123_456 };
const RECEIVED = "2024-08-08T00:00:00.123456Z";

const encoder = new RowEncoder(2);

/** The row as column → text. */
function row(update: MarketUpdate): Record<string, string> {
  const encoded = encoder.encode(update)!;
  assert.ok(encoded.line.endsWith("\n"));
  const columns = tableOf(encoded.table).columns.map(({ name }) => name);
  const values = encoded.line.slice(0, -1).split("\t");
  assert.equal(values.length, columns.length, "as many values as columns");
  return Object.fromEntries(columns.map((name, i) => [name, values[i]]));
}

Deno.test("a trade keeps every digit, its own time, and nothing that it did not say", () => {
  const trade = {
    kind: "trade",
    ...HEAD,
    trade_id: 9_007_199_254_740_991,
    price: 1e-7,
    quantity: 12345678901234567,
    exact_quantity: "12345678901234567.89",
    aggressor: "sell",
    exchange_ms: 1_723_075_200_000.123,
  } as const;
  assert.deepEqual(row(trade), {
    time: "2024-08-08T00:00:00.000123Z",
    venue: "v",
    symbol: "S",
    trade_id: "9007199254740991",
    venue_trade_id: "\\N",
    price: "0.0000001",
    quantity: "12345678901234567.89",
    aggressor: "sell",
    first_fill_id: "\\N",
    last_fill_id: "\\N",
    sent_time: "\\N",
    row_key: "9007199254740991",
    received_time: RECEIVED,
  });
  const { time, sent_time } = row({ ...trade, exchange_ms: undefined, sent_ms: 1_723_075_200_001 });
  assert.deepEqual([time, sent_time], ["2024-08-08T00:00:00.001000Z", "2024-08-08T00:00:00.001000Z"]);
  assert.equal(row({ ...trade, exchange_ms: undefined }).time, RECEIVED);
});

Deno.test("rows without an id are told apart by what they say, and like trades by their number", () => {
  const trade = { kind: "trade", ...HEAD, price: 1.5, quantity: 2 } as const;
  const key = (update: MarketUpdate) => row(update).row_key;
  const encode = [{}, {}, { aggressor: "buy" }, { quantity: 3 }, {}, { exchange_ms: 5 }, {}] as const;
  assert.deepEqual(encode.map((more) => key({ ...trade, ...more })), [
    "1.5 2 - 1",
    "1.5 2 - 2",
    "1.5 2 buy 1",
    "1.5 3 - 1",
    "1.5 2 - 3",
    "1.5 2 - 1",
    "1.5 2 - 1",
  ]);
  assert.equal(key({ ...trade, venue_trade_id: "a\tb" }), "a\\tb");
  assert.equal(row({ ...trade, venue_trade_id: "x" }).aggressor, "\\N");
  assert.equal(key({ kind: "quote", ...HEAD, bid: 1, bid_quantity: 2 }), "1 2 - -");
  assert.equal(key({ kind: "quote", ...HEAD, update_id: 7, bid: 1 }), "7");
});

Deno.test("a microsecond is never lost to rounding", () => {
  for (let us = 0; us < 1_000; us++) {
    const trade = {
      kind: "trade",
      ...HEAD,
      trade_id: 1,
      price: 1,
      quantity: 1,
      aggressor: "buy",
      exchange_ms: 1_723_075_200_123 + us / 1000,
    } as const;
    assert.equal(row(trade).time, `2024-08-08T00:00:00.123${String(us).padStart(3, "0")}Z`);
  }
});

Deno.test("a book shows its best levels that are known, exactly", () => {
  const book = new OrderBook();
  const bids = new LevelList();
  const asks = new LevelList();
  for (let i = 0; i < 3; i++) {
    bids.push(61800.1 - i, 0.003);
    asks.push(61800.2 + i, 1e-8);
  }
  bids.exact_quantities = new Map([[0, "1234567890.12345678"]]);
  book.replace(bids, asks);
  const update = { kind: "book", ...HEAD, book, sequence: 1, last_update_id: 77 } as const;
  const { bids: bid_text, asks: ask_text, last_update_id } = row(update);
  assert.equal(bid_text, "{{61800.1,1234567890.12345678},{61799.1,0.003}}");
  assert.equal(ask_text, "{{61800.2,0.00000001},{61801.2,0.00000001}}");
  assert.equal(last_update_id, "77");
  book.replace(new LevelList(), asks);
  assert.equal(row(update).bids, "{}");
  const top = new LevelList();
  top.push(61800.1, 1);
  book.replace(top, asks, 1);
  book.apply(bids, new LevelList());
  assert.equal(book.bids.size, 3);
  assert.equal(row(update).bids.split("},{").length, 1, "only to where the snapshot reached");
});

Deno.test("quotes, tickers, candles and statuses have their columns; an open candle is no row", () => {
  const quote = { bid: 1.5, bid_quantity: 2, ask: 1.6, ask_quantity: 3 };
  assert.equal(row({ kind: "quote", ...HEAD, update_id: 5, ...quote }).ask, "1.6");
  const ticker = row({ kind: "ticker", ...HEAD, last_price: 0.5, open_time_ms: 0, trade_count: 3 });
  assert.deepEqual(
    [ticker.last_price, ticker.high_price, ticker.open_time, ticker.trade_count],
    ["0.5", "\\N", "1970-01-01T00:00:00.000000Z", "3"],
  );
  const bar = { interval: "1m", open_time_ms: 60_000, close_time_ms: 119_999 };
  const candle = {
    kind: "candle",
    ...HEAD,
    ...bar,
    open: 1,
    high: 2,
    low: 0.5,
    close: 1.5,
    volume: 0,
  } as const;
  assert.equal(encoder.encode({ ...candle, closed: false }), undefined);
  const stored = row({ ...candle, closed: true, exchange_ms: 120_000 });
  assert.deepEqual([stored.time, stored.volume, stored.quote_volume], [
    "1970-01-01T00:01:00.000000Z",
    "0",
    "\\N",
  ]);
  const status = row({ kind: "book_status", ...HEAD, in_sync: false, reason: "a\tb" });
  assert.deepEqual([status.in_sync, status.reason], ["false", "a\\tb"]);
});
