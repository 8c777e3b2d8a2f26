/** The client against everything that a server and a network may do to it. */
import assert from "node:assert/strict";
import { systemClock } from "../../../lib/base/clock.ts";
import { until } from "../../end_to_end/until.ts";
import { BinaryWriter } from "./binary_writer.ts";
import { delta, HEAD, HELLO, ScriptedServer, snapshot, trade, WatchedClient } from "./scripted_server.ts";

const BOOK = { ...HEAD, channel: "book" } as const;
const TRADES = { ...HEAD, channel: "trades" } as const;

Deno.test("a book follows; lag and out of sync are told, and it is not used until the next snapshot", async () => {
  await using server = await ScriptedServer.open();
  server.onSubscribe = () => [snapshot(1, [[100, 1]], [[101, 1]])];
  using watched = new WatchedClient({ urls: [server.url] });
  assert.equal(watched.client.notReady(), "not connected yet");
  watched.client.subscribe(BOOK);
  assert.deepEqual(await watched.saw("snapshot 1"), ["up 0", "snapshot 1"]);
  assert.equal(watched.client.notReady(), undefined);
  server.say(delta(2, [[100, 0], [99.5, 4]]), delta(3, [], [[101, 7]]));
  await watched.saw("delta 3");
  assert.ok(watched.book?.in_sync);
  assert.deepEqual(watched.levels(), { bids: [[99.5, 4]], asks: [[101, 7]] });
  assert.equal(watched.book?.last_update_id, 30);
  server.say({ type: "lag", ...BOOK, skipped: 3, from_seq: 4, to_seq: 6 }, delta(7, [[1, 1]]));
  assert.deepEqual(await watched.saw("gap book 3 lag"), ["lost 3 lag", "gap book 3 lag"]);
  assert.equal(watched.book?.in_sync, false);
  server.say(snapshot(8, [[90, 1]], []));
  await watched.saw("snapshot 8");
  server.say({ type: "status", ...HEAD, in_sync: false, reason: "gap" }, delta(9, [[1, 1]]));
  assert.deepEqual(await watched.saw("lost 8 gap"), ["lost 8 gap"]);
  server.say({ type: "status", ...HEAD, in_sync: true, reason: "snapshot" });
  server.say(snapshot(20, [[80, 1]], [], { bid_bound: 80 }), delta(21, [[81, 2]]));
  assert.deepEqual(await watched.saw("delta 21"), ["snapshot 20", "delta 21"]);
  assert.deepEqual(watched.levels(), { bids: [[81, 2], [80, 1]], asks: [] });
  assert.equal(watched.book?.book?.bids.bound_key, 80);
});

Deno.test("cut off, it resumes: what was missed comes in order, and the book is right only once all of it is there", async () => {
  await using server = await ScriptedServer.open();
  server.onSubscribe = ({ channel, resume }) => {
    if (resume) return [];
    return channel === "book" ? [snapshot(5, [[100, 1]], [])] : [trade(40)];
  };
  using watched = new WatchedClient({ urls: [server.url] });
  watched.client.subscribe(BOOK);
  watched.client.subscribe(TRADES);
  await watched.saw("trade 40");
  server.cut();
  await until("the resumes", () => server.requests.filter(({ resume }) => resume).length === 2);
  assert.deepEqual(server.requests.slice(2).map(({ resume }) => resume), [
    { epoch: "e1", seq: 5 },
    { epoch: "e1", seq: 40 },
  ]);
  const first = await watched.saw("up 0");
  assert.equal(first[0], "lost 5 disconnected");
  server.say({ type: "resumed", ...BOOK, from_seq: 6, to_seq: 7 }, delta(6, [[100, 2]]));
  assert.deepEqual(await watched.saw("delta 6"), ["resumed 5", "delta 6"]);
  assert.deepEqual([watched.book?.in_sync, watched.book?.reason], [false, "replaying"]);
  server.say(delta(7, [[100, 3]]), delta(8, [[100, 4]]));
  await watched.saw("delta 8");
  assert.ok(watched.book?.in_sync);
  assert.deepEqual(watched.levels(), { bids: [[100, 4]], asks: [] });
  server.say(
    { type: "resumed", ...TRADES, from_seq: 41, to_seq: 42 },
    trade(41),
    trade(42),
    trade(42),
    trade(43),
  );
  assert.deepEqual(await watched.saw("trade 43"), ["trade 41", "trade 42", "trade 43"]);
  server.say(trade(46));
  assert.deepEqual(await watched.saw("trade 46"), ["gap trades 2 missed", "trade 46"]);
});

