/** Clients that come back: exactly what they missed, or a word that it is gone; never a part of it. */
import assert from "node:assert/strict";
import type { Pairs } from "../fake_hub.ts";
import { hubBook, type Message, MirrorBook, TestClient, withServer } from "./test_client.ts";

const BIDS: Pairs = [[100.1, 1], [100, 2]];
const ASKS: Pairs = [[100.2, 1.5], [100.3, 3]];
const QUIET = { heartbeat_ms: 300_000, max_lag_ms: 300_000 };

Deno.test("resume: deltas missed are replayed in order, nothing twice, and the book goes on", () =>
  withServer(async (server, hub) => {
    hub.sync("AAA", BIDS, ASKS);
    const mirror = new MirrorBook();
    const first = await TestClient.connect(server);
    await first.ask({ type: "subscribe", symbol: "AAA", channel: "book" });
    mirror.take(await first.next("snapshot"));
    hub.change("AAA", [[100, 5]], []);
    mirror.take(await first.next("delta"));
    await first[Symbol.asyncDispose]();
    for (let i = 1; i <= 5; i++) hub.change("AAA", [[99, i]], [[101, i]]);

    await using second = await TestClient.connect(server);
    const epoch = second.messages[0].epoch;
    const answer = await second.ask({
      type: "subscribe",
      symbol: "AAA",
      channel: "book",
      resume: { epoch, seq: mirror.seq },
    });
    assert.equal(answer.epoch, epoch);
    const resumed = await second.next("resumed");
    assert.deepEqual([resumed.from_seq, resumed.to_seq], [mirror.seq! + 1, mirror.seq! + 5]);
    hub.change("AAA", [[98, 9]], []);
    await second.next("delta", ({ bids }) => bids.some(([price]: number[]) => price === 98));
    for (const message of second.messages) mirror.take(message);
    assert.equal(second.messages.filter(({ type }) => type === "snapshot").length, 0);
    assert.deepEqual(mirror.sorted(), hubBook(hub, "AAA"));
  }, QUIET));

Deno.test("resume: another epoch, a gap in what is kept, or a resync between gives a whole snapshot, never a part", () =>
  withServer(async (server, hub, clock) => {
    hub.sync("AAA", BIDS, ASKS);
    await using keeper = await TestClient.connect(server);
    await keeper.ask({ type: "subscribe", symbol: "AAA", channel: "book" });
    const { seq } = await keeper.next("snapshot");
    const { epoch } = keeper.messages[0];
    const come = async (resume: object): Promise<Message> => {
      await using client = await TestClient.connect(server);
      await client.ask({ type: "subscribe", symbol: "AAA", channel: "book", resume });
      await client.ask({ type: "ping" });
      return client.messages.find(({ type }) => ["snapshot", "resumed", "delta"].includes(type))!;
    };
    hub.change("AAA", [[99, 1]], []);
    assert.equal((await come({ epoch, seq })).type, "resumed");
    assert.equal((await come({ epoch: "another", seq })).type, "snapshot");
    assert.equal((await come({ epoch, seq: seq + 100 })).type, "snapshot", "a sequence that never was");
    clock.advance(31_000);
    hub.change("AAA", [[99, 2]], []);
    assert.equal((await come({ epoch, seq })).type, "snapshot", "what is older than resume_ms is gone");
    hub.unsync("AAA");
    await using waiting = await TestClient.connect(server);
    await waiting.ask({ type: "subscribe", symbol: "AAA", channel: "book", resume: { epoch, seq: seq + 2 } });
    assert.equal((await waiting.next("status")).in_sync, false);
    hub.sync("AAA", BIDS, ASKS, 500);
    assert.deepEqual((await waiting.next("snapshot")).bids, BIDS);
  }, QUIET));

