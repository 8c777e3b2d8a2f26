import assert from "node:assert/strict";
import { ManualClock, nextTurn, systemClock } from "../../../../lib/base/clock.ts";
import type { GrpcClient } from "../../../../lib/servers/grpc/client.ts";
import { NewestStream } from "../../../../lib/servers/grpc/streams/newest_stream.ts";
import type { Call } from "../../../../lib/servers/grpc/transport/call.ts";
import { until, withGrpc } from "./grpc_rig.ts";

const BOOK = "SubscribeToOrderBookUpdates";

Deno.test("grpc streams: a snapshot first, then the newest state, a snapshot again after a resync", () =>
  withGrpc(async ({ hub, connect, assertEmpty }) => {
    hub.sync("AAA", [[100, 1], [99, 1]], [[101, 1]], 10);
    const call = connect().call(BOOK, { symbol: "AAA", depth: 1 });
    const first = await call.received(1);
    assert.equal(first.is_snapshot, true);
    assert.deepEqual(first.order_book.bids, [{ price: 100, quantity: 1 }]);
    hub.change("AAA", [[100.5, 2]], []);
    const second = await call.received(2);
    assert.equal(second.is_snapshot, undefined);
    assert.equal(second.order_book.last_update_id, 11);
    assert.deepEqual(second.order_book.bids, [{ price: 100.5, quantity: 2 }]);
    hub.unsync("AAA");
    hub.sync("AAA", [[90, 1]], [[91, 1]], 50);
    const third = await call.received(3);
    assert.equal(third.is_snapshot, true);
    assert.equal(third.order_book.last_update_id, 50);
    call.cancel();
    await assertEmpty();
  }));

Deno.test("grpc streams: one batch is one message, and every batch ends with its last state", () =>
  withGrpc(async ({ hub, connect }) => {
    hub.sync("AAA", [[100, 1]], [[101, 1]], 10);
    const call = connect().call(BOOK, { symbol: "AAA" });
    await call.received(1);
    for (let i = 0; i < 50; i++) hub.change("AAA", [[100, i + 2]], [], { flush: false });
    hub.flush();
    const { order_book } = await call.received(2);
    assert.equal(order_book.bids[0].quantity, 51);
    hub.change("AAA", [[100, 7]], []);
    assert.equal((await call.received(3)).order_book.bids[0].quantity, 7);
  }));

Deno.test("grpc streams: trades each, tickers the newest, the last one known at once", () =>
  withGrpc(async ({ hub, server, connect, assertEmpty }) => {
    hub.add("AAA");
    hub.ticker("AAA", { last_price: 1.5 });
    const client = connect();
    const tickers = client.call("SubscribeToTickers", { symbol: "AAA" });
    const trades = client.call("SubscribeToTrades", { symbol: "AAA" });
    assert.deepEqual(await tickers.received(1), { ticker: { symbol: "AAA", last_price: 1.5 } });
    await until("the trades to be subscribed to", () => server.calls === 2);
    await until("headers", () => trades.http_status === 200);
    for (let id = 1; id <= 200; id++) hub.trade("AAA", id);
    hub.ticker("AAA", { last_price: 2.5 });
    assert.equal((await tickers.received(2)).ticker.last_price, 2.5);
    await trades.received(200);
    assert.deepEqual(
      trades.messages.map(({ trade }) => trade.id),
      Array.from({ length: 200 }, (_, i) => i + 1),
    );
    client.session.destroy();
    await assertEmpty();
  }));

Deno.test("grpc streams: a book out of sync for too long ends its streams, a removed symbol all of them", async () => {
  const clock = new ManualClock();
  await withGrpc(async ({ hub, connect, assertEmpty }) => {
    hub.sync("AAA", [[100, 1]], [[101, 1]], 10);
    const client = connect();
    const book = client.call(BOOK, { symbol: "AAA" });
    const trades = client.call("SubscribeToTrades", { symbol: "AAA" });
    await book.received(1);
    await until("headers", () => trades.http_status === 200);
    hub.unsync("AAA", "gap");
    clock.advance(4_999);
    assert.equal(book.status, undefined);
    clock.advance(1);
    assert.deepEqual(await book.ended, {
      code: 14,
      message: 'tell the book of "AAA" on "mock": not in sync, gap',
    });
    hub.unsync("AAA", "removed");
    assert.deepEqual(await trades.ended, { code: 5, message: 'find "AAA": not subscribed to any more' });
    await assertEmpty();
  }, { clock });
  assert.equal(clock.pending, 0, "timers are left");
});

