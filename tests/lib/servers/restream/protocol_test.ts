import assert from "node:assert/strict";
import net from "node:net";
import type { Buffer } from "node:buffer";
import { once } from "node:events";
// @ts-types="@types/ws"
import { WebSocket } from "ws";
import type { Server } from "../../../../lib/servers/server.ts";
import { originAllowed } from "../../../../lib/servers/access/origin.ts";
import { readRequest } from "../../../../lib/servers/restream/protocol.ts";
import { type Message, TestClient, withServer } from "./test_client.ts";

const WRONG: [text: string, code: string, says: RegExp][] = [
  ["", "bad_json", /not JSON/],
  ["{", "bad_json", /not JSON/],
  ["[1]", "bad_request", /want a JSON object/],
  ["null", "bad_request", /want a JSON object/],
  ["{}", "unknown_type", /want subscribe, unsubscribe, list, ping or auth/],
  ['{"type":"Subscribe"}', "unknown_type", /"Subscribe"/],
  ['{"type":"subscribe","channel":"book"}', "bad_request", /"symbol"/],
  ['{"type":"subscribe","symbol":7,"channel":"book"}', "bad_request", /"symbol": "7"/],
  ['{"type":"subscribe","symbol":"AAA"}', "unknown_channel", /want one of book, trades, bbo, ticker, status/],
  ['{"type":"subscribe","symbol":"AAA","channel":"depth"}', "unknown_channel", /"depth"/],
  ['{"type":"subscribe","symbol":"AAA","channel":"book","depth":7}', "bad_request", /want one of 1, 5, 10/],
  [
    '{"type":"subscribe","symbol":"AAA","channel":"orders","interval_ms":100}',
    "bad_request",
    /channel "orders" has none/,
  ],
  ['{"type":"subscribe","symbol":"AAA","channel":"orders","depth":3}', "bad_request", /want one of 1, 5/],
  ['{"type":"subscribe","symbol":"AAA","channel":"bbo","depth":5}', "bad_request", /with book, orders only/],
  ['{"type":"subscribe","symbol":"AAA","channel":"book","venue":9}', "bad_request", /"venue"/],
  [
    '{"type":"subscribe","symbol":"NOPE","channel":"book"}',
    "unknown_symbol",
    /want one of AAA, BBB, or "\*"/,
  ],
  ['{"type":"subscribe","symbol":"AAA","channel":"book","venue":"x"}', "unknown_symbol", /venue "x"/],
  ['{"type":"unsubscribe","symbol":"AAA","channel":"book"}', "not_subscribed", /not subscribed/],
  ['{"type":"ping","id":{}}', "bad_request", /"id"/],
  [`{"type":"ping","id":"${"x".repeat(65)}"}`, "bad_request", /"id"/],
];

Deno.test("protocol: each wrong message gets its coded error and the connection lives on", () =>
  withServer(async (server, hub, clock) => {
    hub.sync("AAA", [[1, 1]], [[2, 1]]);
    hub.sync("BBB", [[1, 1]], [[2, 1]]);
    await using client = await TestClient.connect(server);
    for (const [text, code, says] of WRONG) {
      client.send(text);
      const error = await client.next("error");
      assert.equal(error.code, code, text);
      assert.match(error.message, says);
      clock.advance(1_000);
    }
    client.send('{"type":"subscribe","symbol":"NOPE","channel":"book","id":"q"}');
    assert.equal((await client.next("error")).id, "q");
    assert.equal((await client.ask({ type: "ping" })).type, "pong");
  }, { heartbeat_ms: 300_000 }));

Deno.test("protocol: unknown symbol names at most twenty", () =>
  withServer(async (server, hub) => {
    for (let i = 0; i < 25; i++) hub.add(`S${i}`);
    await using client = await TestClient.connect(server);
    const error = await client.ask({ type: "subscribe", symbol: "X", channel: "trades" });
    assert.match(error.message, /S19 and 5 more/);
    assert.ok(!error.message.includes("S20"));
  }));

Deno.test("protocol: what a venue forbids to hand on is refused, not listed and not part of all", () =>
  withServer(async (server, hub) => {
    hub.sync("AAA", [[1, 1]], [[2, 1]]);
    for (const symbol of ["AAA", "SECRET"]) hub.add(symbol, "closed").withheld = "its terms forbid it";
    hub.sync("AAA", [[1, 1]], [[2, 1]], 100, "closed");
    await using client = await TestClient.connect(server);
    const refused = { type: "subscribe", symbol: "SECRET", channel: "trades", id: 7 };
    const { code, message, id } = await client.ask(refused);
    assert.deepEqual([code, id], ["not_for_clients", 7]);
    assert.equal(
      message,
      'subscribe to "SECRET" of venue "closed": not handed to clients, its terms forbid it',
    );
    assert.equal(
      (await client.ask({ type: "subscribe", symbol: "AAA", channel: "book", venue: "closed" })).code,
      "not_for_clients",
    );
    const unknown = await client.ask({ type: "subscribe", symbol: "NOPE", channel: "trades" });
    assert.match(unknown.message, /want one of AAA, or/);
    for (const symbol of ["AAA", "*"]) {
      const { instruments } = await client.ask({ type: "subscribe", symbol, channel: "trades" });
      assert.deepEqual(instruments.map(({ venue, symbol }: Message) => `${venue} ${symbol}`), ["mock AAA"]);
    }
    hub.trade("SECRET", 1, 100, 1, "closed");
    hub.trade("AAA", 2, 100, 1, "closed");
    hub.trade("AAA", 3);
    hub.flush();
    assert.equal((await client.next("trade")).trade_id, 3, "an update admits nobody to what is withheld");
  }));

