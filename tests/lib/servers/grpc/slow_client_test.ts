import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { connect } from "node:net";
import { ManualClock, nextTurn } from "../../../../lib/base/clock.ts";
import { type GrpcRig, until, withGrpc } from "./grpc_rig.ts";

const BOOK = "SubscribeToOrderBookUpdates";
const LEVELS = Array.from({ length: 500 }, (_, i) => [1_000 - i, 1.25] as const);
/** A book of 500 levels a side is 19 KB on the wire. */
const FRAME_BYTES = 19_000;

/** So many changes of the book, with time for sockets between. */
async function change({ hub }: GrpcRig, count: number, from = 0): Promise<void> {
  for (let i = 1; i <= count; i++) {
    hub.change("AAA", [[1_000, from + i]], []);
    if (i % 50 === 0) await nextTurn();
  }
}

Deno.test("grpc slow client: one that stops reading costs its bound, others all they want, and reads the newest at last", () =>
  withGrpc(async (rig) => {
    const { hub, server, connect, assertEmpty } = rig;
    hub.sync("AAA", LEVELS, LEVELS.map(([price, quantity]) => [price + 1_000, quantity] as const));
    const stalled = connect();
    const calls = Array.from({ length: 20 }, () => stalled.call(BOOK, { symbol: "AAA", depth: 500 }));
    for (const call of calls) await call.received(1);
    for (const { stream } of calls) stream.pause();
    const healthy = connect().call(BOOK, { symbol: "AAA", depth: 500 });
    await healthy.received(1);
    const rss_before = Deno.memoryUsage().rss;
    const changes = 5_000;
    let most_bytes = 0;
    for (let done = 0; done < changes; done += 500) {
      await change(rig, 500, done);
      await until(
        "the healthy client",
        () => healthy.messages.at(-1)!.order_book.bids[0].quantity === done + 500,
      );
      for (const client of server.clients.all) most_bytes = Math.max(most_bytes, client.queued_bytes);
    }
    const grown_mb = Math.round((Deno.memoryUsage().rss - rss_before) / 1e6);
    const offered_mb = Math.round(changes * calls.length * FRAME_BYTES / 1e6);
    // deno-lint-ignore no-console -- a measurement, like those of tests/end_to_end
    console.log(
      `  20 stalled streams offered ${offered_mb} MB: at most ${most_bytes} bytes queued, resident set ${grown_mb} MB more`,
    );
    assert.ok(most_bytes <= 1_048_576, `queued ${most_bytes}`);
    assert.ok(server.metrics.conflated.with("book").value > changes * calls.length * 0.8);
    for (const { stream } of calls) stream.resume();
    for (const call of calls) {
      await until("the newest state", () => call.messages.at(-1)!.order_book.bids[0].quantity === changes);
    }
    await change(rig, 1, changes);
    for (const call of calls) {
      await until("the next state", () => call.messages.at(-1)!.order_book.bids[0].quantity === changes + 1);
    }
    for (const call of calls) call.cancel();
    healthy.cancel();
    await assertEmpty();
  }, { config: { max_queue_bytes: 1_048_576 } }));

Deno.test("grpc slow client: a book larger than the whole queue is told all the same", () =>
  withGrpc(async ({ hub, connect, assertEmpty }) => {
    const bids = Array.from({ length: 5_000 }, (_, i) => [9_999.5 - i, 1.25] as const);
    hub.sync("AAA", bids, [[10_000, 1]]);
    const client = connect();
    const calls = [1, 2, 3].map(() => client.call(BOOK, { symbol: "AAA", depth: 5_000 }));
    for (const call of calls) assert.equal((await call.received(1)).order_book.bids.length, 5_000);
    hub.change("AAA", [[9_999.5, 7]], []);
    for (const call of calls) assert.equal((await call.received(2)).order_book.bids[0].quantity, 7);
    assert.equal((await client.ask("GetOrderBook", { symbol: "AAA", depth: 5_000 })).bids.length, 5_000);
    for (const call of calls) call.cancel();
    await assertEmpty();
  }, { config: { max_queue_bytes: 65_536 } }));