Deno.test("cut off in the middle of a replay, it resumes nothing from there; nothing missed is right at once", async () => {
  await using server = await ScriptedServer.open();
  server.onSubscribe = ({ resume }) =>
    resume ? [{ type: "resumed", ...BOOK, from_seq: resume.seq + 1, to_seq: resume.seq }] : [
      snapshot(5, [[100, 1]], []),
    ];
  using watched = new WatchedClient({ urls: [server.url] });
  watched.client.subscribe(BOOK);
  await watched.saw("snapshot 5");
  server.cut();
  await watched.saw("resumed 5");
  assert.ok(watched.book?.in_sync);
  server.onSubscribe = ({ resume }) =>
    resume ? [{ type: "resumed", ...BOOK, from_seq: 6, to_seq: 9 }, delta(6, [[100, 2]])] : [];
  server.cut();
  await watched.saw("delta 6");
  server.cut();
  await until("the next wish", () => server.subscriptions("book").length === 4);
  assert.equal(server.requests.at(-1)!.resume, undefined);
});

Deno.test("a book of another depth is never resumed from: its sequence is another", async () => {
  await using server = await ScriptedServer.open();
  server.onSubscribe = ({ depth }) => [snapshot(depth === 5 ? 5 : 900, [[100, 1]], [])];
  using watched = new WatchedClient({ urls: [server.url] });
  watched.client.subscribe({ ...BOOK, depth: 5 });
  await watched.saw("snapshot 5");
  server.cut();
  watched.client.subscribe({ ...BOOK, depth: 10 });
  await watched.saw("snapshot 900");
  assert.ok(server.requests.filter(({ depth }) => depth === 10).every(({ resume }) => resume === undefined));
  server.cut();
  await until("the resume", () => server.requests.at(-1)!.resume?.seq === 900);
});

Deno.test("tokens from files are trimmed; one that no header takes, and an address that is none, are told", async () => {
  await using server = await ScriptedServer.open();
  using trimmed = new WatchedClient({ urls: [server.url], token: "secret\n" });
  await trimmed.saw("up 0");
  assert.deepEqual(server.headers, ["Bearer secret"]);
  using broken = new WatchedClient({ urls: [server.url], token: "a\nb" });
  await broken.saw("down for now: the token is empty, or has characters that no header takes");
  using nowhere = new WatchedClient({ urls: ["nowhere"] });
  await until("the reason", () => nowhere.words.some((word) => /^down for now: .*nowhere|URL/.test(word)));
});

Deno.test("a server that starts anew: no resume, a fresh snapshot, and trades may be missing", async () => {
  await using server = await ScriptedServer.open();
  server.onSubscribe = ({ channel }) => channel === "book" ? [snapshot(5, [[100, 1]], [])] : [trade(40)];
  using watched = new WatchedClient({ urls: [server.url] });
  watched.client.subscribe(BOOK);
  watched.client.subscribe(TRADES);
  await watched.saw("trade 40");
  server.hello = { ...HELLO, epoch: "e2" };
  server.onSubscribe = ({ channel }) => channel === "book" ? [snapshot(1, [[50, 1]], [])] : [trade(3)];
  server.cut();
  const words = await watched.saw("trade 3");
  assert.deepEqual(words.slice(-4), ["gap trades undefined anew", "up 0", "snapshot 1", "trade 3"]);
  assert.ok(server.requests.every(({ resume }) => resume === undefined));
  assert.deepEqual(watched.levels(), { bids: [[50, 1]], asks: [] });
});

Deno.test("a sequence that does not follow, and what can't be read, make it reconnect; nothing of it is used", async () => {
  await using server = await ScriptedServer.open();
  server.onSubscribe = () => [snapshot(5, [[100, 1]], [])];
  using watched = new WatchedClient({ urls: [server.url] });
  watched.client.subscribe(BOOK);
  await watched.saw("snapshot 5");
  server.say(delta(7, [[100, 9]]), delta(6, [[100, 8]]));
  assert.deepEqual(await watched.saw("snapshot 5"), [
    "lost 5 sequence broken",
    "unreadable seq 7 of S follows 5",
    "down for now: unreadable message: seq 7 of S follows 5",
    "up 0",
    "snapshot 5",
  ]);
  assert.equal(server.requests.at(-1)!.resume, undefined, "a broken book is no base");
  server.sayText("{");
  await watched.saw("unreadable not JSON");
  await watched.saw("snapshot 5");
  server.say({ type: "resumed", ...BOOK, from_seq: 1, to_seq: 2 });
  await watched.saw("unreadable resumed from seq 1, want 6");
  await watched.saw("up 0");
  assert.ok(server.connections >= 4);
});

