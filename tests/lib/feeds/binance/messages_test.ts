/** Each kind of Binance frame, by example: what it becomes, what is refused and under which name it is counted. */
import assert from "node:assert/strict";
import { binanceFutures } from "../../../../lib/feeds/binance/futures.ts";
import { binanceSpot } from "../../../../lib/feeds/binance/spot.ts";
import type { Feed, FrameOutcome } from "../../../../lib/feeds/feed.ts";
import type { BookSnapshot } from "../../../../lib/market/event.ts";
import { EventBatch } from "../../../../lib/market/event_batch.ts";
import { plainEvent } from "../plain_event.ts";
import { AGG_TRADE, bytesOf, DEPTH, KLINE, QUOTE, SPOT_DEPTH, SPOT_QUOTE, TICKER, TRADE } from "./frames.ts";

const RECEIVED_US = 1_793_628_600_110_000;

function mapped(
  feed: Feed,
  frame: unknown,
  symbols?: string[],
): { outcome: FrameOutcome; events: unknown[] } {
  const batch = new EventBatch();
  const outcome = feed.createMapper(symbols).map(bytesOf(frame), RECEIVED_US, batch);
  return { outcome, events: batch.events.map(plainEvent) };
}
const head = (venue: string) => ({ venue, symbol: "BTCUSDT", received_us: RECEIVED_US });

Deno.test("futures depth, combined and raw", () => {
  for (const frame of [DEPTH, DEPTH.data]) {
    assert.deepEqual(mapped(binanceFutures, frame).events, [{
      ...head("binance-futures"),
      kind: "book_delta",
      sent_ms: 1793628600105,
      exchange_ms: 1793628600098,
      first_id: 9000000100,
      last_id: 9000000160,
      previous_id: 9000000092,
      bids: [["64010.1", "3.12"], ["64009.9", "0"]],
      asks: [["64010.2", "1.004"]],
    }]);
  }
});

Deno.test("spot depth has no engine time and no previous id", () => {
  assert.deepEqual(mapped(binanceSpot, SPOT_DEPTH).events, [{
    ...head("binance-spot"),
    kind: "book_delta",
    sent_ms: 1793628600105,
    first_id: 157,
    last_id: 160,
    bids: [["64010.1", "3.1"]],
    asks: [],
  }]);
});

Deno.test("futures depth without pu can't be chained and is refused", () => {
  const { outcome, events } = mapped(binanceFutures, SPOT_DEPTH);
  assert.equal(outcome.kind, "malformed");
  assert.deepEqual(events, []);
});

Deno.test("quotes of both markets; spot's has neither type nor times", () => {
  const values = {
    update_id: 9000000160,
    bid: 64010.1,
    bid_quantity: 3.12,
    ask: 64010.2,
    ask_quantity: 1.004,
  };
  const times = { sent_ms: 1793628600102, exchange_ms: 1793628600098 };
  const kind = "quote";
  assert.deepEqual(mapped(binanceFutures, QUOTE).events, [{
    ...head("binance-futures"),
    kind,
    ...times,
    ...values,
  }]);
  const spot = { ...head("binance-spot"), kind, ...values, update_id: 400900217 };
  assert.deepEqual(mapped(binanceSpot, SPOT_QUOTE).events, [spot]);
  assert.deepEqual(mapped(binanceSpot, SPOT_QUOTE.data).events, [spot]);
});

Deno.test("aggregate trades: buyer was maker means the aggressor sold", () => {
  const trade = {
    ...head("binance-futures"),
    kind: "trade",
    sent_ms: 1793628600201,
    exchange_ms: 1793628600155,
    trade_id: 3100000001,
    price: 64010.1,
    quantity: 0.25,
    first_fill_id: 7200000001,
    last_fill_id: 7200000003,
  };
  assert.deepEqual(mapped(binanceFutures, AGG_TRADE).events, [{ ...trade, aggressor: "sell" }]);
  const bought = { ...AGG_TRADE, data: { ...AGG_TRADE.data, m: false } };
  assert.deepEqual(mapped(binanceFutures, bought).events, [{ ...trade, aggressor: "buy" }]);
});

Deno.test("a single trade has no fills inside", () => {
  assert.deepEqual(mapped(binanceSpot, TRADE).events, [{
    ...head("binance-spot"),
    kind: "trade",
    sent_ms: 1793628600200,
    exchange_ms: 1793628600199,
    trade_id: 880001,
    price: 64011.02,
    quantity: 0.0031,
    aggressor: "buy",
  }]);
});

Deno.test("a quantity beyond 15 digits keeps its text", () => {
  const q = "12345678901.23456789";
  const [event] = mapped(binanceSpot, { ...TRADE, data: { ...TRADE.data, q } }).events as {
    exact_quantity: string;
  }[];
  assert.equal(event.exact_quantity, q);
});

Deno.test("futures tickers carry no bid and ask: they stay absent", () => {
  const [event] = mapped(binanceFutures, TICKER).events as Record<string, unknown>[];
  assert.equal(event.price_change, -812.4);
  assert.equal(event.price_change_percent, -1.285);
  assert.equal(event.trade_count, 3214455);
  assert.equal(event.open_time_ms, 1793542200000);
  assert.equal("bid_price" in event, false);
  assert.equal("ask_quantity" in event, false);
});

