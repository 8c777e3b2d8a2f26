/**
 * A connection against a real WebSocket server that answers as told: greetings before subscriptions, one key a message,
 * acknowledgements by id, by stream and by order, keep-alives, replies, and the session that an acknowledgement gives.
 */
import assert from "node:assert/strict";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
// @ts-types="@types/ws"
import { type WebSocket, WebSocketServer } from "ws";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { binanceSpot } from "../../../../lib/feeds/binance/spot.ts";
import type { Feed, StreamName } from "../../../../lib/feeds/feed.ts";
import { Connection, type ConnectionOwner } from "../../../../lib/sources/live/connection.ts";

const stream = (symbol: string, channel: StreamName["channel"]): StreamName => ({
  route: "r",
  stream: `${symbol}@${channel}`,
  symbol,
  channel,
});
const STREAMS = [stream("A", "book"), stream("B", "book"), stream("A", "trades")];

/** Writes plain words, so that a test reads what was said. */
const feed: Feed = {
  ...binanceSpot,
  name: "test",
  messageKey: ({ channel }) => channel,
  subscribe: (streams, id, { token, session_id }) =>
    `on ${id} ${token} ${session_id} ${streams.map((one) => one.stream)}`,
  unsubscribe: (streams, id) => `off ${id} ${streams.map((one) => one.stream)}`,
  greeting: ({ token }) => [`hello ${token}`],
  keep_alive: { every_ms: 15_000, frame: (_session, streams) => `alive ${streams.length}` },
};

interface Bench {
  clock: ManualClock;
  connection: Connection;
  /** What the owner was told of subscriptions. */
  news: string[];
  /** The next text that the venue received; lets the clock run until it is there. */
  heard(): Promise<string>;
}

/** Opens a connection to a server of its own, runs `body`, closes both. */
async function withConnection(of: Feed, body: (bench: Bench) => Promise<void>): Promise<void> {
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1" });
  await once(server, "listening");
  const clock = new ManualClock(1_793_628_600_000);
  const texts: string[] = [];
  let arrived = () => {};
  server.on("connection", (socket: WebSocket) =>
    socket.on("message", (data) => {
      texts.push(data.toString());
      arrived();
    }));
  const news: string[] = [];
  const opened = Promise.withResolvers<void>();
  const down = Promise.withResolvers<string>();
  const owner: ConnectionOwner = {
    frame() {},
    opened: () => opened.resolve(),
    down: (_connection, reason) => down.resolve(reason),
    subscription: (streams, { action, state }) =>
      news.push(`${action} ${state} ${streams.map((one) => one.stream)}`),
  };
  const connection = new Connection(
    {
      id: "test#1",
      url: `ws://127.0.0.1:${(server.address() as AddressInfo).port}`,
      feed: of,
      limits: { ...of.limits, max_streams_per_message: 2 },
      clock,
      log: silentLog,
      compression: false,
      token: "T",
    },
    STREAMS,
    owner,
  );
  await opened.promise;
  const heard = async () => {
    while (texts.length === 0) {
      const next = new Promise<void>((resolve) => arrived = resolve);
      clock.advance(1_000);
      await next;
    }
    return texts.shift()!;
  };
  try {
    await body({ clock, connection, news, heard });
  } finally {
    connection.close("the test is over");
    await down.promise;
    await new Promise((resolve) => server.close(resolve));
  }
}

Deno.test("connection: greets first, keeps keys apart, settles by id, by stream and by order", () =>
  withConnection(feed, async ({ connection, news, heard }) => {
    const said = [await heard(), await heard(), await heard()];
    assert.deepEqual(said, ["hello T", "on 1 T undefined A@book,B@book", "on 2 T undefined A@trades"]);
    assert.ok(!connection.subscribed);
    connection.acknowledged({ kind: "ack", streams: ["B@book"] });
    assert.ok(!connection.subscribed, "A@book still waits");
    connection.acknowledged({ kind: "ack", id: 99, streams: ["A@book"], session_id: 42 });
    connection.acknowledged({ kind: "ack", id: 77 });
    assert.ok(!connection.subscribed, "an id that nobody sent settles nothing");
    connection.acknowledged({ kind: "ack" });
    assert.ok(connection.subscribed, "without id and names the oldest is meant");
    assert.deepEqual(news.splice(0), [
      "subscribe requested A@book,B@book",
      "subscribe requested A@trades",
      "subscribe acknowledged B@book",
      "subscribe acknowledged A@book",
      "subscribe acknowledged A@trades",
    ]);
    connection.subscribe([stream("C", "quote")]);
    assert.equal(await heard(), "on 3 T 42 C@quote");
    connection.acknowledged({ kind: "ack", id: 3, error: "no such symbol" });
    assert.ok(connection.subscribed);
    assert.deepEqual(news, ["subscribe requested C@quote", "subscribe refused C@quote"]);
  }));

Deno.test("connection: keeps the line alive and answers when the venue asks", () =>
  withConnection(feed, async ({ clock, connection, heard }) => {
    for (let i = 0; i < 3; i++) await heard();
    clock.advance(13_000);
    assert.equal(await heard(), "alive 3");
    connection.say("pong");
    assert.equal(await heard(), "pong");
  }));

Deno.test("connection: a venue that acknowledges nothing is subscribed once it was told", () =>
  withConnection({ ...feed, silent_subscriptions: true }, async ({ connection, heard }) => {
    for (let i = 0; i < 3; i++) await heard();
    assert.ok(connection.subscribed);
  }));
