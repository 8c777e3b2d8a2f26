/**
 * What the sink `questdb` writes, read back by a reader of the protocol that shares no code with the client.
 */
import assert from "node:assert/strict";
import { LevelList } from "../../lib/market/level_list.ts";
import { OrderBook } from "../../lib/market/order_book.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";
import { questdb } from "../../lib/sinks/registry.ts";
import { eventually, SinkRig } from "../contracts/sink_rig.ts";
import { readLines } from "./line_protocol.ts";
import { QuestdbRecorder } from "./questdb_recorder.ts";

/** Everything that the protocol escapes, and what it does not. */
const ODD = 'A=B, "C"\\D é漢😀';
const head = { venue: "test venue", symbol: ODD, received_us: 1_723_075_200_000_500.25 };

function bookOf(): OrderBook {
  const book = new OrderBook();
  const bids = new LevelList();
  const asks = new LevelList();
  bids.push(61_800.1, 0.00000001);
  bids.push(61_800, 12);
  asks.push(61_800.2, 3);
  book.replace(bids, asks);
  return book;
}

const UPDATES: MarketUpdate[] = [
  {
    kind: "trade",
    ...head,
    trade_id: 9_007_199_254_740_991,
    price: 1e-8,
    quantity: 123_456_789.12345679,
    exact_quantity: "123456789.123456789123",
    aggressor: "sell",
    exchange_ms: 1_723_075_200_000.123,
  },
  {
    kind: "trade",
    ...head,
    venue_trade_id: 'x"y\\z\n1',
    price: 1e21,
    quantity: 1,
    exchange_ms: 1_723_075_200_001,
  },
  { kind: "trade", ...head, price: 1, quantity: 1 },
  { kind: "trade", ...head, price: 1, quantity: 1 },
  { kind: "quote", ...head, bid: 1.5, ask: 1.6, ask_quantity: 2, sent_ms: 1_723_075_200_002 },
  { kind: "quote", ...head },
  {
    kind: "candle",
    ...head,
    interval: "1m",
    open_time_ms: 1_723_075_200_000,
    close_time_ms: 1_723_075_259_999,
    open: 1,
    high: 2,
    low: 0.5,
    close: 1.5,
    volume: 10,
    closed: false,
  },
  { kind: "ticker", ...head, last_price: 3, trade_count: 7, exchange_ms: 1_723_075_200_003 },
  { kind: "book", ...head, book: bookOf(), sequence: 1, last_update_id: 77, exchange_ms: 1_723_075_200_004 },
  { kind: "book_status", ...head, in_sync: false, reason: "gap" },
];

async function recorded(transport: "http" | "tcp"): Promise<QuestdbRecorder> {
  const server = await QuestdbRecorder.start(transport);
  const rig = await SinkRig.open(questdb, { url: server.url, order_book_depth: 2 });
  await eventually("ready", () => rig.sink.notReady() === undefined);
  for (const update of UPDATES) rig.offer(update);
  rig.queue.flush();
  await eventually("all rows", () => server.lines.length === 11);
  assert.equal(await rig.close(), 0);
  await server.kill();
  return server;
}

for (const transport of ["http", "tcp"] as const) {
  Deno.test(`questdb over ${transport}: every kind, odd texts, exact numbers, nanoseconds, nothing made up`, async () => {
    await using server = await recorded(transport);
    for (const { symbols } of server.lines) {
      assert.deepEqual([symbols.venue, symbols.symbol], ["test venue", ODD]);
    }
    const trades = server.lines.filter((line) => line.table === "trades");
    assert.deepEqual(trades[0].columns, {
      price: { float: "1e-8" },
      quantity: { float: "123456789.12345679" },
      trade_id: 9_007_199_254_740_991n,
      exact_quantity: "123456789.123456789123",
      received: { us: 1_723_075_200_000_500n },
    });
    assert.equal(trades[0].symbols.side, "sell");
    assert.equal(trades[0].at_ns, 1_723_075_200_000_123_000n);
    assert.equal(trades[1].columns.trade_key, 'x"y\\z\n1');
    assert.deepEqual(trades[1].columns.price, { float: "1e+21" });
    assert.ok(!("side" in trades[1].symbols) && !("trade_id" in trades[1].columns));
    // Two trades that nothing tells apart stay two; their time is ours, since there is no other.
    assert.notEqual(trades[2].columns.trade_key, trades[3].columns.trade_key);
    assert.equal(trades[3].at_ns, 1_723_075_200_000_500_000n);

    const of = (table: string) => server.lines.filter((line) => line.table === table);
    const [quote] = of("quotes");
    assert.equal(of("quotes").length, 1);
    assert.deepEqual(Object.keys(quote.columns), ["bid", "ask", "ask_quantity", "received"]);
    assert.equal(quote.at_ns, 1_723_075_200_002_000_000n);
    const [candle] = of("candles");
    assert.equal(candle.symbols.interval, "1m");
    assert.equal(candle.columns.closed, false);
    assert.equal(candle.at_ns, 1_723_075_200_000_000_000n);
    assert.ok(!("quote_volume" in candle.columns));
    assert.deepEqual(Object.keys(of("tickers")[0].columns), ["last_price", "trade_count", "received"]);
    assert.deepEqual(of("book_tops")[0].columns, {
      bid: { float: "61800.1" },
      bid_quantity: { float: "1e-8" },
      ask: { float: "61800.2" },
      ask_quantity: { float: "3" },
      last_update_id: 77n,
      received: { us: 1_723_075_200_000_500n },
    });
    const levels = of("book_levels").map((
      { symbols, columns },
    ) => [symbols.side, columns.level, columns.price]);
    assert.deepEqual(levels, [
      ["bid", 0n, { float: "61800.1" }],
      ["bid", 1n, { float: "61800" }],
      ["ask", 0n, { float: "61800.2" }],
    ]);
    if (transport === "http") assert.equal(server.keys.size, 6);
  });
}