Deno.test("grpc streams: cancelled calls and deadlines leave nothing behind", async () => {
  const clock = new ManualClock();
  await withGrpc(async ({ hub, server, connect, assertEmpty }) => {
    hub.sync("AAA", [[100, 1]], [[101, 1]], 10);
    const client = connect();
    await client.ask("GetOrderBook", { symbol: "AAA" });
    const timers_before = clock.pending;
    const calls = Array.from(
      { length: 100 },
      (_, i) =>
        client.call(
          BOOK,
          { symbol: "AAA", depth: 1 + i % 7, update_speed: 1_000 },
          i % 2 ? { "grpc-timeout": "30S" } : {},
        ),
    );
    for (const call of calls) await call.received(1);
    hub.change("AAA", [[100, 5]], []);
    // 50 deadlines, 100 intervals, and what the client itself brought.
    assert.ok(clock.pending >= timers_before + 150);
    for (const [i, call] of calls.entries()) if (i % 2 === 0) call.cancel();
    await until("the cancelled to be gone", () => server.calls === 50);
    clock.advance(1_000);
    for (const [i, call] of calls.entries()) if (i % 2) await call.received(2);
    clock.advance(29_000);
    for (const [i, call] of calls.entries()) {
      if (i % 2) assert.deepEqual((await call.ended).code, 4);
    }
    await assertEmpty();
    assert.equal(clock.pending, timers_before, "timers are left");
    assert.equal(server.metrics.ended.with(BOOK, "CANCELLED").value, 50);
    assert.equal(server.metrics.ended.with(BOOK, "DEADLINE_EXCEEDED").value, 50);
  }, { clock });
  assert.equal(clock.pending, 0);
});

Deno.test("grpc streams: at most one message in an interval, the last state always, a slow client when it reads", () => {
  const clock = new ManualClock();
  let state = 0;
  let ready = true;
  const sent: { at_ms: number; state: number; first: boolean }[] = [];
  const call = {
    get ready() {
      return ready;
    },
    send: () => true,
    onReady: () => {},
  };
  const client = {
    has_room: true,
    skipped_messages: 0,
    lease: { takeBytes: () => true, retry_after_ms: () => 0 },
  };
  const frame = (first: boolean) => {
    sent.push({ at_ms: clock.monotonic_ms(), state, first });
    return new Uint8Array(10);
  };
  const conflated = { value: 0 };
  const stream = new NewestStream(
    call as unknown as Call,
    { ...client, forget() {} } as unknown as GrpcClient,
    clock,
    100,
    frame,
    conflated,
  );
  const change = () => {
    state++;
    stream.changed();
  };
  change();
  for (let i = 0; i < 25; i++) {
    clock.advance(10);
    change();
  }
  clock.advance(1_000);
  assert.deepEqual(sent.map(({ at_ms }) => at_ms), [0, 100, 200, 300]);
  assert.equal(sent.at(-1)!.state, state, "the last state was not told");
  assert.deepEqual(sent.map(({ first }) => first), [true, false, false, false]);
  assert.equal(sent.length + conflated.value, state, "what was not sent is not counted");
  ready = false;
  for (let i = 0; i < 10; i++) change();
  clock.advance(1_000);
  assert.equal(sent.length, 4);
  ready = true;
  call.onReady();
  assert.deepEqual(sent.at(-1), { at_ms: 2_250, state, first: false });
  change();
  stream.end();
  assert.equal(clock.pending, 0);
});

Deno.test("grpc streams: a thousand over one connection, each told the last state, nothing left after", () =>
  withGrpc(async ({ hub, server, connect, assertEmpty }) => {
    const symbols = Array.from({ length: 10 }, (_, i) => `S${i}`);
    for (const symbol of symbols) hub.sync(symbol, [[100, 1]], [[101, 1]], 10);
    const client = connect();
    const calls = Array.from(
      { length: 1_000 },
      (_, i) => client.call(BOOK, { symbol: symbols[i % 10], depth: 5, update_speed: i % 3 ? 20 : 0 }),
    );
    for (const call of calls) await call.received(1);
    assert.equal(server.calls, 1_000);
    const start_ms = systemClock.monotonic_ms();
    for (let round = 1; round <= 100; round++) {
      for (const symbol of symbols) hub.change(symbol, [[100, round]], []);
      if (round % 10 === 0) await nextTurn();
    }
    for (const call of calls) {
      while (call.messages.at(-1)!.order_book.bids[0].quantity !== 100) {
        await call.received(call.messages.length + 1);
      }
    }
    const elapsed_ms = Math.round(systemClock.monotonic_ms() - start_ms);
    const messages = calls.reduce((sum, call) => sum + call.messages.length, 0);
    // deno-lint-ignore no-console -- a measurement, like those of tests/end_to_end
    console.log(
      `  1,000 streams of 10 symbols, 100 changes each: ${messages} messages in ${elapsed_ms} ms, client and all`,
    );
    for (const call of calls) call.cancel();
    await assertEmpty();
  }));
