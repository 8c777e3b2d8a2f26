import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { readOwnPayload } from "../../../lib/sources/own_payload.ts";
import { bookPayload, tradePayload } from "../../../lib/flow/json_payload.ts";
import type { BookSnapshot, Trade } from "../../../lib/market/event.ts";
import { LevelList } from "../../../lib/market/level_list.ts";
import { OrderBook } from "../../../lib/market/order_book.ts";

const RECEIVED_US = 1_723_075_200_000_500;
const read = (text: string) => readOwnPayload(text, "v", RECEIVED_US);

Deno.test("a book goes out and comes back: the same levels, the depth it showed, exact quantities", () => {
  const random = new Random("own payload");
  for (let round = 0; round < 200; round++) {
    const lists = { bids: new LevelList(), asks: new LevelList() };
    const mid = random.integer(1_000, 9_000_000);
    for (const [side, list] of Object.entries(lists)) {
      for (let i = random.integer(0, 30); i > 0; i--) {
        const price = (side === "bids" ? mid - i : mid + i) / 100;
        list.push(price, random.integer(1, 10_000_000) / 1_000);
        if (random.chance(0.1)) {
          (list.exact_quantities ??= new Map()).set(list.size - 1, "0.1000000000000000055511");
          list.quantities[list.size - 1] = 0.1;
        }
      }
      list.noteDecimals(2, 3);
    }
    const book = new OrderBook();
    book.replace(lists.bids, lists.asks);
    const update = {
      kind: "book",
      venue: "v",
      symbol: 'A"B',
      book,
      sequence: round,
      last_update_id: 5_000_000_000_000 + round,
    } as const;
    const text = bookPayload({ ...update, sent_ms: 1_723_075_200_000, received_us: RECEIVED_US }, 20);
    const snapshot = read(text) as BookSnapshot;
    assert.equal(snapshot.kind, "book_snapshot");
    assert.equal(snapshot.symbol, 'A"B');
    const again = new OrderBook();
    again.replace(snapshot.bids, snapshot.asks, snapshot.depth_limit);
    const repeated = bookPayload({ ...update, book: again, sent_ms: snapshot.sent_ms, received_us: 0 }, 20);
    assert.equal(repeated, text);
  }
});

Deno.test("a trade goes out and comes back, whatever of it is unknown", () => {
  const full: Trade = {
    kind: "trade",
    venue: "v",
    symbol: "BTCUSDT",
    trade_id: 9_007_199_254_740_991,
    price: 0.00000012,
    quantity: 0.1,
    exact_quantity: "0.1000000000000000055511",
    aggressor: "sell",
    exchange_ms: 1_723_075_200_001,
    received_us: RECEIVED_US,
  };
  assert.deepEqual(read(tradePayload(full)), full);
  const { trade_id: _id, aggressor: _side, exact_quantity: _text, ...bare } = full;
  assert.deepEqual(read(tradePayload(bare)), bare);
  const named = { ...bare, venue_trade_id: "a-17" };
  assert.deepEqual(read(tradePayload(named)), named);
});

Deno.test("what is neither is refused with a word", () => {
  const trade = '"symbol":"A","price":1,"quantity":1,"timestamp":1';
  const wrong: [string, string][] = [
    ["", "not JSON"],
    ["[1", "not JSON"],
    ["null", "not an object"],
    ["{}", "no symbol"],
    ['{"symbol":"A"}', "neither a book nor a trade"],
    ['{"symbol":"A","bids":[],"asks":[],"timestamp":1}', "no last_update_id"],
    [
      '{"symbol":"A","bids":[[1]],"asks":[],"last_update_id":1,"timestamp":1}',
      "no list of [price, quantity]",
    ],
    [
      '{"symbol":"A","bids":[[-1,1]],"asks":[],"last_update_id":1,"timestamp":1}',
      "no list of [price, quantity]",
    ],
    [`{${trade},"trade_id":1.5}`, "no trade_id that makes sense"],
    ['{"symbol":"A","price":0.12345678901234567891,"quantity":1,"timestamp":1}', "no price"],
    ['{"symbol":"A","price":1,"quantity":-1,"timestamp":1}', "no quantity"],
  ];
  for (const [text, why] of wrong) assert.equal(read(text), why, text);
});