Deno.test("questdb: one bad row is found, told and given up; the others are stored once", async () => {
  await using server = await QuestdbRecorder.start("http");
  server.refuses = (line) =>
    line.table === "trades" && line.columns.trade_id === 7n ? "cast error from protocol type" : undefined;
  const rig = await SinkRig.open(questdb, { url: server.url, snapshot_interval_ms: 0 });
  for (let i = 0; i < 20; i++) rig.trade("BTCUSDT");
  rig.queue.flush();
  await eventually("settled", () => rig.queue.queued === 0);
  const ids = server.rows("trades").map((row) => Number(row.columns.trade_id));
  assert.deepEqual(ids, rig.offered.get("BTCUSDT")!.filter((id) => id !== 7));
  assert.equal(server.lines.length, 19);
  assert.equal(rig.count("sink_dropped_total", "questdb", "trade"), 1);
  assert.ok(rig.lines.some((line) => line.includes("cast error from protocol type")));
  assert.equal(await rig.close(), 0);
});

Deno.test("questdb: a wrong login and a full server are told in words, without the secret, and lose nothing", async () => {
  await using server = await QuestdbRecorder.start("http");
  server.login = `Basic ${btoa("mdg:right-password")}`;
  const login = { url: server.url, username: "mdg", snapshot_interval_ms: 0 };
  const wrong = await SinkRig.open(questdb, { ...login, password: "wrong-password" });
  await eventually("refused", () => /trades": status 401: Unauthorized/.test(wrong.sink.notReady() ?? ""));
  assert.ok(!wrong.lines.join().includes("wrong-password"));
  await wrong.close(10);
  await using gone = await QuestdbRecorder.start("http");
  await gone.kill();
  const away = await SinkRig.open(questdb, { url: gone.url });
  await eventually(
    "away",
    () => /trades": error sending request: .*refused/.test(away.sink.notReady() ?? ""),
  );
  assert.ok(!away.sink.notReady()!.includes("exec?query"));
  await away.close(10);

  const rig = await SinkRig.open(questdb, { ...login, password: "right-password" });
  await eventually("ready", () => rig.sink.notReady() === undefined);
  server.status = 507;
  for (let i = 0; i < 50; i++) rig.trade("BTCUSDT");
  rig.queue.flush();
  await eventually("told", () => rig.lines.some((line) => line.includes("statusCode=507")));
  assert.equal(rig.queue.queued, 50);
  server.status = undefined;
  await eventually("stored", () => server.rows("trades").length === 50);
  assert.equal(rig.count("sink_dropped_total"), 0);
  assert.equal(await rig.close(), 0);
});

Deno.test("questdb over tcp: a server that goes away is seen, and trades go on when it is back", async () => {
  await using server = await QuestdbRecorder.start("tcp");
  const rig = await SinkRig.open(questdb, { url: server.url, snapshot_interval_ms: 0 });
  await eventually("ready", () => rig.sink.notReady() === undefined);
  rig.trade("BTCUSDT");
  rig.queue.flush();
  await eventually("first", () => server.lines.length === 1);
  await server.kill();
  // The protocol has no answers: only a later write learns of it, and what went before may be lost.
  await eventually("seen", () => {
    rig.trade("BTCUSDT");
    rig.queue.flush();
    return rig.sink.notReady() !== undefined;
  });
  await server.start();
  await eventually("ready again", () => rig.sink.notReady() === undefined);
  rig.trade("BTCUSDT");
  rig.queue.flush();
  const last = String(rig.trade_id);
  await eventually("last", () => server.rows("trades").at(-1)?.columns.trade_id === last);
  assert.equal(await rig.close(), 0);
});

Deno.test("canary: the reader of the protocol refuses what the rules forbid", () => {
  const good = 't\\ 1,a=b\\,c x=1.5,y=2i,z="q\\"",w=t 1000000000\n';
  assert.deepEqual(readLines(good)[0].symbols, { a: "b,c" });
  for (
    const bad of [
      "t,a=b x=1 1",
      "t,a= x=1 1\n",
      "t,a=b 1\n",
      "t,a=b x= 1\n",
      "t,a=b x=1 -1\n",
      't,a=b x="a 1\n',
      "t,a=b,a=c x=1 1\n",
    ]
  ) {
    assert.throws(() => readLines(bad), /line protocol/, bad);
  }
});
