import assert from "node:assert/strict";
import type { Trade } from "../../../../lib/market/event.ts";
import { framed, type MarketHub, withGrpc } from "./grpc_rig.ts";

const TRADES: Trade[] = [1, 2, 3].map((id) => ({
  kind: "trade",
  venue: "mock",
  symbol: "AAA",
  trade_id: id,
  price: 100.1 + id,
  quantity: 0.00000001 * id,
  aggressor: id === 3 ? undefined : id === 1 ? "sell" : "buy",
  exchange_ms: 1_700_000_000_000 + id,
  received_us: 1_700_000_000_000_000,
}));

function market(hub: MarketHub): void {
  hub.sync("AAA", [[100.5, 0.1], [100.4, 2], [100.3, 3]], [[100.6, 0.2], [100.7, 4]], 9_007_199_254_740_991);
  hub.book("mock", "AAA")!.received_us = 1_700_000_000_123_456;
  hub.trades.set("mock AAA", TRADES);
}

Deno.test("grpc: the three questions, exact to the last digit, absent what is unknown", () =>
  withGrpc(async ({ hub, connect, assertEmpty }) => {
    market(hub);
    hub.ticker("AAA", {
      last_price: 100.55,
      price_change: -0.1,
      volume: 123_456_789.12345678,
      first_trade_id: -1,
    });
    const client = connect();
    assert.deepEqual(await client.ask("GetOrderBook", { symbol: "AAA", depth: 2 }), {
      symbol: "AAA",
      last_update_id: 9_007_199_254_740_991,
      bids: [{ price: 100.5, quantity: 0.1 }, { price: 100.4, quantity: 2 }],
      asks: [{ price: 100.6, quantity: 0.2 }, { price: 100.7, quantity: 4 }],
      timestamp: 1_700_000_000_123,
    });
    assert.equal((await client.ask("GetOrderBook", { symbol: "AAA" })).bids.length, 3);
    assert.deepEqual(await client.ask("GetTicker", { symbol: "AAA" }), {
      symbol: "AAA",
      last_price: 100.55,
      price_change: -0.1,
      volume: 123_456_789.12345678,
    });
    const { trades } = await client.ask("GetRecentTrades", { symbol: "AAA", limit: 2 });
    assert.deepEqual(trades[0], {
      id: 2,
      symbol: "AAA",
      price: 102.1,
      quantity: 2e-8,
      timestamp: 1_700_000_000_002,
    });
    assert.equal(trades[1].is_buyer_maker, undefined);
    const [first] = (await client.ask("GetRecentTrades", { symbol: "AAA" })).trades;
    assert.equal(first.is_buyer_maker, true);
    await assertEmpty();
  }));

Deno.test("grpc: each way of asking wrongly has its status", () =>
  withGrpc(async ({ hub, connect, assertEmpty }) => {
    market(hub);
    hub.add("SLOW");
    hub.add("TRADES").keeps_book = false;
    hub.add("SECRET").withheld = "by the venue's terms";
    hub.sync("BOTH", [[1, 1]], [[2, 1]], 1, "one");
    hub.sync("BOTH", [[3, 1]], [[4, 1]], 1, "two");
    const client = connect();
    const status = async (method: string, request: object, headers = {}) =>
      (await client.ask(method, request, headers)).status ?? { code: 0, message: "" };
    const expect = async (code: number, message: RegExp, method: string, request: object, headers = {}) => {
      const found = await status(method, request, headers);
      assert.equal(found.code, code, JSON.stringify(found));
      assert.match(found.message, message);
    };
    const book = "GetOrderBook";
    const book_stream = "SubscribeToOrderBookUpdates";
    for (
      const method of [
        book,
        "GetTicker",
        "GetRecentTrades",
        book_stream,
        "SubscribeToTrades",
        "SubscribeToTickers",
      ]
    ) {
      await expect(5, /^find "NOPE": no such symbol$/, method, { symbol: "NOPE" });
      await expect(7, /^have "SECRET": not for clients, by the venue's terms$/, method, { symbol: "SECRET" });
      await expect(3, /^find "BOTH": on one, two, want the venue named$/, method, { symbol: "BOTH" });
    }
    for (const method of [book, book_stream]) {
      for (const depth of [-1, 5_001]) {
        await expect(3, /out of bounds, want 1 to 5000/, method, { symbol: "AAA", depth });
      }
      await expect(14, /^tell the book of "SLOW" on "mock": not in sync, starting$/, method, {
        symbol: "SLOW",
      });
      await expect(5, /this source brings none/, method, { symbol: "TRADES" });
    }
    await expect(3, /update_speed -1: out of bounds/, book_stream, { symbol: "AAA", update_speed: -1 });
    await expect(3, /1001 trades: out of bounds/, "GetRecentTrades", { symbol: "AAA", limit: 1_001 });
    await expect(14, /none has come/, "GetTicker", { symbol: "AAA" });
    assert.equal((await client.ask(book, { symbol: "BOTH" }, { venue: "two" })).bids[0].price, 3);
    await expect(5, /on "three": no such symbol/, book, { symbol: "BOTH" }, { venue: "three" });
    await assertEmpty();
  }));

Deno.test("grpc: what is no proper call is refused with a status, or in HTTP where it is no gRPC", () =>
  withGrpc(async ({ hub, connect, assertEmpty }) => {
    market(hub);
    const client = connect();
    const path = "/market_data.MarketDataService/GetOrderBook";
    const request = new Uint8Array([0x0a, 3, 65, 65, 65]);
    const codes = async (body: Uint8Array, headers = {}, to = path) => {
      const call = client.raw(to, body, headers);
      return [(await call.ended).code, call.http_status];
    };
    assert.deepEqual(await codes(framed(request)), [0, 200]);
    assert.deepEqual(await codes(framed(request), {}, "/market_data.MarketDataService/Nope"), [12, 200]);
    assert.deepEqual(await codes(framed(request, 1)), [12, 200]);
    assert.deepEqual(await codes(new Uint8Array([...framed(request), ...framed(request)])), [12, 200]);
    assert.deepEqual(await codes(new Uint8Array(0)), [3, 200]);
    assert.deepEqual(await codes(framed(request).subarray(0, 7)), [13, 200]);
    assert.deepEqual(await codes(framed(new Uint8Array([0xff, 0xff]))), [3, 200]);
    assert.deepEqual(await codes(framed(new Uint8Array(5_000))), [8, 200]);
    assert.deepEqual(await codes(framed(request), { "grpc-timeout": "soon" }), [3, 200]);
    assert.deepEqual(await codes(framed(request), { "content-type": "application/json" }), [-1, 415]);
    assert.deepEqual(await codes(framed(request), { ":method": "PUT" }), [-1, 405]);
    await assertEmpty();
  }));
