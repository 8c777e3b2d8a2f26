import assert from "node:assert/strict";
import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import type { Candle } from "../../../../lib/market/event.ts";
import { LevelList } from "../../../../lib/market/level_list.ts";
import { health } from "../../../../lib/servers/health/health.ts";
import { MarketHub } from "../grpc/grpc_rig.ts";

async function withMarket(
  body: (get: (path: string) => Promise<{ status: number; text: string }>, hub: MarketHub) => Promise<void>,
): Promise<void> {
  const hub = new MarketHub();
  hub.sync("AAA", [[100.5, 1], [100.4, 2]], [[100.6, 3]], 77);
  hub.book("mock", "AAA")!.received_us = 1_700_000_000_000_000;
  await using server = await health.open(health.schema.parse({ listen: "127.0.0.1:0" }), hub);
  await body(async (path) => {
    const response = await fetch(`${server.url}${path}`);
    return { status: response.status, text: await response.text() };
  }, hub);
}

function candle(at: number, more: Partial<Candle> = {}): Candle {
  return {
    kind: "candle",
    venue: "mock",
    symbol: "AAA",
    interval: "1m",
    open_time_ms: at * 60_000,
    close_time_ms: (at + 1) * 60_000 - 1,
    open: 1,
    high: 2,
    low: 0.5,
    close: 1.5,
    volume: 1e-8,
    closed: true,
    received_us: 1,
    ...more,
  };
}

Deno.test("market routes: every digit, also where a double has fewer, never an exponent", () =>
  withMarket(async (get, hub) => {
    const list = new LevelList();
    list.push(1e-7, Number("123456789012.123456789"));
    list.exact_quantities = new Map([[0, "123456789012.123456789"]]);
    hub.book("mock", "AAA")!.book.bids.apply(list);
    const { text } = await get("/book/AAA?depth=5");
    assert.match(text, /\{"price":0\.0000001,"quantity":123456789012\.123456789\}/);
    hub.trades.set("mock AAA", [{
      kind: "trade",
      venue: "mock",
      symbol: "AAA",
      venue_trade_id: "a-1",
      price: 1e-9,
      quantity: 0.1,
      exact_quantity: "0.10000000000000000001",
      received_us: 1_700_000_000_123_456,
    }]);
    assert.equal(
      (await get("/trades/AAA")).text,
      '{"venue":"mock","symbol":"AAA","trades":[{"id":"a-1","price":0.000000001,' +
        '"timestamp":1700000000123,"quantity":0.10000000000000000001}]}',
    );
  }));

Deno.test("market routes: each way of asking wrongly has its status and says what is wanted", () =>
  withMarket(async (get, hub) => {
    hub.add("SLOW");
    hub.add("SECRET").withheld = "by the venue's terms";
    hub.sync("BOTH", [[1, 1]], [[2, 1]], 1, "one");
    hub.sync("BOTH", [[1, 1]], [[2, 1]], 1, "two");
    const wrong: [string, number, string, RegExp][] = [
      ["/book/NOPE", 404, "not_found", /no such symbol/],
      ["/book/", 404, "not_found", /no such path/],
      ["/book/SLOW", 503, "unavailable", /not in sync, starting/],
      ["/book/SECRET", 403, "forbidden", /by the venue's terms/],
      ["/book/BOTH", 400, "invalid", /on one, two, want the venue named/],
      ["/book/AAA?depth=0", 400, "bad_request", /read depth "0": want a whole number from 1/],
      ["/book/AAA?depth=1e3", 400, "bad_request", /whole number/],
      ["/book/AAA?depth=5001", 400, "invalid", /want 1 to 5000/],
      ["/book/AAA?limit=5", 400, "bad_request", /parameter "limit": unknown or twice, want depth, venue/],
      ["/book/AAA?depth=5&depth=6", 400, "bad_request", /unknown or twice/],
      ["/book/%E0%A4%A", 400, "bad_request", /percent-encoded/],
      ["/ticker/AAA", 503, "unavailable", /none has come/],
      ["/trades/AAA?limit=1001", 400, "invalid", /want 1 to 1000/],
      ["/candles/AAA?interval=7m", 400, "invalid", /unknown, want one of 1m, 3m/],
      ["/candles/AAA?limit=501", 400, "invalid", /want 1 to 500/],
    ];
    for (const [path, status, code, message] of wrong) {
      const found = await get(path);
      assert.equal(found.status, status, path);
      const { error } = JSON.parse(found.text);
      assert.equal(error.code, code, path);
      assert.match(error.message, message, path);
    }
    assert.equal(JSON.parse((await get("/book/BOTH?venue=two")).text).venue, "two");
  }));

Deno.test("market routes: the OpenAPI document is one, and the answers are what it says", () =>
  withMarket(async (get, hub) => {
    const document = JSON.parse((await get("/openapi.json")).text);
    const verdict = await new Validator().validate(structuredClone(document));
    assert.ok(verdict.valid, JSON.stringify(verdict.errors));
    assert.equal(document.openapi, "3.1.0");
    const broken = structuredClone(document);
    delete broken.paths["/book/{symbol}"].get.responses;
    broken.paths["/book/{symbol}"].get.parameters[0].in = "nowhere";
    assert.ok(!(await new Validator().validate(broken)).valid, "the validator lets everything pass");

    hub.ticker("AAA", { last_price: 1, trade_count: 5, open_time_ms: 1_700_000_000_000, price_change: -1 });
    hub.trades.set(
      "mock AAA",
      [1, 2].map((trade_id) => ({
        kind: "trade",
        venue: "mock",
        symbol: "AAA",
        trade_id,
        price: 1,
        quantity: 1,
        aggressor: "buy",
        received_us: 1_700_000_000_000_000,
      })),
    );
    hub.bars.set("mock AAA 1m", [
      candle(1, { incomplete: true, trade_count: 3 }),
      candle(2, { closed: false }),
    ]);
    const ajv = new Ajv2020({ strict: false });
    ajv.addSchema(document, "openapi");
    for (const name of ["Book", "Ticker", "Trades", "Candles"]) {
      const path = `/${name.toLowerCase()}/AAA`;
      const { status, text } = await get(path);
      assert.equal(status, 200, text);
      const check = ajv.getSchema(`openapi#/components/schemas/${name}`)!;
      assert.ok(check(JSON.parse(text)), `${path}: ${JSON.stringify(check.errors)}`);
      assert.ok(!check({ ...JSON.parse(text), surprise: 1 }));
      assert.ok(document.paths[`/${name.toLowerCase()}/{symbol}`]);
    }
    const error = ajv.getSchema("openapi#/components/schemas/Error")!;
    assert.ok(error(JSON.parse((await get("/book/NOPE")).text)));
    const { candles } = JSON.parse((await get("/candles/AAA?limit=1")).text);
    assert.deepEqual(candles, [{
      open_time: 120_000,
      close_time: 179_999,
      open: 1,
      high: 2,
      low: 0.5,
      close: 1.5,
      volume: 1e-8,
      closed: false,
    }]);
    for (const path of ["/health", "/ready", "/metrics", "/instruments"]) {
      assert.ok(document.paths[path], path);
      assert.equal((await get(path)).status, 200);
    }
  }));
