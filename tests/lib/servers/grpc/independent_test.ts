/** What other implementations make of the server: grpc-js on Node, and gRPC's C core in Debian's Python. */
import assert from "node:assert/strict";
import { nextTurn } from "../../../../lib/base/clock.ts";
import { health } from "../../../../lib/servers/health/health.ts";
import { serviceTest } from "../../../services.ts";
import { type GrpcRig, type MarketHub, until, withGrpc } from "./grpc_rig.ts";
import { IMPLEMENTATIONS, RemoteClient } from "./remote_client.ts";

const BOOK = "SubscribeToOrderBookUpdates";
const MS = 1_700_000_000_123;

function market(hub: MarketHub): void {
  hub.sync(
    "BTC/USD",
    [[61_800.1, 0.00000001], [61_800, 2.5]],
    [[61_800.3, 123_456.78912345]],
    4_503_599_627_370_497,
  );
  hub.book("mock", "BTC/USD")!.received_us = MS * 1_000;
  hub.ticker("BTC/USD", {
    last_price: 61_800.2,
    price_change: -12.75,
    volume: 98_765.4321,
    open_time_ms: MS - 86_400_000,
    close_time_ms: MS,
    trade_count: 123_456,
  });
  hub.trades.set(
    "mock BTC/USD",
    [
      { price: 61_800.2, quantity: 0.001, aggressor: "sell" as const },
      { price: 61_800.3, quantity: 1e-8, aggressor: "buy" as const },
    ].map((one, i) => ({
      ...one,
      kind: "trade",
      venue: "mock",
      symbol: "BTC/USD",
      trade_id: 9_007_199_254_740_000 + i,
      exchange_ms: MS + i,
      received_us: 1,
    })),
  );
}

async function answersEqualHttp(client: RemoteClient, hub: MarketHub): Promise<void> {
  await using port = await health.open(health.schema.parse({ listen: "127.0.0.1:0" }), hub);
  const http = async (path: string) => {
    const { venue, ...rest } = await (await fetch(`${port.url}${path}`)).json();
    assert.equal(venue, "mock");
    return rest;
  };
  const symbol = "BTC/USD";
  assert.deepEqual(
    await client.value("GetOrderBook", { symbol, depth: 5 }),
    await http("/book/BTC%2FUSD?depth=5"),
  );
  assert.deepEqual(await client.value("GetTicker", { symbol }), await http("/ticker/BTC/USD"));
  const { trades } = await client.value("GetRecentTrades", { symbol, limit: 5 });
  const of_http = await http("/trades/BTC/USD?limit=5");
  // False is proto3's unset: HTTP says it.
  const without_false = of_http.trades.map(({ is_buyer_maker, ...rest }: Record<string, unknown>) =>
    is_buyer_maker ? { ...rest, symbol, is_buyer_maker } : { ...rest, symbol }
  );
  assert.deepEqual(trades, without_false);
  assert.equal(trades[1].quantity, 1e-8);
}

async function streamsEachKind({ hub, server, assertEmpty }: GrpcRig, client: RemoteClient): Promise<void> {
  const symbol = "BTC/USD";
  await client.open([
    { name: "book", method: BOOK, request: { symbol, depth: 1, update_speed: 20 } },
    { name: "trades", method: "SubscribeToTrades", request: { symbol } },
    { name: "tickers", method: "SubscribeToTickers", request: { symbol } },
  ]);
  const [first] = await client.until(["book"], { count: 1 });
  assert.equal(first.last!.is_snapshot, true);
  await client.until(["tickers"], { count: 1 });
  await until("three streams", () => server.calls === 3);
  for (let i = 1; i <= 500; i++) {
    hub.change(symbol, [[61_800.1, i]], []);
    hub.trade(symbol, i);
    if (i % 50 === 0) await nextTurn();
  }
  hub.ticker(symbol, { last_price: 7.5 });
  const [book] = await client.until(["book"], { path: "order_book.bids.0.quantity", equals: 500 });
  assert.ok(book.count < 500, "nothing was conflated");
  const [trades] = await client.until(["trades"], { count: 500 });
  assert.equal(trades.last!.trade.id, 500);
  await client.until(["tickers"], { path: "ticker.last_price", equals: 7.5 });
  await client.tell("cancel", ["book", "trades", "tickers"]);
  const ends = await client.until(["book", "trades", "tickers"], { end: true });
  assert.deepEqual(ends.map(({ status }) => status!.code), [1, 1, 1]);
  await assertEmpty();
}

