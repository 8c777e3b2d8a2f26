/** Clients that stop reading: bounded, announced, and nobody else notices. */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import type { FakeHub, Pairs } from "../fake_hub.ts";
import { hubBook, MirrorBook, TestClient, withServer } from "./test_client.ts";

const MAX_QUEUE_BYTES = 1_048_576;

function queuedBytes(hub: FakeHub): number {
  hub.metrics.collect();
  return hub.metrics.gauge("mdg_websocket_queued_bytes", "").with().value;
}

function bigChange(random: Random): Pairs {
  return Array.from({ length: 500 }, () => [random.integer(1, 6_000) / 10, random.integer(1, 1e9) / 1000]);
}

/** Stops reading at the TCP level. */
function stopReading(client: TestClient): void {
  client.ws.pause();
}

Deno.test("slow client: its queue stays bounded, skips are announced, its book comes right; others get everything", () =>
  withServer(async (server, hub) => {
    const random = new Random("slow");
    hub.sync("AAA", [[1, 1]], [[1_000, 1]]);
    await using healthy = await TestClient.connect(server);
    await using slow = await TestClient.connect(server);
    for (const client of [healthy, slow]) {
      for (const channel of ["book", "trades", "bbo"]) {
        await client.ask({ type: "subscribe", symbol: "AAA", channel });
      }
      await client.next("snapshot");
    }
    stopReading(slow);
    let most_queued_bytes = 0;
    let trades = 0;
    const bbo_from = 1;
    for (let step = 0; step < 1_500; step++) {
      hub.change("AAA", bigChange(random), [[1_000, step + 1]], { flush: false });
      for (let i = 0; i < 5; i++) hub.trade("AAA", ++trades);
      hub.flush();
      if (step % 4 === 0) await healthy.ask({ type: "ping", id: `step-${step}` });
      most_queued_bytes = Math.max(most_queued_bytes, queuedBytes(hub));
    }
    await healthy.ask({ type: "ping" });
    // The healthy one may hold a burst of its own; the slow one is bounded by its limit.
    assert.ok(most_queued_bytes <= 2 * MAX_QUEUE_BYTES, `${most_queued_bytes} bytes queued`);
    assert.ok(
      most_queued_bytes > MAX_QUEUE_BYTES / 16,
      "the slow client never fell behind: the test shows nothing",
    );
    const skipped = hub.metrics.counter("mdg_websocket_skipped_frames_total", "", ["channel"]);
    assert.ok(skipped.with("book").value > 0);

    const fine = new MirrorBook();
    for (const message of healthy.messages) {
      if (message.type !== "lag" || message.channel === "book") fine.take(message);
    }
    assert.equal(fine.lags, 0, "the healthy client was made to skip");
    assert.deepEqual(fine.sorted(), hubBook(hub, "AAA"));
    assert.equal(healthy.messages.filter((message) => message.type === "trade").length, trades);

    slow.ws.resume();
    const last = hub.book("mock", "AAA")!.sequence;
    const caughtUp = () =>
      slow.messages.some(({ type, seq }) => seq === last && (type === "snapshot" || type === "delta"));
    while (!caughtUp()) await slow.ask({ type: "ping", id: `wait-${slow.messages.length}` });
    hub.change("AAA", [[500, 1]], []);
    hub.trade("AAA", ++trades);
    hub.flush();
    await slow.next("delta", (message) => message.seq === last + 1);
    await slow.next("trade", (message) => message.trade_id === trades);
    const mirror = new MirrorBook();
    let trade_seq = 0;
    let bbo_seq = bbo_from - 1;
    for (const message of slow.messages) {
      if (message.type === "lag" && message.channel === "trades" || message.type === "trade") {
        assert.equal(message.from_seq ?? message.seq, trade_seq + 1, "a trade was lost without a word");
        trade_seq = message.to_seq ?? message.seq;
      } else if (message.type === "lag" && message.channel === "bbo" || message.type === "bbo") {
        const from = message.from_seq ?? message.seq;
        assert.ok(from === bbo_seq + 1 || bbo_seq === 0, "a quote was lost without a word");
        bbo_seq = message.to_seq ?? message.seq;
      } else mirror.take(message);
    }
    assert.ok(mirror.lags > 0);
    assert.equal(trade_seq, trades);
    assert.deepEqual(mirror.sorted(), hubBook(hub, "AAA"));
  }, { max_queue_bytes: MAX_QUEUE_BYTES, heartbeat_ms: 300_000, max_requests_per_second: 10_000 }));