Deno.test("protocol: reading never throws and keeps ids as they came", () => {
  for (const id of [0, -1.5, "", "x".repeat(64)]) {
    assert.deepEqual(readRequest(JSON.stringify({ type: "ping", id })), { request: { type: "ping", id } });
  }
  assert.deepEqual(readRequest('{"type":"subscribe","symbol":"*","channel":"book","depth":null,"new":1}'), {
    request: {
      type: "subscribe",
      id: undefined,
      symbol: "*",
      channel: "book",
      venue: undefined,
      interval: undefined,
      depth: undefined,
      interval_ms: undefined,
      resume: undefined,
    },
  });
});

Deno.test("protocol: limits on subscriptions, requests and errors", () =>
  withServer(async (server, hub, clock) => {
    for (const symbol of ["AAA", "BBB", "CCC"]) hub.sync(symbol, [[1, 1]], [[2, 1]]);
    await using client = await TestClient.connect(server);
    const all = await client.ask({ type: "subscribe", symbol: "*", channel: "book" });
    assert.equal(all.code, "too_many_subscriptions");
    await client.ask({ type: "subscribe", symbol: "AAA", channel: "book" });
    await client.ask({ type: "subscribe", symbol: "BBB", channel: "book" });
    assert.equal(
      (await client.ask({ type: "subscribe", symbol: "AAA", channel: "book", depth: 1 })).type,
      "subscribed",
    );
    assert.equal(
      (await client.ask({ type: "subscribe", symbol: "AAA", channel: "bbo" })).code,
      "too_many_subscriptions",
    );
    // Four seconds' worth at once, then no more until time goes on.
    clock.advance(60_000);
    for (let i = 0; i < 9; i++) client.send({ type: "ping", id: i });
    assert.equal((await client.next("error", (error) => error.code === "rate_limited")).type, "error");
    assert.equal(client.messages.filter((message) => message.type === "pong").length, 8);
    clock.advance(1_000);
    assert.equal((await client.ask({ type: "ping" })).type, "pong");
    for (let i = 0; i < 40; i++) client.send("nonsense");
    await client.end();
    assert.equal(client.closed!.code, 1008);
  }, { max_subscriptions: 2, max_requests_per_second: 2, heartbeat_ms: 300_000 }));

/** A raw client frame, masked with zeros. */
function frame(first_byte: number, payload: Uint8Array): Uint8Array {
  const long = payload.length > 125;
  const head = long
    ? [first_byte, 0x80 | 127, 0, 0, 0, 0, ...[24, 16, 8, 0].map((shift) => (payload.length >>> shift) & 255)]
    : [first_byte, 0x80 | payload.length];
  return Uint8Array.from([...head, 0, 0, 0, 0, ...payload]);
}

async function rawConnect(
  server: Server,
  headers = "",
  path = "/",
): Promise<{ socket: net.Socket; head: string }> {
  const [host, port] = server.address.split(":");
  const socket = net.connect(Number(port), host);
  socket.on("error", () => {});
  socket.write(
    `GET ${path} HTTP/1.1\r\nHost: ${server.address}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n` +
      `Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n${headers}\r\n`,
  );
  const [head] = await once(socket, "data");
  return { socket, head: head.toString("latin1") };
}

/** Sends bytes and reads until the close frame; its code. */
async function closeCodeAfter(server: Server, ...frames: Uint8Array[]): Promise<number> {
  const { socket, head } = await rawConnect(server);
  assert.match(head, /^HTTP\/1\.1 101 /);
  const parts: Uint8Array[] = [];
  const from_head = head.indexOf("\r\n\r\n") + 4;
  parts.push(Uint8Array.from(head.slice(from_head), (char) => char.charCodeAt(0)));
  socket.on("data", (part: Uint8Array) => parts.push(part));
  for (const one of frames) socket.write(one);
  await once(socket, "close");
  const all = Uint8Array.from(parts.flatMap((part) => [...part]));
  let at = 0;
  while (at < all.length) {
    const opcode = all[at] & 15;
    let length = all[at + 1] & 127;
    at += 2;
    if (length === 126) {
      length = all[at] * 256 + all[at + 1];
      at += 2;
    }
    if (opcode === 8) return all[at] * 256 + all[at + 1];
    at += length;
  }
  throw new Error("closed without a close frame");
}

const text = (value: string) => new TextEncoder().encode(value);

