import assert from "node:assert/strict";
import { formatDecimal } from "../../../lib/base/decimal.ts";
import { Random } from "../../../lib/base/random.ts";
import { ByteWriter } from "../../../lib/wire/byte_writer.ts";
import { type JsonBook, type JsonBookSide, writeOrderbookJson } from "../../../lib/wire/orderbook_json.ts";

interface Level {
  price: number;
  quantity: number;
  exact?: string;
}
const side = (levels: Level[], known = levels.length): JsonBookSide => ({
  known,
  price: (i) => levels[i].price,
  quantity: (i) => levels[i].quantity,
  exactQuantity: (i) => levels[i].exact,
});

function encode(symbol: string, book: JsonBook, depth: number, id: number, timestamp_ms: number): string {
  const writer = new ByteWriter(8);
  writeOrderbookJson(writer, symbol, book, depth, id, timestamp_ms);
  return new TextDecoder().decode(writer.copy());
}

function randomLevel(random: Random): Level {
  const price = Number(`${random.integer(1, 999_999_999)}e-${random.integer(0, 12)}`);
  if (random.chance(0.1)) {
    const exact = `${random.integer(1, 9)}${"0123456789".repeat(2)}.${random.integer(1, 9)}`;
    return { price, quantity: Number(exact), exact };
  }
  return { price, quantity: Number(`${random.integer(1, 999_999)}e${random.integer(-18, 12)}`) };
}

Deno.test("random books read back as the naive encoder's, without an exponent", () => {
  const random = new Random("books");
  for (let round = 0; round < 2_000; round++) {
    const bids = Array.from({ length: random.integer(0, 30) }, () => randomLevel(random));
    const asks = Array.from({ length: random.integer(0, 30) }, () => randomLevel(random));
    const depth = random.integer(1, 25);
    const book: JsonBook = {
      bids: side(bids),
      asks: side(asks),
      price_decimals: random.integer(0, 12),
      quantity_decimals: random.integer(0, 18),
    };
    const id = random.integer(0, 9_007_199_254_740_991);
    const text = encode("BTCUSDT", book, depth, id, 1_723_075_200_123);
    const naive = {
      symbol: "BTCUSDT",
      bids: bids.slice(0, depth).map(({ price, quantity }) => [price, quantity]),
      asks: asks.slice(0, depth).map(({ price, quantity }) => [price, quantity]),
      last_update_id: id,
      timestamp: 1_723_075_200_123,
    };
    assert.deepEqual(JSON.parse(text), naive);
    assert.deepEqual(Object.keys(JSON.parse(text)), Object.keys(naive));
    assert.ok(!/[eE][+-]?\d/.test(text), text);
    const printed = naive.bids.map(([price]) => formatDecimal(price));
    assert.ok(printed.every((price) => text.includes(`[${price},`)));
  }
});

Deno.test("a quantity longer than a double keeps the venue's text", () => {
  const long = "12345678901234567.891";
  const book = {
    bids: side([{ price: 0.00000001, quantity: Number(long), exact: long }]),
    asks: side([]),
    price_decimals: 8,
    quantity_decimals: 3,
  };
  assert.equal(
    encode("PEPE", book, 20, 7, 1),
    `{"symbol":"PEPE","bids":[[0.00000001,${long}]],"asks":[],"last_update_id":7,"timestamp":1}`,
  );
});

Deno.test("levels beyond the known depth are not printed", () => {
  const levels = Array.from({ length: 10 }, (_, i) => ({ price: 100 - i, quantity: 1 }));
  const book = { bids: side(levels, 3), asks: side([]), price_decimals: 0, quantity_decimals: 0 };
  assert.equal(JSON.parse(encode("X", book, 20, 1, 1)).bids.length, 3);
});

Deno.test("a hostile symbol stays inside its quotes", () => {
  const book = { bids: side([]), asks: side([]), price_decimals: 0, quantity_decimals: 0 };
  const symbol = '","bids":[[1,1]],"x":"é\n';
  const read = JSON.parse(encode(symbol, book, 20, 1, 1));
  assert.equal(read.symbol, symbol);
  assert.deepEqual(read.bids, []);
});
