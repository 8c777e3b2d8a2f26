import assert from "node:assert/strict";
import { writeUpdateJson } from "../../../lib/flow/update_json.ts";
import { LevelList } from "../../../lib/market/level_list.ts";
import { OrderBook } from "../../../lib/market/order_book.ts";
import type { MarketUpdate } from "../../../lib/market/update.ts";
import { ByteWriter } from "../../../lib/wire/byte_writer.ts";

const head = { venue: "a-venue", symbol: 'A"B', received_us: 1_723_075_200_000_500 };

function textOf(update: MarketUpdate, depth = 20): string {
  const writer = new ByteWriter();
  writeUpdateJson(writer, update, depth);
  return new TextDecoder().decode(writer.copy());
}

Deno.test("every kind is its own fields under their names, nothing made up, nothing left out", () => {
  const updates: Exclude<MarketUpdate, { kind: "book" }>[] = [
    {
      kind: "trade",
      ...head,
      trade_id: 2 ** 53 - 1,
      price: 61_800.1,
      quantity: 0.003,
      aggressor: "sell",
      first_fill_id: 1,
      last_fill_id: 2,
      exchange_ms: 1_723_075_200_000.123,
      sent_ms: 1_723_075_200_001,
    },
    { kind: "trade", ...head, venue_trade_id: "a-1", price: 1, quantity: 2 },
    { kind: "quote", ...head, update_id: 7, bid: 1.5, bid_quantity: 0, ask: 1.6, ask_quantity: 3 },
    { kind: "quote", ...head, ask: 1.6 },
    { kind: "ticker", ...head, last_price: 0.1, price_change: -0.5, volume: 0, trade_count: 12 },
    {
      kind: "candle",
      ...head,
      interval: "1m",
      open_time_ms: 1,
      close_time_ms: 2,
      open: 1,
      high: 2,
      low: 0.5,
      close: 1,
      volume: 9,
      closed: true,
    },
    { kind: "book_status", ...head, in_sync: false, reason: "gap", missing_from_id: 5, missing_to_id: 9 },
    { kind: "book_status", ...head, in_sync: true, reason: "snapshot", out_of_sync_ms: 12.5 },
  ];
  for (const update of updates) assert.deepEqual(JSON.parse(textOf(update)), update);
});

Deno.test("numbers are exact and plain: no exponent, the venue's own text where a double is too short", () => {
  const text = textOf({
    kind: "trade",
    ...head,
    trade_id: 1,
    price: 1e-9,
    quantity: 123_456_789.12345679,
    exact_quantity: "123456789.123456789123",
  });
  assert.match(text, /"price":0\.000000001,"quantity":123456789\.123456789123,/);
});

Deno.test("a book is its best known levels", () => {
  const book = new OrderBook();
  const bids = new LevelList();
  const asks = new LevelList();
  for (let i = 0; i < 5; i++) {
    bids.push(100 - i, i + 1);
    asks.push(101 + i, i + 1);
  }
  book.replace(bids, asks);
  const update: MarketUpdate = { kind: "book", ...head, book, sequence: 3, last_update_id: 44, sent_ms: 5 };
  assert.deepEqual(JSON.parse(textOf(update, 2)), {
    kind: "book",
    venue: head.venue,
    symbol: head.symbol,
    bids: [[100, 1], [99, 2]],
    asks: [[101, 1], [102, 2]],
    sequence: 3,
    last_update_id: 44,
    sent_ms: 5,
    received_us: head.received_us,
  });
});