Deno.test("grpc slow client: trades are never dropped in silence, the stream ends and says why", () =>
  withGrpc(async ({ hub, server, connect, assertEmpty }) => {
    hub.add("AAA");
    const client = connect();
    const call = client.call("SubscribeToTrades", { symbol: "AAA" });
    await until("headers", () => call.http_status === 200);
    call.stream.pause();
    for (let id = 1; id <= 100_000 && server.metrics.slow.value === 0; id++) {
      hub.trade("AAA", id);
      if (id % 100 === 0) await nextTurn();
    }
    assert.equal(server.metrics.slow.value, 1);
    call.stream.resume();
    const status = await call.ended;
    assert.equal(status.code, 8);
    assert.match(status.message, /want it to read faster/);
    const ids = call.messages.map(({ trade }) => trade.id);
    assert.deepEqual(ids, ids.map((_, i) => i + 1), "a gap before the end");
    await assertEmpty();
  }, { config: { max_queue_bytes: 131_072 } }));

Deno.test("grpc slow client: one that never reads again loses its call by reset, with all that it held", async () => {
  const clock = new ManualClock();
  await withGrpc(async (rig) => {
    const { hub, server, connect, assertEmpty } = rig;
    hub.sync("AAA", LEVELS, []);
    const client = connect();
    const call = client.call(BOOK, { symbol: "AAA", depth: 500 }, { "grpc-timeout": "10S" });
    await call.received(1);
    call.stream.pause();
    await change(rig, 500);
    const [held] = server.clients.all;
    await until("something to wait", () => held.queued_bytes > 0);
    clock.advance(10_000);
    await nextTurn();
    assert.equal(server.calls, 1, "the deadline is told behind what waits");
    clock.advance(5_000);
    await assertEmpty();
    assert.equal(held.queued_bytes, 0);
    call.stream.resume();
    await call.ended;
    assert.equal(call.rst_code, 8);
  }, { clock });
  assert.equal(clock.pending, 0);
});

Deno.test("grpc slow client: a connection that answers no ping, or has nothing to do, is ended", async () => {
  const clock = new ManualClock();
  await withGrpc(async ({ hub, server, connect }) => {
    hub.sync("AAA", [[1, 1]], [[2, 1]]);
    const call = connect().call(BOOK, { symbol: "AAA" });
    await call.received(1);
    const [connection] = server.listener.connections;
    for (let i = 0; i < 3; i++) {
      clock.advance(20_000);
      assert.ok(connection.awaits_pong);
      await until("the pong", () => !connection.awaits_pong);
    }
    connection.tap.socket.removeAllListeners("data");
    clock.advance(40_000);
    assert.equal(server.listener.connections.size, 0, "it answers no more");
    await call.ended;
    const idle = connect();
    await idle.ask("GetOrderBook", { symbol: "AAA" });
    const [other] = server.listener.connections;
    for (let i = 0; i < 30; i++) {
      clock.advance(20_000);
      await until("the pong", () => !other.awaits_pong);
    }
    await until("the idle one to be gone", () => server.listener.connections.size === 0);
  }, { clock });
  assert.equal(clock.pending, 0);
});

Deno.test("grpc slow client: a flood of frames that carry nothing ends the connection", () =>
  withGrpc(async ({ server, address }) => {
    const [host, port] = address.split(":");
    const socket = connect(Number(port), host);
    socket.on("error", () => {});
    socket.resume();
    const settings = new Uint8Array(9).with(3, 4);
    const ping = new Uint8Array(17).with(2, 8).with(3, 6);
    socket.write("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    socket.write(settings);
    await until("the connection", () => server.listener.connections.size === 1);
    const closed = new Promise((resolve) => socket.once("close", resolve));
    let pings = 0;
    while (!socket.destroyed && pings < 50_000) {
      socket.write(Buffer.concat(Array.from({ length: 100 }, () => ping)));
      pings += 100;
      await nextTurn();
    }
    await closed;
    assert.ok(pings < 50_000);
    await until("its end", () => server.listener.connections.size === 0);
  }));