Deno.test("a candle, and one whose fields are null, empty or missing", () => {
  const [event] = mapped(binanceFutures, KLINE).events as Record<string, unknown>[];
  assert.deepEqual(event, {
    ...head("binance-futures"),
    kind: "candle",
    sent_ms: 1793628600250,
    interval: "1m",
    open_time_ms: 1793628600000,
    close_time_ms: 1793628659999,
    open: 64010.2,
    high: 64010.2,
    low: 64010.1,
    close: 64010.1,
    volume: 0.25,
    quote_volume: 16002.52,
    trade_count: 3,
    closed: false,
  });
  const bar = (fields: Record<string, unknown>) => ({
    ...KLINE,
    data: { ...KLINE.data, k: { ...KLINE.data.k, ...fields } },
  });
  for (const none of [null, "", undefined, true, [], "x"]) {
    assert.equal(mapped(binanceFutures, bar({ v: none })).outcome.kind, "malformed", JSON.stringify(none));
    const [partial] = mapped(binanceFutures, bar({ q: none })).events as Record<string, unknown>[];
    assert.equal("quote_volume" in partial, false, JSON.stringify(none));
  }
});

Deno.test("microsecond times become milliseconds everywhere", () => {
  const us = (ms: number) => ms * 1000 + 250;
  const { data } = TRADE;
  const [trade] = mapped(binanceSpot, { ...data, E: us(data.E), T: us(data.T) }).events as Record<
    string,
    number
  >[];
  assert.deepEqual([trade.sent_ms, trade.exchange_ms], [1793628600200.25, 1793628600199.25]);
  const k = { ...KLINE.data.k, t: us(KLINE.data.k.t), T: us(KLINE.data.k.T) };
  const [bar] = mapped(binanceSpot, { ...KLINE.data, k }).events as Record<string, number>[];
  assert.deepEqual([bar.open_time_ms, bar.close_time_ms], [1793628600000.25, 1793628659999.25]);
  const times = { O: us(TICKER.data.O), C: us(TICKER.data.C) };
  const [ticker] = mapped(binanceSpot, { ...TICKER.data, ...times }).events as Record<string, number>[];
  assert.deepEqual([ticker.open_time_ms, ticker.close_time_ms], [1793542200000.25, 1793628600398.25]);
});

Deno.test("COIN-M rows (st 2) are dropped", () => {
  for (const frame of [DEPTH, QUOTE, TICKER]) {
    const { outcome, events } = mapped(binanceFutures, { ...frame, data: { ...frame.data, st: 2 } });
    assert.deepEqual(outcome, { kind: "unknown", what: "symbol" });
    assert.deepEqual(events, []);
  }
});

Deno.test("depth that is no diff is told by its stream name, never by its type", () => {
  for (const name of ["depth5", "depth20@100ms", "depth10@500ms", "rpiDepth@500ms", "depthX"]) {
    const { outcome, events } = mapped(binanceFutures, { ...DEPTH, stream: `btcusdt@${name}` });
    assert.equal(outcome.kind, "unknown", name);
    assert.deepEqual(events, []);
  }
  for (const name of ["depth", "depth@100ms", "depth@500ms", "depth@0ms"]) {
    assert.equal(
      mapped(binanceFutures, { ...DEPTH, stream: `btcusdt@${name}` }).outcome.kind,
      "events",
      name,
    );
  }
  const partial = { lastUpdateId: 160, bids: [["64010.10", "3.1"]], asks: [["64010.20", "1"]] };
  assert.equal(mapped(binanceSpot, { stream: "btcusdt@depth5", data: partial }).outcome.kind, "unknown");
  assert.equal(mapped(binanceSpot, partial).outcome.kind, "unknown");
});

Deno.test("a closed mapper takes its own symbols only, and may gain and lose some", () => {
  assert.deepEqual(mapped(binanceFutures, DEPTH, ["ETHUSDT"]).outcome, { kind: "unknown", what: "symbol" });
  assert.equal(mapped(binanceFutures, DEPTH, ["ETHUSDT", "BTCUSDT"]).outcome.kind, "events");
  const mapper = binanceFutures.createMapper([]);
  const batch = new EventBatch();
  const kind = () => mapper.map(bytesOf(DEPTH), RECEIVED_US, batch).kind;
  assert.equal(kind(), "unknown");
  mapper.addSymbol("BTCUSDT");
  mapper.addSymbol("BTCUSDT");
  assert.equal(kind(), "events");
  mapper.removeSymbol("BTCUSDT");
  assert.equal(kind(), "unknown");
});

Deno.test("symbols may be any text, written plainly or as escapes", () => {
  const data = { ...DEPTH.data, s: "币安人生USDT" };
  const escaped = JSON.stringify(data).replace("币", "\\u5e01");
  for (const frame of [data, escaped]) {
    for (const symbols of [undefined, ["币安人生USDT"]]) {
      const [event] = mapped(binanceFutures, frame, symbols).events as { symbol: string }[];
      assert.equal(event?.symbol, "币安人生USDT");
    }
  }
});

