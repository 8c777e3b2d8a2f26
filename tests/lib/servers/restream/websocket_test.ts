import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import { websocket } from "../../../../lib/servers/restream/websocket.ts";
import type { Pairs } from "../fake_hub.ts";
import { hubBook, MirrorBook, TestClient, withServer } from "./test_client.ts";

const BIDS: Pairs = [[100.1, 1], [100, 2], [99.5, 0.001]];
const ASKS: Pairs = [[100.2, 1.5], [100.3, 3], [101, 4]];

Deno.test("websocket: hello, subscribed, snapshot, then deltas that follow by one", () =>
  withServer(async (server, hub) => {
    hub.sync("BTCUSDT", BIDS, ASKS, 100);
    for (const path of ["/", "/ws"]) {
      await using client = await TestClient.connect(server, path);
      const [hello] = client.messages;
      assert.equal(hello.version, 1);
      assert.equal(hello.server, "mdg 1.2.3");
      assert.ok(hello.epoch.length > 0);
      const answer = await client.ask({ type: "subscribe", symbol: "BTCUSDT", channel: "book", id: 7 });
      assert.deepEqual(answer, {
        type: "subscribed",
        id: 7,
        symbol: "BTCUSDT",
        channel: "book",
        epoch: hello.epoch,
        instruments: [{ venue: "mock", symbol: "BTCUSDT", handle: 4096 }],
      });
      const snapshot = await client.next("snapshot");
      assert.equal(snapshot.seq, hub.book("mock", "BTCUSDT")!.sequence);
      assert.equal(snapshot.last_update_id, hub.book("mock", "BTCUSDT")!.last_update_id);
      assert.equal(snapshot.venue, "mock");
      assert.ok(Number.isInteger(snapshot.timestamp));
      assert.deepEqual({ bids: snapshot.bids, asks: snapshot.asks }, hubBook(hub, "BTCUSDT"));
      hub.change("BTCUSDT", [[100, 0], [99, 7]], [[100.25, 0.00000001]]);
      const delta = await client.next("delta");
      assert.equal(delta.seq, snapshot.seq + 1);
      assert.deepEqual(delta.bids, [[100, 0], [99, 7]]);
      assert.deepEqual(delta.asks, [[100.25, 1e-8]]);
      hub.sync("BTCUSDT", BIDS, ASKS, 200);
    }
  }));

Deno.test("websocket: books by deltas equal the hub's, whole and by depth, over random changes", () =>
  withServer(async (server, hub) => {
    const random = new Random("mirror");
    hub.sync("BTCUSDT", BIDS, ASKS, 1);
    const depths = [undefined, 1, 5, 20];
    const clients = await Promise.all(depths.map(() => TestClient.connect(server)));
    for (const [i, depth] of depths.entries()) {
      await clients[i].ask({ type: "subscribe", symbol: "BTCUSDT", channel: "book", depth });
    }
    for (let step = 0; step < 400; step++) {
      const change = (low: number, high: number): [number, number][] =>
        Array.from({ length: random.integer(0, 4) }, () => [
          random.integer(low, high) / 10,
          random.chance(0.4) ? 0 : random.integer(1, 1_000_000) / 1000,
        ]);
      hub.change("BTCUSDT", change(900, 1000), change(1001, 1100), { flush: random.chance(0.5) });
      if (random.chance(0.02)) {
        hub.unsync("BTCUSDT");
        hub.sync("BTCUSDT", BIDS, ASKS, hub.book("mock", "BTCUSDT")!.last_update_id + 10);
      }
    }
    hub.flush();
    for (const [i, client] of clients.entries()) {
      await client.ask({ type: "ping" });
      const mirror = new MirrorBook();
      for (const message of client.messages) mirror.take(message);
      assert.equal(mirror.lags, 0);
      assert.deepEqual(mirror.sorted(), hubBook(hub, "BTCUSDT", depths[i] ?? Infinity), `depth ${depths[i]}`);
      assert.ok(client.messages.filter((message) => message.type === "delta").length > 10);
      await client[Symbol.asyncDispose]();
    }
  }));