Deno.test("one server gone, the next in the list takes over; a refused connection is not waited for", async () => {
  await using first = await ScriptedServer.open();
  await using second = await ScriptedServer.open();
  first.onSubscribe = () => [snapshot(5, [[100, 1]], [])];
  second.hello = { ...HELLO, epoch: "other" };
  second.onSubscribe = () => [snapshot(77, [[101, 1]], [])];
  using watched = new WatchedClient({ urls: ["ws://127.0.0.1:1", first.url, second.url] });
  assert.equal(watched.client.url, "ws://127.0.0.1:1");
  watched.client.subscribe(BOOK);
  const words = await watched.saw("snapshot 5");
  assert.match(words[0], /^down for now: .*ECONNREFUSED|^down for now: .*refused/i);
  assert.equal(words.at(-2), "up 1");
  first.cut();
  await watched.saw("snapshot 77");
  assert.deepEqual(watched.levels(), { bids: [[101, 1]], asks: [] });
  assert.equal(watched.client.url, second.url);
});

Deno.test("terminal answers end it: 4501 and 4503, and 401 before the connection; 4504 and 503 do not", async () => {
  for (const code of [4501, 4502, 4503]) {
    await using server = await ScriptedServer.open();
    using watched = new WatchedClient({ urls: [server.url] });
    await watched.saw("up 0");
    server.close(code);
    await watched.saw(`down for good: closed: ${code}`);
  }
  for (const code of [4008, 4009, 4504, 1001]) {
    await using server = await ScriptedServer.open();
    using watched = new WatchedClient({ urls: [server.url] });
    await watched.saw("up 0");
    server.close(code);
    await watched.saw(`down for now: closed: ${code}`);
    await watched.saw("up 0");
  }
  await using server = await ScriptedServer.open();
  server.refuse = { status: 503 };
  using watched = new WatchedClient({ urls: [server.url] });
  await watched.saw("down for now: refused with HTTP status 503");
  server.refuse = { status: 401 };
  await watched.saw("down for good: refused with HTTP status 401");
});

Deno.test("a token that can be asked anew is: at the handshake, by message, and when it ends", async () => {
  await using server = await ScriptedServer.open();
  let tokens = 0;
  const token = () => Promise.resolve(`token-${++tokens}`);
  {
    using watched = new WatchedClient({ urls: [server.url], token });
    await watched.saw("up 0");
    assert.deepEqual(server.headers, ["Bearer token-1"]);
    server.say({ type: "notice", code: "expiring", ends_in_ms: 1_000 });
    await until("the renewal", () => server.requests.length === 1);
    assert.deepEqual(server.requests, [{ type: "auth", token: "token-2" }]);
    server.close(4502);
    await watched.saw("up 0");
    assert.equal(server.headers.at(-1), "Bearer token-3");
  }
  server.hello = { type: "hello", version: 1, auth: "required", auth_timeout_ms: 5_000 };
  using watched = new WatchedClient({ urls: [server.url], token, token_by: "message" });
  watched.client.subscribe(BOOK);
  await until("the token", () => server.requests.length === 2);
  assert.equal(server.headers.at(-1), undefined);
  assert.deepEqual(server.requests[1], { type: "auth", token: "token-4" });
  assert.match(watched.client.notReady()!, /not connected yet/);
  server.say({ type: "authenticated", tenant: "t", epoch: "e1", heartbeat_ms: 5_000 });
  await until("the wish", () => server.subscriptions("book").length === 1);
});

Deno.test("a server that wants a token from one who has none is left", async () => {
  await using server = await ScriptedServer.open();
  server.hello = { type: "hello", version: 1, auth: "required" };
  using watched = new WatchedClient({ urls: [server.url] });
  await watched.saw("down for now: the server wants a token, and there is none");
});

