/** The old service's Redis payloads, checked to the letter: names and order of fields, types, best first, depth. */
import assert from "node:assert/strict";

export interface OrderbookPayload {
  symbol: string;
  bids: [number, number][];
  asks: [number, number][];
  last_update_id: number;
  timestamp: number;
}
export interface TradePayload {
  symbol: string;
  trade_id: number;
  price: number;
  quantity: number;
  timestamp: number;
  is_buyer_maker: boolean;
}

/** Between 2001 and 2286: a time in milliseconds, not in seconds or microseconds. */
function requireMilliseconds(timestamp: unknown): void {
  assert.ok(
    Number.isInteger(timestamp) && Number(timestamp) > 1e12 && Number(timestamp) < 1e13,
    `${timestamp}`,
  );
}

export function readOrderbook(text: string, symbol: string, depth: number): OrderbookPayload {
  const payload = JSON.parse(text);
  assert.deepEqual(Object.keys(payload), ["symbol", "bids", "asks", "last_update_id", "timestamp"]);
  assert.equal(payload.symbol, symbol);
  assert.ok(Number.isSafeInteger(payload.last_update_id) && payload.last_update_id > 0);
  requireMilliseconds(payload.timestamp);
  for (const [name, sign] of [["bids", -1], ["asks", 1]] as const) {
    const levels: unknown[] = payload[name];
    assert.ok(levels.length > 0 && levels.length <= depth, `${levels.length} ${name}`);
    let before = -Infinity;
    for (const level of levels) {
      assert.ok(Array.isArray(level) && level.length === 2, text);
      const [price, quantity] = level;
      assert.ok(typeof price === "number" && price > 0 && typeof quantity === "number" && quantity > 0, text);
      assert.ok(sign * price > before, `${name} not best first: ${text}`);
      before = sign * price;
    }
  }
  assert.ok(payload.bids[0][0] < payload.asks[0][0], `crossed: ${text}`);
  return payload;
}

export function readTrade(text: string, symbol: string): TradePayload {
  const payload = JSON.parse(text);
  assert.deepEqual(Object.keys(payload), [
    "symbol",
    "trade_id",
    "price",
    "quantity",
    "timestamp",
    "is_buyer_maker",
  ]);
  assert.equal(payload.symbol, symbol);
  assert.ok(Number.isSafeInteger(payload.trade_id), text);
  assert.ok(typeof payload.price === "number" && payload.price > 0, text);
  assert.ok(typeof payload.quantity === "number" && payload.quantity > 0, text);
  assert.equal(typeof payload.is_buyer_maker, "boolean");
  requireMilliseconds(payload.timestamp);
  return payload;
}