Deno.test("websocket: nothing leaves a book out of sync; status tells, then a fresh snapshot", () =>
  withServer(async (server, hub) => {
    hub.add("BTCUSDT");
    await using client = await TestClient.connect(server);
    await client.ask({ type: "subscribe", symbol: "BTCUSDT", channel: "book" });
    const waiting = await client.next("status");
    assert.equal(waiting.in_sync, false);
    assert.equal(waiting.reason, "starting");
    hub.sync("BTCUSDT", BIDS, ASKS, 100);
    assert.equal((await client.next("status")).in_sync, true);
    await client.next("snapshot");
    hub.unsync("BTCUSDT", "gap");
    const gap = await client.next("status");
    assert.deepEqual(
      [gap.in_sync, gap.reason, gap.missing_from_id, gap.missing_to_id],
      [false, "gap", 101, 105],
    );
    // A subscriber that comes while it is out gets no snapshot either.
    await using late = await TestClient.connect(server);
    await late.ask({ type: "subscribe", symbol: "BTCUSDT", channel: "book", depth: 5 });
    await late.next("status", (status) => status.in_sync === false);
    await late.ask({ type: "ping" });
    assert.ok(!late.messages.some((message) => message.type === "snapshot"));
    hub.sync("BTCUSDT", BIDS, [[100.4, 9]], 120);
    for (const one of [client, late]) {
      await one.next("status", (status) => status.in_sync === true);
      const snapshot = await one.next("snapshot");
      assert.deepEqual(snapshot.asks, [[100.4, 9]]);
      assert.ok(!one.messages.some((message) => message.type === "lag"));
      await one.ask({ type: "ping" });
      const snapshots = one.messages.filter((message) => message.type === "snapshot").length;
      assert.equal(snapshots, one === client ? 2 : 1);
    }
  }));

Deno.test("websocket: trades, bbo, ticker and status channels", () =>
  withServer(async (server, hub) => {
    hub.sync("BTCUSDT", BIDS, ASKS, 100);
    await using client = await TestClient.connect(server);
    for (const channel of ["trades", "bbo", "ticker", "status"]) {
      await client.ask({ type: "subscribe", symbol: "BTCUSDT", channel });
    }
    const first = await client.next("bbo");
    assert.deepEqual([first.source, first.bid, first.ask], ["book", [100.1, 1], [100.2, 1.5]]);
    hub.trade("BTCUSDT", 1);
    hub.trade("BTCUSDT", 2, 0.0000001, 12345678.9);
    hub.flush();
    const one = await client.next("trade");
    const two = await client.next("trade");
    assert.deepEqual(
      [one.trade_id, one.price, one.quantity, one.timestamp, one.is_buyer_maker],
      [1, 100.5, 0.25, 1_700_000_000_123, true],
    );
    assert.deepEqual([two.price, two.quantity, two.seq], [1e-7, 12345678.9, one.seq + 1]);
    // Deep changes are no news for the top; a change of its quantity is.
    hub.change("BTCUSDT", [[99, 1]], []);
    hub.change("BTCUSDT", [[100.1, 2]], []);
    const changed = await client.next("bbo");
    assert.deepEqual([changed.bid, changed.seq], [[100.1, 2], first.seq + 1]);
    const quote = {
      kind: "quote" as const,
      venue: "mock",
      symbol: "BTCUSDT",
      received_us: 5e6,
      update_id: 200,
    };
    hub.offer({ ...quote, bid: 100.15, bid_quantity: 1, ask: 100.2, ask_quantity: 2 });
    hub.flush();
    assert.equal((await client.next("bbo")).source, "quote");
    // From here on the venue's own quotes speak, the book keeps silent.
    hub.change("BTCUSDT", [[100.1, 3]], []);
    hub.offer({
      kind: "ticker",
      venue: "mock",
      symbol: "BTCUSDT",
      received_us: 7_000_000,
      last_price: 100.5,
      volume: 1e21,
      trade_count: 0,
    });
    hub.flush();
    const ticker = await client.next("ticker");
    assert.deepEqual([ticker.last_price, ticker.volume, ticker.trade_count], [100.5, 1e21, 0]);
    assert.ok(!("open_price" in ticker));
    assert.equal(client.messages.filter((message) => message.type === "bbo").length, 3);
    hub.unsync("BTCUSDT");
    assert.equal((await client.next("status", (status) => !status.in_sync)).reason, "gap");
  }));