/** A client that stops reading, then reads again: bounded here, the newest there. */
async function stalls({ hub, server, assertEmpty }: GrpcRig, client: RemoteClient): Promise<void> {
  const levels = Array.from({ length: 1_000 }, (_, i) => [1_000_000 - i, 1] as const);
  hub.sync("DEEP", levels, []);
  const names = Array.from({ length: 8 }, (_, i) => `deep${i}`);
  await client.open(names.map((name) => ({ name, method: BOOK, request: { symbol: "DEEP", depth: 1_000 } })));
  await client.until(names, { count: 1 });
  await client.tell("pause", names);
  const rss_before = Deno.memoryUsage().rss;
  const [held] = server.clients.all;
  let most_bytes = 0;
  for (let i = 1; i <= 20_000; i++) {
    hub.change("DEEP", [[1_000_000, i]], []);
    most_bytes = Math.max(most_bytes, held.queued_bytes);
    if (i % 20 === 0) await nextTurn();
  }
  const grown_mb = Math.round((Deno.memoryUsage().rss - rss_before) / 1e6);
  // deno-lint-ignore no-console -- a measurement, like those of tests/end_to_end
  console.log(
    `  8 stalled streams offered ${Math.round(8 * 20_000 * 19 / 1e3)} MB: ` +
      `at most ${most_bytes} bytes queued, resident set ${grown_mb} MB more`,
  );
  assert.ok(most_bytes < 1_048_576);
  await client.tell("resume", names);
  await client.until(names, { path: "order_book.bids.0.quantity", equals: 20_000 });
  await client.tell("pause", [names[0]]);
  await client.tell("cancel", names);
  await assertEmpty();
  assert.equal(held.queued_bytes, 0);
}

async function deadlines({ server, assertEmpty }: GrpcRig, client: RemoteClient): Promise<void> {
  const names = Array.from({ length: 20 }, (_, i) => `late${i}`);
  const request = { symbol: "BTC/USD" };
  await client.open(names.map((name) => ({ name, method: BOOK, request, deadline_ms: 300 })));
  const ends = await client.until(names, { end: true });
  assert.deepEqual(new Set(ends.map(({ status }) => status!.code)), new Set([4]));
  await assertEmpty();
  assert.equal(server.calls, 0);
}

async function thousand(
  { hub, server, assertEmpty }: GrpcRig,
  client: RemoteClient,
  count: number,
): Promise<void> {
  const symbols = Array.from({ length: 10 }, (_, i) => `S${i}`);
  for (const symbol of symbols) hub.sync(symbol, [[100, 1]], [[101, 1]], 10);
  const names = Array.from({ length: count }, (_, i) => `s${i}`);
  await client.open(names.map((name, i) => {
    return { name, method: BOOK, request: { symbol: symbols[i % 10], depth: 5, update_speed: 50 } };
  }));
  await client.until(names, { count: 1 });
  assert.equal(server.calls, count);
  for (let round = 1; round <= 200; round++) {
    for (const symbol of symbols) hub.change(symbol, [[100, round]], []);
    if (round % 10 === 0) await nextTurn();
  }
  const states = await client.until(names, { path: "order_book.bids.0.quantity", equals: 200 });
  assert.ok(states.every(({ status }) => !status));
  await client.tell("cancel", names);
  await assertEmpty();
}

for (const [service, command] of Object.entries(IMPLEMENTATIONS)) {
  serviceTest(
    service as keyof typeof IMPLEMENTATIONS,
    `grpc: ${service} makes all six calls, and HTTP says the same`,
    (place) =>
      withGrpc(async (rig) => {
        market(rig.hub);
        await using client = new RemoteClient(command(place), rig.address);
        await answersEqualHttp(client, rig.hub);
        const unknown = await client.unary("GetTicker", { symbol: "NOPE" });
        assert.deepEqual(unknown, { code: 5, details: 'find "NOPE": no such symbol' });
        assert.equal((await client.unary("GetOrderBook", { symbol: "BTC/USD", depth: -1 })).code, 3);
        rig.hub.add("é%");
        const slow = await client.unary("GetOrderBook", { symbol: "é%" });
        assert.deepEqual(slow, {
          code: 14,
          details: 'tell the book of "é%" on "mock": not in sync, starting',
        });
        await streamsEachKind(rig, client);
      }),
  );
  serviceTest(
    service as keyof typeof IMPLEMENTATIONS,
    `grpc: ${service} stalls, runs into deadlines, cancels, and leaves nothing`,
    (place) =>
      withGrpc(async (rig) => {
        market(rig.hub);
        await using client = new RemoteClient(command(place), rig.address);
        await client.value("GetOrderBook", { symbol: "BTC/USD" });
        await stalls(rig, client);
        await deadlines(rig, client);
        await thousand(rig, client, service === "grpc_js" ? 1_000 : 200);
      }),
  );
}