Deno.test("binary messages: handles by channel, books, and a handle nobody told", async () => {
  await using server = await ScriptedServer.open();
  using watched = new WatchedClient({ urls: [server.url], binary: true });
  watched.client.subscribe(BOOK);
  watched.client.subscribe(TRADES);
  await until("both wishes", () => server.requests.length === 2);
  const head = (kind: number, seq: number) => new BinaryWriter().head(kind, 7, seq, 1);
  server.sayBytes(head(1, 5).byte(0).varint(9).byte(1).byte(0).side([[1000, 3]]).side([]).done());
  server.sayBytes(head(2, 6).byte(0).varint(10).byte(1).byte(0).side([[1001, 4]]).side([]).done());
  server.sayBytes(head(3, 1).byte(4).varint(8).decimal(1, 0).decimal(2, 0).done());
  assert.deepEqual(await watched.saw("trade 1"), ["up 0", "snapshot 5", "delta 6", "trade 1"]);
  assert.deepEqual(watched.levels(), { bids: [[100.1, 4], [100, 3]], asks: [] });
  server.sayBytes(head(4, 1).byte(0).done());
  await watched.saw("unreadable handle 7 of a bbo was not told");
});

Deno.test("a wildcard's trades are resumed one by one; what comes meanwhile is not handed over twice", async () => {
  await using server = await ScriptedServer.open();
  server.onSubscribe = ({ symbol, resume }) => {
    if (!resume) return symbol === "*" ? [trade(server.connections === 1 ? 10 : 14)] : [];
    return [
      { type: "resumed", ...TRADES, from_seq: 11, to_seq: 14 },
      ...[11, 12, 13, 14].map((seq) => trade(seq)),
    ];
  };
  using watched = new WatchedClient({ urls: [server.url] });
  watched.client.subscribe({ symbol: "*", channel: "trades" });
  await watched.saw("trade 10");
  server.cut();
  const words = await watched.saw("trade 14");
  assert.deepEqual(words.slice(-5), ["up 0", "trade 11", "trade 12", "trade 13", "trade 14"]);
});

Deno.test("lag of trades is counted and the numbering goes on after it", async () => {
  await using server = await ScriptedServer.open();
  server.onSubscribe = () => [trade(1)];
  using watched = new WatchedClient({ urls: [server.url] });
  watched.client.subscribe(TRADES);
  await watched.saw("trade 1");
  server.say({ type: "lag", ...TRADES, skipped: 4, from_seq: 2, to_seq: 5 }, trade(6));
  assert.deepEqual(await watched.saw("trade 6"), ["gap trades 4 lag", "trade 6"]);
});

Deno.test("what was not subscribed to, or not any more, is nobody's; an unsubscribed book is lost", async () => {
  await using server = await ScriptedServer.open();
  server.onSubscribe = () => [snapshot(1, [[1, 1]], []), { ...snapshot(1, [[1, 1]], []), symbol: "OTHER" }];
  using watched = new WatchedClient({ urls: [server.url] });
  watched.client.subscribe(BOOK);
  await watched.saw("snapshot 1");
  assert.equal(watched.client.book("v", "OTHER"), undefined);
  watched.client.unsubscribe(BOOK);
  await until("the request", () => server.requests.at(-1)!.type === "unsubscribe");
  server.say({ type: "unsubscribed", channel: "book", symbol: "S", instruments: [HEAD] }, delta(2, [[1, 5]]));
  await watched.saw("lost 1 unsubscribed");
  server.cut();
  await watched.saw("up 0");
  assert.equal(server.subscriptions("book").length, 1);
});

Deno.test("a symbol that is not known yet is asked for again and again, also by a clock whose timers are early", async () => {
  await using server = await ScriptedServer.open();
  const refusal = (id: number) => ({ type: "error", code: "unknown_symbol", message: "unknown", id });
  server.answers = ({ id }) => server.requests.length < 4 ? [refusal(id)] : undefined;
  // Five seconds are over in a moment, which the clock itself does not notice.
  const hasty = {
    ...systemClock,
    after: (delay_ms: number, callback: () => void) => systemClock.after(delay_ms / 100_000, callback),
    monotonic_ms: () => systemClock.monotonic_ms(),
  };
  using watched = new WatchedClient({ urls: [server.url] }, hasty);
  watched.client.subscribe(BOOK);
  await until("the fourth wish", () => server.requests.length === 4);
  assert.equal(server.connections, 1);
  server.say(snapshot(1, [[1, 1]], []));
  await watched.saw("snapshot 1");
});

Deno.test("another version of the protocol is refused", async () => {
  await using server = await ScriptedServer.open();
  server.hello = { ...HELLO, version: 2 };
  using watched = new WatchedClient({ urls: [server.url] });
  await watched.saw("unreadable protocol version 2, want 1");
});