Deno.test("websocket: wildcard takes all, symbols added later too, and tells of removed ones", () =>
  withServer(async (server, hub) => {
    hub.sync("AAA", BIDS, ASKS);
    hub.sync("BBB", BIDS, ASKS, 5, "other");
    await using client = await TestClient.connect(server);
    const answer = await client.ask({ type: "subscribe", symbol: "*", channel: "book", depth: 5 });
    assert.equal(answer.instruments.length, 2);
    await client.next("snapshot", (message) => message.symbol === "AAA");
    await client.next("snapshot", (message) => message.symbol === "BBB" && message.venue === "other");
    hub.sync("CCC", BIDS, ASKS);
    const added = await client.next("subscribed", (message) => message.symbol === "CCC");
    assert.equal(added.depth, 5);
    await client.next("snapshot", (message) => message.symbol === "CCC");
    hub.forget("AAA");
    hub.offer({
      kind: "book_status",
      venue: "mock",
      symbol: "AAA",
      in_sync: false,
      reason: "removed",
      received_us: 1,
    });
    hub.flush();
    assert.equal((await client.next("unsubscribed")).reason, "removed");
    const list = await client.ask({ type: "list" });
    assert.deepEqual(
      list.subscriptions.map((one: { symbol: string; venue: string; depth: number }) =>
        [one.symbol, one.venue, one.depth].join(" ")
      ),
      ["BBB other 5", "CCC mock 5"],
    );
    const ended = await client.ask({ type: "unsubscribe", symbol: "*", channel: "book" });
    assert.equal(ended.type, "unsubscribed");
    hub.sync("DDD", BIDS, ASKS);
    assert.deepEqual((await client.ask({ type: "list" })).subscriptions, []);
  }));

Deno.test("websocket: the same symbol on two venues, chosen by venue or both", () =>
  withServer(async (server, hub) => {
    hub.sync("AAA", BIDS, ASKS, 1, "one");
    hub.sync("AAA", BIDS, [[200, 1]], 1, "two");
    await using client = await TestClient.connect(server);
    const both = await client.ask({ type: "subscribe", symbol: "AAA", channel: "book" });
    assert.equal(both.instruments.length, 2);
    const end = await client.ask({ type: "unsubscribe", symbol: "AAA", channel: "book", venue: "one" });
    assert.deepEqual(end.instruments, [{ venue: "one", symbol: "AAA" }]);
    hub.change("AAA", [], [[201, 1]], { venue: "two" });
    assert.equal((await client.next("delta")).venue, "two");
  }));

Deno.test("websocket: subscribing again replaces, with a fresh snapshot at the new depth", () =>
  withServer(async (server, hub) => {
    hub.sync("AAA", BIDS, ASKS);
    await using client = await TestClient.connect(server);
    await client.ask({ type: "subscribe", symbol: "AAA", channel: "book" });
    assert.equal((await client.next("snapshot")).bids.length, 3);
    await client.ask({ type: "subscribe", symbol: "AAA", channel: "book", depth: 1 });
    const top = await client.next("snapshot");
    assert.deepEqual([top.depth, top.bids, top.asks], [1, [[100.1, 1]], [[100.2, 1.5]]]);
    hub.change("AAA", [[99, 5]], []);
    hub.change("AAA", [[100.1, 0]], []);
    const delta = await client.next("delta");
    assert.deepEqual([delta.seq, delta.bids], [top.seq + 1, [[100.1, 0], [100, 2]]]);
    assert.equal((await client.ask({ type: "list" })).subscriptions.length, 1);
  }));

Deno.test("websocket: heartbeats and pings; a client that answers none is cut off", () =>
  withServer(async (server, hub, clock) => {
    hub.sync("AAA", BIDS, ASKS);
    await using lively = await TestClient.connect(server);
    await using silent = await TestClient.connect(server, "/", { autoPong: false });
    for (let beat = 1; beat <= 4; beat++) {
      clock.advance(5_000);
      const heartbeat = await lively.next("heartbeat");
      assert.equal(heartbeat.timestamp, clock.now_ms());
      // The answer to this comes behind the pong of the ping before it.
      await lively.ask({ type: "ping" });
    }
    await silent.end();
    assert.equal(silent.closed!.code, 1006);
    assert.equal(lively.closed, undefined);
    assert.ok(lively.pings >= 4);
    assert.equal(hub.metrics.counter("mdg_websocket_closes_total", "").with("no_pong").value, 1);
  }));

Deno.test("websocket: shutdown closes everyone with 1001 and frees the port", () =>
  withServer(async (server, hub) => {
    hub.sync("AAA", BIDS, ASKS);
    const clients = await Promise.all([TestClient.connect(server), TestClient.connect(server)]);
    await clients[0].ask({ type: "subscribe", symbol: "AAA", channel: "book" });
    await server[Symbol.asyncDispose]();
    for (const client of clients) {
      await client.end();
      assert.equal(client.closed!.code, 1001);
    }
    await using again = await websocket.open(websocket.schema.parse({ listen: server.address }), hub);
    assert.equal(again.address, server.address);
  }));

Deno.test("websocket: a taken port names the address, the config key and the flag", () =>
  withServer(async (server, hub) => {
    await assert.rejects(
      websocket.open(websocket.schema.parse({ listen: server.address }), hub),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.message, `listen on "${server.address}": address in use, want a free port`);
        assert.match(error.hint!, /servers\[\]\.listen.*--listen/);
        return true;
      },
    );
    assert.equal(hub.receivers.size, 1);
  }));