Deno.test("control frames", () => {
  const cases: [unknown, FrameOutcome][] = [
    [{ result: null, id: 1 }, { kind: "ack", id: 1, error: undefined }],
    [{ result: ["btcusdt@depth@100ms"], id: 3 }, { kind: "ack", id: 3, error: undefined }],
    [{ code: 2, msg: "Invalid request" }, { kind: "error", message: "2: Invalid request" }],
    [{ code: 2, msg: "Invalid request", id: 4 }, { kind: "ack", id: 4, error: "2: Invalid request" }],
    [{ error: { code: 0, msg: "Unknown property" }, id: 5 }, {
      kind: "ack",
      id: 5,
      error: "0: Unknown property",
    }],
    [{ result: null, id: "text" }, { kind: "unknown", what: "control message" }],
    [{ e: "serverShutdown", E: 1793628600000 }, { kind: "shutdown" }],
    [{ stream: "!serverShutdown", data: { e: "serverShutdown", E: 1793628600000 } }, { kind: "shutdown" }],
    [{ e: "forceOrder", E: 1, o: { s: "BTCUSDT" } }, { kind: "unknown", what: "event forceOrder" }],
    [[{ e: "24hrMiniTicker" }], { kind: "unknown", what: "array stream" }],
  ];
  for (const [frame, outcome] of cases) assert.deepEqual(mapped(binanceFutures, frame).outcome, outcome);
});

Deno.test("fields beside the data object are the envelope's", () => {
  const frame = { E: 1, u: 5, b: [["1", "1"]], stream: DEPTH.stream, data: DEPTH.data, s: "ETHUSDT", a: [] };
  assert.deepEqual(mapped(binanceFutures, frame).events, mapped(binanceFutures, DEPTH).events);
});

Deno.test("a key said twice makes a frame that nobody should believe", () => {
  const text = JSON.stringify(DEPTH);
  for (const twice of ['"u":9000000160,', '"s":"BTCUSDT",', '"b":[],', '"pu":9000000092,']) {
    const { outcome, events } = mapped(binanceFutures, text.replace('"E"', `${twice}"E"`));
    assert.equal(outcome.kind, "malformed", twice);
    assert.deepEqual(events, []);
  }
});

Deno.test("bytes that are no UTF-8 inside a number are malformed, not an exception", () => {
  const frame = bytesOf(SPOT_QUOTE);
  const at = new TextDecoder().decode(frame).indexOf("64010.10");
  frame[at + 1] = 0xff;
  const outcome = binanceSpot.createMapper().map(frame, RECEIVED_US, new EventBatch());
  assert.equal(outcome.kind, "malformed");
});

Deno.test("an oversized frame is refused before it is read", () => {
  const frame = new Uint8Array(4 * 1024 * 1024 + 1).fill(32);
  assert.match(
    JSON.stringify(mapped(binanceFutures, new TextDecoder().decode(frame)).outcome),
    /frame of 4194305 bytes/,
  );
});

Deno.test("snapshots: levels, times, bound; errors in words", () => {
  const batch = new EventBatch();
  const body = { lastUpdateId: 160, E: 5, T: 4, bids: [["64010.10", "3.1"]], asks: [["64010.20", "1"]] };
  assert.equal(binanceFutures.snapshot.parse(bytesOf(body), "BTCUSDT", RECEIVED_US, batch, 1000), undefined);
  assert.deepEqual(plainEvent(batch.events[0]), {
    ...head("binance-futures"),
    kind: "book_snapshot",
    sent_ms: 5,
    exchange_ms: 4,
    last_id: 160,
    depth_limit: 1000,
    bids: [["64010.1", "3.1"]],
    asks: [["64010.2", "1"]],
  });
  batch.clear();
  // A recording does not say what was asked for: the longer side does.
  const longer = { ...body, bids: [...body.bids, ["64009.10", "1"]] };
  binanceFutures.snapshot.parse(bytesOf(longer), "BTCUSDT", RECEIVED_US, batch);
  assert.equal((batch.events[0] as BookSnapshot).depth_limit, 2);
  batch.clear();
  const bad: [unknown, RegExp][] = [
    ["{", /not JSON/],
    ["null", /not an object/],
    [{ code: -1121, msg: "Invalid symbol." }, /-1121 Invalid symbol/],
    [{ bids: [], asks: [] }, /lastUpdateId/],
    [{ ...body, lastUpdateId: "160" }, /lastUpdateId/],
    [{ ...body, lastUpdateId: 1.5 }, /lastUpdateId/],
    [{ ...body, bids: [["x", "1"]] }, /bad levels/],
    [{ ...body, asks: undefined }, /bad levels/],
  ];
  for (const [frame, words] of bad) {
    assert.match(String(binanceSpot.snapshot.parse(bytesOf(frame), "BTCUSDT", 0, batch)), words);
  }
  assert.equal(batch.size, 0);
});