Deno.test("resume: trades are replayed, or their loss is told with its range", () =>
  withServer(async (server, hub) => {
    hub.sync("AAA", BIDS, ASKS);
    await using keeper = await TestClient.connect(server);
    await keeper.ask({ type: "subscribe", symbol: "AAA", channel: "trades" });
    const { epoch } = keeper.messages[0];
    for (let id = 1; id <= 40; id++) hub.trade("AAA", id);
    hub.flush();
    const { seq } = await keeper.next("trade", ({ trade_id }) => trade_id === 38);
    await using near = await TestClient.connect(server);
    await near.ask({ type: "subscribe", symbol: "AAA", channel: "trades", resume: { epoch, seq } });
    await near.next("trade", ({ trade_id }) => trade_id === 40);
    assert.deepEqual(
      near.messages.filter(({ type }) => type === "trade").map(({ trade_id }) => trade_id),
      [39, 40],
    );
    await using far = await TestClient.connect(server);
    await far.ask({ type: "subscribe", symbol: "AAA", channel: "trades", resume: { epoch, seq: 1 } });
    const lag = await far.next("lag");
    assert.deepEqual([lag.from_seq, lag.to_seq, lag.skipped], [2, seq + 2, seq + 1]);
    hub.trade("AAA", 41);
    hub.flush();
    assert.equal((await far.next("trade")).seq, seq + 3);
    hub.metrics.collect();
    assert.ok(hub.metrics.gauge("mdg_websocket_history_bytes", "").with().value <= 4_096);
  }, { ...QUIET, resume_bytes: 4_096 }));

Deno.test("intervals: one message in the time, the last change always told, and the book by them is the hub's", () =>
  withServer(async (server, hub, clock) => {
    hub.sync("AAA", BIDS, ASKS);
    await using client = await TestClient.connect(server);
    await client.ask({ type: "subscribe", symbol: "AAA", channel: "book", depth: 5, interval_ms: 100 });
    await client.ask({ type: "subscribe", symbol: "AAA", channel: "bbo", interval_ms: 100 });
    await client.next("snapshot");
    for (let step = 0; step < 50; step++) {
      hub.change("AAA", [[99 - step % 3, step + 1]], [[100.2, step + 1]]);
      clock.advance(10);
    }
    clock.advance(100);
    await client.ask({ type: "ping" });
    const mirror = new MirrorBook();
    for (const message of client.messages) mirror.take(message);
    assert.deepEqual(mirror.sorted(), hubBook(hub, "AAA", 5));
    const count = (type: string) => client.messages.filter((message) => message.type === type).length;
    assert.ok(count("delta") >= 5 && count("delta") <= 7, `${count("delta")} deltas in 600 ms`);
    assert.ok(count("bbo") >= 5 && count("bbo") <= 8, `${count("bbo")} quotes in 600 ms`);
    const last = client.messages.filter(({ type }) => type === "bbo").at(-1)!;
    assert.deepEqual(last.ask, [100.2, 50]);
  }, QUIET));

Deno.test("candles: every closed bar, and the forming one, by interval", () =>
  withServer(async (server, hub) => {
    hub.sync("AAA", BIDS, ASKS);
    await using client = await TestClient.connect(server);
    const missing = await client.ask({ type: "subscribe", symbol: "AAA", channel: "candles" });
    assert.match(missing.message, /"interval": none, want one of 1m/);
    for (const interval of ["1m", "1h"]) {
      await client.ask({ type: "subscribe", symbol: "AAA", channel: "candles", interval });
    }
    const candle = (interval: string, closed: boolean, close: number) =>
      hub.offer({
        kind: "candle",
        venue: "mock",
        symbol: "AAA",
        interval,
        open_time_ms: 1_700_000_000_000,
        close_time_ms: 1_700_000_059_999,
        open: 1,
        high: 3,
        low: 0.5,
        close,
        volume: 12.25,
        trade_count: 7,
        closed,
        received_us: 1_700_000_060_000_000,
        ...closed ? { incomplete: true as const } : {},
      });
    candle("1m", false, 2);
    candle("5m", true, 2);
    candle("1h", false, 2.25);
    candle("1m", true, 2.5);
    hub.flush();
    const closed = await client.next("candle", (message) => message.closed);
    assert.deepEqual(
      [
        closed.interval,
        closed.close,
        closed.volume,
        closed.trade_count,
        closed.incomplete,
        closed.quote_volume,
      ],
      ["1m", 2.5, 12.25, 7, true, undefined],
    );
    assert.deepEqual(
      client.messages.filter(({ type }) => type === "candle").map((
        { interval, closed },
      ) => [interval, closed]),
      [["1m", false], ["1h", false], ["1m", true]],
    );
    await client.ask({ type: "unsubscribe", symbol: "AAA", channel: "candles", interval: "1m" });
    const { subscriptions } = await client.ask({ type: "list" });
    assert.deepEqual(subscriptions.map(({ interval }: Message) => interval), ["1h"]);
  }, QUIET));