Deno.test("protocol: hostile frames are closed with the right code, the others live on", () =>
  withServer(async (server) => {
    await using witness = await TestClient.connect(server);
    const cases: [string, number, Uint8Array[]][] = [
      ["binary", 1003, [frame(0x82, text("{}"))]],
      ["bad UTF-8", 1007, [frame(0x81, Uint8Array.of(0xc3, 0x28))]],
      ["oversized", 1009, [frame(0x81, new Uint8Array(65_537).fill(32))]],
      ["unmasked", 1002, [Uint8Array.of(0x81, 2, 123, 125)]],
      ["reserved bit", 1002, [frame(0xc1, text("{}"))]],
      ["reserved opcode", 1002, [frame(0x83, text("{}"))]],
      ["long ping", 1002, [Uint8Array.of(0x89, 0x80 | 126, 0, 200, 0, 0, 0, 0)]],
      ["lone continuation", 1002, [frame(0x80, text("{}"))]],
      ["too many fragments", 1008, [
        frame(0x01, text(" ")),
        ...Array.from({ length: 100 }, () => frame(0x00, text(" "))),
      ]],
    ];
    for (const [name, code, frames] of cases) {
      assert.equal(await closeCodeAfter(server, ...frames), code, name);
    }
    assert.equal((await witness.ask({ type: "ping" })).type, "pong");
  }, { heartbeat_ms: 300_000 }));

Deno.test("protocol: a fragmented request with a ping inside is understood; the ping is answered", () =>
  withServer(async (server) => {
    const { socket } = await rawConnect(server);
    let got = "";
    socket.on("data", (part: Buffer) => got += part.toString("latin1"));
    socket.write(frame(0x01, text('{"type":"pi')));
    socket.write(frame(0x89, text("mark")));
    socket.write(frame(0x80, text('ng","id":"whole"}')));
    while (!got.includes("whole")) await once(socket, "data");
    assert.ok(got.includes("\x8a\x04mark"));
    socket.destroy();
    await once(socket, "close");
  }));

Deno.test("protocol: a flood of pings from a client that does not read ends with 1008, one pong queued at most", () =>
  withServer(async (server, hub) => {
    await using witness = await TestClient.connect(server);
    const { socket } = await rawConnect(server);
    socket.pause();
    const flood = new Uint8Array(Array.from({ length: 60_000 }, () => [...frame(0x89, text("x"))]).flat());
    socket.write(flood);
    const closes = hub.metrics.counter("mdg_websocket_closes_total", "", ["reason"]).with("flood");
    socket.resume();
    await once(socket, "close");
    while (closes.value === 0) await witness.ask({ type: "ping" });
    assert.equal(closes.value, 1);
    assert.equal(witness.closed, undefined);
  }, { heartbeat_ms: 300_000, max_requests_per_second: 10_000 }));

Deno.test("handshake: path, origin, capacity and plain HTTP are refused in words", () =>
  withServer(async (server) => {
    const bad_path = await rawConnect(server, "", "/other");
    assert.match(bad_path.head, /^HTTP\/1\.1 404 /);
    const bad_origin = await rawConnect(server, "Origin: https://evil.example\r\n");
    assert.match(bad_origin.head, /^HTTP\/1\.1 403 [\s\S]*not allowed/);
    const listed = await rawConnect(server, "Origin: https://desk.example\r\n");
    assert.match(listed.head, /^HTTP\/1\.1 101 /);
    const full = await rawConnect(server);
    assert.match(full.head, /^HTTP\/1\.1 503 [\s\S]*retry-after: 5/i);
    for (const { socket } of [bad_path, bad_origin, listed, full]) {
      if (socket.closed) continue;
      socket.destroy();
      await once(socket, "close");
    }
    const http = `http://${server.address}`;
    const plain = await fetch(http);
    assert.equal(plain.status, 426);
    assert.equal((await plain.json()).error.code, "no_upgrade");
    const lost = await fetch(`${http}/x`);
    assert.equal(lost.status, 404);
    await lost.body?.cancel();
  }, { max_clients: 1, allowed_origins: ["https://desk.example"] }));

Deno.test("handshake: of the subprotocols that both know the client's first is taken", () =>
  withServer(async (server) => {
    const [json, binary] = ["mdg.v1.json", "mdg.v1.binary"];
    for (const offered of [[binary, json], [json, binary], ["x", binary]]) {
      const want = offered[0] === json ? json : binary;
      const ws = new WebSocket(server.url, offered);
      await using client = new TestClient(ws);
      await client.next("hello");
      assert.equal(ws.protocol, want);
    }
  }));

Deno.test("handshake: origins of this machine pass, look-alikes do not", () => {
  for (const good of ["http://localhost:9090", "http://127.0.0.1", "https://[::1]:3000"]) {
    assert.ok(originAllowed(good, [], true), good);
  }
  for (
    const bad of [
      "null",
      "",
      "http://localhost.evil.example",
      "http://127.0.0.1.evil.example",
      "file://localhost",
      "x",
    ]
  ) assert.ok(!originAllowed(bad, [], true), bad);
});
