/** What the conformance suite cannot see: exact timing, identical bytes, bounds, and the end. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { request } from "node:http";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import { UserError } from "../../../../lib/base/errors.ts";
import { nextTurn } from "../../../../lib/base/clock.ts";
import type { DepthServer } from "../../../../lib/servers/depth/depth_server.ts";
import { DepthReader, type Message, until, withDepthServer } from "./depth_reader.ts";

async function getJson(url: string): Promise<{ status: number; body: Message }> {
  const [response] = await once(request(url).end(), "response");
  let text = "";
  for await (const part of response) text += part;
  return { status: response.statusCode, body: JSON.parse(text) };
}

/** One client with several streams over some intervals; every text it got. */
async function recording(seed: string, intervals: readonly number[], compression = false): Promise<string[]> {
  let texts: string[] = [];
  await withDepthServer(async (server, clock) => {
    const reader = await DepthReader.connect(server);
    await reader.subscribe("a", "BTCUSD", "MBP");
    await reader.subscribe("b", "BTCUSD", "MBO", { max_levels: 1_000 });
    await reader.subscribe("c", "ETHUSD", "MBO", { delta: true });
    for (const count of intervals) {
      const before = reader.texts.length;
      clock.advance(300 * count);
      // a timer that fires late publishes once, with the newest books
      await reader.received(before + 3 * count);
    }
    texts = reader.texts;
    reader.ws.close();
    await reader.end();
  }, { seed, compression });
  return texts;
}

Deno.test("same seed and start, same bytes; another seed, other bytes; compression changes none", async () => {
  const one = await recording("7", [1, 1, 1, 1]);
  assert.deepEqual(await recording("7", [2, 1, 1]), one);
  assert.deepEqual(await recording("7", [1, 3], true), one);
  const other = await recording("8", [1, 1, 1, 1]);
  assert.notDeepEqual(other, one);
  assert.ok(one.some((text) => text.includes('"MBO_DELTA"')));
});

Deno.test("one message per interval and stream, on the grid of the start, a late timer makes no flood", () =>
  withDepthServer(async (server, clock) => {
    const reader = await DepthReader.connect(server);
    await reader.subscribe("s", "BTCUSD", "MBP");
    for (let i = 0; i < 3; i++) {
      const count = reader.texts.length + 1;
      clock.advance(300);
      await reader.received(count);
    }
    const data = reader.messages.filter(({ type }) => type === "MarketData");
    assert.deepEqual(data.map(({ sequence }) => sequence), [1, 2, 3, 4]);
    assert.deepEqual(data.map(({ timestamp }) => timestamp), [
      "2024-08-08T12:00:00.000000Z",
      "2024-08-08T12:00:00.300000Z",
      "2024-08-08T12:00:00.600000Z",
      "2024-08-08T12:00:00.900000Z",
    ]);
    assert.deepEqual(Object.keys(data[0]), [
      "type",
      "stream_id",
      "symbol",
      "sequence",
      "timestamp",
      "data",
    ]);
    assert.equal(data[0].data.bids.length, 20, "20 levels where max_levels is absent");
  }));

Deno.test("a reader that stops misses whole books, is told how many, and is closed with 4008 in the end", () =>
  withDepthServer(async (server, clock) => {
    const slow = await DepthReader.connect(server);
    const healthy = await DepthReader.connect(server);
    await healthy.subscribe("h", "BTCUSD", "MBP");
    for (const id of ["1", "2", "3", "4"]) {
      await slow.subscribe(id, "BTCUSD", "MBO", { max_levels: 1_000, delta: id === "4" });
    }
    slow.ws.pause();
    const sum = () =>
      server.health() as { streams: number; skipped: number; waiting_bytes: number; closes: Message };
    let most_bytes = 0;
    const tick = async () => {
      const count = healthy.texts.length + 1;
      clock.advance(20);
      await healthy.received(count);
      await nextTurn();
      most_bytes = Math.max(most_bytes, sum().waiting_bytes);
    };
    for (let i = 0; i < 2_000 && sum().skipped < 300; i++) await tick();
    assert.ok(sum().skipped >= 300, "the kernel's buffers filled and books were left out");
    assert.ok(most_bytes <= 262_144 * 2, `at most the data of one interval waits: ${most_bytes}`);

    // It reads again in time: the next book says what was missed, sequences have no hole.
    slow.ws.resume();
    const told = () => new Set(slow.messages.filter(({ skipped }) => skipped > 0).map((m) => m.stream_id));
    for (let i = 0; i < 400 && told().size < 4; i++) await tick();
    assert.equal(told().size, 4, "every stream was told");
    for (const id of ["1", "2", "3", "4"]) {
      const data = slow.messages.filter((m) => m.type === "MarketData" && m.stream_id === id);
      data.forEach((message, i) => assert.equal(message.sequence, i + 1));
      const after = data.find((message) => message.skipped > 0)!;
      assert.equal(after.data.format, "MBO", "a whole book after a hole, also where changes were asked for");
    }
    // Every publication was either sent or told as skipped.
    const last = slow.messages.filter((m) => m.stream_id === "1" && m.type === "MarketData");
    const published = healthy.messages.filter((m) => m.type === "MarketData");
    const at = published.findIndex(({ timestamp }) => timestamp === last.at(-1)!.timestamp);
    const skipped = last.reduce((sum, { skipped = 0 }) => sum + skipped, 0);
    assert.equal(last.length + skipped, at + 1);

    // It stops for good: its streams end at once, the close waits behind what it did not read.
    slow.ws.pause();
    for (let i = 0; i < 3_000 && sum().streams > 1; i++) await tick();
    assert.equal(sum().streams, 1);
    slow.ws.resume();
    assert.equal((await slow.end()).code, 4008);
    await until(() => sum().closes.slow === 1);
    assert.equal(healthy.closed, undefined);
    healthy.ws.close();
    await healthy.end();
  }, { interval_ms: 20, rate_per_s: 2_000, heartbeat_ms: 1_000_000 }));

