import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { ByteWriter } from "../../../lib/wire/byte_writer.ts";
import { type JsonTrade, writeTradeJson } from "../../../lib/wire/trade_json.ts";

function encode(trade: JsonTrade, timestamp_ms: number): string {
  const writer = new ByteWriter(8);
  writeTradeJson(writer, trade, timestamp_ms);
  return new TextDecoder().decode(writer.copy());
}

Deno.test("a trade has exactly the six fields of the contract", () => {
  assert.equal(
    encode(
      { symbol: "BTCUSDT", trade_id: 2_266_021_211, price: 61800.1, quantity: 0.003, aggressor: "sell" },
      1_723_075_200_001,
    ),
    '{"symbol":"BTCUSDT","trade_id":2266021211,"price":61800.1,"quantity":0.003,' +
      '"timestamp":1723075200001,"is_buyer_maker":true}',
  );
});

Deno.test("random trades read back equal, without an exponent", () => {
  const random = new Random("trades");
  for (let round = 0; round < 5_000; round++) {
    const trade: JsonTrade = {
      symbol: random.pick(["BTCUSDT", "1000PEPEUSDT", "币USDT"]),
      trade_id: random.integer(0, 2 ** 50),
      price: Number(`${random.integer(1, 999_999_999)}e${random.integer(-20, 10)}`),
      quantity: Number(`${random.integer(1, 999_999_999)}e${random.integer(-20, 10)}`),
      aggressor: random.pick(["buy", "sell"]),
    };
    const text = encode(trade, 1);
    assert.ok(!/[eE][+-]?\d/.test(text), text);
    assert.deepEqual(JSON.parse(text), {
      symbol: trade.symbol,
      trade_id: trade.trade_id,
      price: trade.price,
      quantity: trade.quantity,
      timestamp: 1,
      is_buyer_maker: trade.aggressor === "sell",
    });
  }
});

Deno.test("an exact quantity prints its text", () => {
  const exact_quantity = "98765432109876543.21";
  const trade: JsonTrade = {
    symbol: "X",
    trade_id: 1,
    price: 1,
    quantity: Number(exact_quantity),
    exact_quantity,
    aggressor: "buy",
  };
  assert.ok(encode(trade, 1).includes(`"quantity":${exact_quantity},`));
});