Deno.test("slow client: a book that can never fit its queue ends that subscription in words", () =>
  withServer(async (server, hub) => {
    const levels = Array.from({ length: 5_000 }, (_, i) => [i + 1, 123_456.789] as const);
    hub.sync("AAA", levels, [[10_000, 1]]);
    await using client = await TestClient.connect(server);
    client.send({ type: "subscribe", symbol: "AAA", channel: "book" });
    const error = await client.next("error");
    assert.equal(error.code, "too_large");
    assert.match(error.message, /subscribe with a depth/);
    assert.equal((await client.next("unsubscribed")).reason, "too_large");
    await client.ask({ type: "subscribe", symbol: "AAA", channel: "book", depth: 1_000 });
    assert.equal((await client.next("snapshot")).bids.length, 1_000);
  }, { max_queue_bytes: 65_536 }));

Deno.test("slow client: one that never reads and answers no ping is cut off, with all its memory", () =>
  withServer(async (server, hub, clock) => {
    const random = new Random("dead");
    hub.sync("AAA", [[1, 1]], [[1_000, 1]]);
    await using healthy = await TestClient.connect(server);
    await using dead = await TestClient.connect(server);
    await dead.ask({ type: "subscribe", symbol: "AAA", channel: "book" });
    stopReading(dead);
    for (let step = 0; step < 1_000; step++) hub.change("AAA", bigChange(random), []);
    assert.ok(queuedBytes(hub) > 0);
    for (let beat = 0; beat < 3; beat++) {
      clock.advance(5_000);
      await healthy.ask({ type: "ping", id: `beat-${beat}` });
    }
    const closes = hub.metrics.counter("mdg_websocket_closes_total", "", ["reason"]).with("no_pong");
    for (let i = 0; closes.value === 0; i++) await healthy.ask({ type: "ping", id: `wait-${i}` });
    assert.equal(queuedBytes(hub), 0);
    assert.equal(healthy.closed, undefined);
  }, { max_queue_bytes: MAX_QUEUE_BYTES, max_requests_per_second: 10_000 }));

Deno.test("slow client: a queue that even control messages would overflow is closed with 4008", () =>
  withServer(async (server, hub) => {
    for (let i = 0; i < 300; i++) hub.sync(`S${i}`, [[1, 1]], [[2, 1]]);
    await using healthy = await TestClient.connect(server);
    await using slow = await TestClient.connect(server);
    await slow.ask({ type: "subscribe", symbol: "*", channel: "status" });
    stopReading(slow);
    const closes = hub.metrics.counter("mdg_websocket_closes_total", "", ["reason"]).with("slow");
    const subscriptions = hub.metrics.gauge("mdg_websocket_subscriptions", "").with();
    for (let round = 0; round === 0 || subscriptions.value > 0; round++) {
      for (let i = 0; i < 300; i++) hub.unsync(`S${i}`, "gap");
      await healthy.ask({ type: "ping", id: `round-${round}` });
      assert.ok(queuedBytes(hub) <= 65_536 * 2);
    }
    slow.ws.resume();
    await slow.end();
    assert.equal(slow.closed!.code, 4008);
    assert.match(slow.closed!.reason, /slow reader/);
    while (closes.value === 0) await healthy.ask({ type: "ping" });
  }, { max_queue_bytes: 65_536, heartbeat_ms: 300_000, max_requests_per_second: 10_000 }));