Deno.test("who answers no ping is closed with 4008, who answers stays", () =>
  withDepthServer(async (server, clock) => {
    const deaf = await DepthReader.connect(server, { autoPong: false });
    const alive = await DepthReader.connect(server);
    for (let beats = 1; beats <= 4; beats++) {
      clock.advance(1_000);
      if (beats <= 3) await deaf.pinged(beats);
      await alive.pinged(beats);
      // its pong must have come in before the next beat counts
      alive.send({ type: "Ping", timestamp: beats });
      await alive.received(beats * 2);
    }
    const { code, reason } = await deaf.end();
    assert.equal(code, 4008);
    assert.match(reason, /slow reader/);
    assert.equal(alive.closed, undefined);
    assert.deepEqual(alive.messages[0], { type: "HeartBeat", timestamp: "2024-08-08T12:00:01.000000Z" });
    alive.ws.close();
    await alive.end();
  }, { heartbeat_ms: 1_000, interval_ms: 60_000 }));

Deno.test("the end: every client is told with 1001, the port is free", async () => {
  let readers: DepthReader[] = [];
  let where = "";
  await withDepthServer(async (server) => {
    where = server.address;
    readers = await Promise.all([DepthReader.connect(server), DepthReader.connect(server)]);
    await readers[0].subscribe("s", "BTCUSD", "MBP");
  });
  for (const reader of readers) assert.deepEqual((await reader.end()).code, 1001);
  await withDepthServer((server) => {
    assert.equal(server.address, where);
    return Promise.resolve();
  }, { listen: where });
});

Deno.test("more than max_clients get 503 with the reason, other paths 404, pages of any origin are welcome", () =>
  withDepthServer(async (server) => {
    const one = await DepthReader.connect(server, { origin: "null" });
    const two = await DepthReader.connect(server, { origin: "https://example.org" });
    const refused = new WebSocket(server.url);
    refused.on("error", () => {});
    const [, response] = await once(refused, "unexpected-response");
    assert.equal(response.statusCode, 503);
    response.destroy();
    const { status, body } = await getJson(server.health_url);
    assert.equal(status, 200);
    assert.equal(body.status, "healthy");
    assert.equal(body.version, "1.2.3");
    assert.equal(body.clients, 2);
    assert.equal(body.refused, 1);
    assert.deepEqual(body.symbols.map(({ symbol }: Message) => symbol), ["BTCUSD", "ETHUSD"]);
    assert.equal((await getJson(`http://${server.address}/nothing`)).status, 404);
    assert.equal((await getJson(`http://${server.address}/`)).status, 426);
    for (const reader of [one, two]) {
      reader.ws.close();
      await reader.end();
    }
  }, { max_clients: 2 }));

Deno.test("256 streams on one connection, the next is refused, all of them get their books", () =>
  withDepthServer(async (server, clock) => {
    const reader = await DepthReader.connect(server);
    for (let i = 0; i < 257; i++) {
      const [symbol, data_type] = [i % 2 ? "BTCUSD" : "ETHUSD", "MBP"];
      reader.send({ type: "Subscribe", stream_id: `s${i}`, symbol, data_type, max_levels: 1 + i % 3 });
    }
    await reader.received(256 * 2 + 1);
    const error = reader.messages.find(({ type }) => type === "Error")!;
    assert.equal(error.code, 429);
    assert.equal(error.stream_id, "s256");
    clock.advance(300);
    await reader.received(256 * 3 + 1);
    const second = reader.messages.filter(({ sequence }) => sequence === 2);
    assert.equal(new Set(second.map(({ stream_id }) => stream_id)).size, 256);
    reader.ws.close();
    await reader.end();
    await until(() => (server.health() as Message).streams === 0);
  }));

Deno.test("trades beyond the newest 1,000 of an interval are counted in the message", () =>
  withDepthServer(async (server, clock) => {
    const reader = await DepthReader.connect(server);
    await reader.subscribe("t", "BTCUSD", "TRADES");
    clock.advance(5_000);
    await reader.received(2);
    const [, first] = reader.messages;
    const { trades } = first.data;
    assert.equal(trades.length, 1_000);
    assert.equal(trades[0].trade_id - first.skipped, firstTradeId(server, trades.at(-1).trade_id, first));
    assert.ok(first.skipped > 0);
    reader.ws.close();
    await reader.end();
  }, { interval_ms: 5_000, rate_per_s: 20_000, heartbeat_ms: 1_000_000 }));

/** The id after the opening's last trade: what the newest id says when all between were either sent or counted. */
function firstTradeId(server: DepthServer, newest_id: number, { data, skipped }: Message): number {
  const [symbol] = (server.health() as Message).symbols;
  assert.equal(symbol.trades, newest_id, "the newest is never the one that is dropped");
  return newest_id - data.trades.length - skipped + 1;
}

Deno.test("bad symbols, a taken address and a certificate that is none are told apart", async () => {
  await assert.rejects(withDepthServer(() => Promise.resolve(), { symbols: ["?"] }), /simulate symbol "\?"/);
  await assert.rejects(
    withDepthServer(() => Promise.resolve(), { tls: { cert: "none", key: "none" } }),
    /use the TLS certificate: cannot be read, want PEM/,
  );
  await withDepthServer((server) =>
    assert.rejects(withDepthServer(() => Promise.resolve(), { listen: server.address }), (error) => {
      assert.ok(error instanceof UserError);
      assert.match(error.message, /address in use/);
      return error.hint === "choose another address with --addr, port 0 picks a free one";
    })
  );
});
