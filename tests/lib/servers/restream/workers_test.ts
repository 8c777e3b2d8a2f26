/** The client side in Workers: the same protocol, one port, frames through the shared ring. */
import assert from "node:assert/strict";
import { systemClock } from "../../../../lib/base/clock.ts";
import { Random } from "../../../../lib/base/random.ts";
import { restream } from "../../../../lib/servers/restream/restream.ts";
import type { Server } from "../../../../lib/servers/server.ts";
import { FakeHub, type Pairs } from "../fake_hub.ts";
import { hubBook, MirrorBook, TestClient } from "./test_client.ts";

const BIDS: Pairs = [[100.1, 1], [100, 2], [99.5, 0.001]];
const ASKS: Pairs = [[100.2, 1.5], [100.3, 3], [101, 4]];

export async function withWorkers(
  workers: number,
  work: (server: Server, hub: FakeHub) => Promise<void>,
  config: Record<string, unknown> = {},
): Promise<void> {
  const hub = new FakeHub(systemClock);
  const server = await restream.open(
    restream.schema.parse({ listen: "127.0.0.1:0", access: "open", edge: { workers }, ...config }),
    hub,
  );
  try {
    await work(server, hub);
  } finally {
    await server[Symbol.asyncDispose]();
  }
}

Deno.test("workers: books, trades and status reach clients of every worker, whole and by depth", () =>
  withWorkers(2, async (server, hub) => {
    const random = new Random("workers");
    hub.sync("BTCUSDT", BIDS, ASKS, 1);
    const depths = [undefined, 1, 5, 20, undefined, 5, 20, 1];
    const clients = await Promise.all(depths.map(() => TestClient.connect(server)));
    for (const [i, depth] of depths.entries()) {
      await clients[i].ask({ type: "subscribe", symbol: "BTCUSDT", channel: "book", depth });
      await clients[i].ask({ type: "subscribe", symbol: "BTCUSDT", channel: "trades" });
      await clients[i].next("snapshot");
    }
    let trades = 0;
    for (let step = 0; step < 300; step++) {
      const change = (low: number, high: number): [number, number][] =>
        Array.from({ length: random.integer(0, 4) }, () => [
          random.integer(low, high) / 10,
          random.chance(0.4) ? 0 : random.integer(1, 1_000_000) / 1000,
        ]);
      hub.change("BTCUSDT", change(900, 1000), change(1001, 1100), { flush: false });
      hub.trade("BTCUSDT", ++trades);
      if (random.chance(0.5)) hub.flush();
      if (random.chance(0.02)) {
        hub.unsync("BTCUSDT");
        hub.sync("BTCUSDT", BIDS, ASKS, hub.book("mock", "BTCUSDT")!.last_update_id + 10);
      }
    }
    hub.trade("BTCUSDT", ++trades);
    hub.flush();
    for (const [i, client] of clients.entries()) {
      await client.next("trade", (message) => message.trade_id === trades);
      const mirror = new MirrorBook();
      for (const message of client.messages) mirror.take(message);
      assert.equal(mirror.lags, 0);
      assert.deepEqual(mirror.sorted(), hubBook(hub, "BTCUSDT", depths[i] ?? Infinity), `depth ${depths[i]}`);
      const ids = client.messages.filter(({ type }) => type === "trade").map(({ trade_id }) => trade_id);
      assert.deepEqual(ids, Array.from({ length: trades }, (_, i) => i + 1));
      await client[Symbol.asyncDispose]();
    }
  }));

Deno.test("workers: one that falls behind by the whole ring says what was lost, and everything is right again", () =>
  withWorkers(1, async (server, hub) => {
    hub.sync("AAA", BIDS, ASKS, 1);
    hub.sync("BBB", BIDS, ASKS, 1);
    const clients = await Promise.all([0, 1, 2].map(() => TestClient.connect(server)));
    for (const client of clients) {
      await client.ask({ type: "subscribe", symbol: "*", channel: "trades" });
      await client.ask({ type: "subscribe", symbol: "AAA", channel: "book" });
      await client.ask({ type: "subscribe", symbol: "AAA", channel: "bbo" });
      await client.next("snapshot");
    }
    let trades = 0;
    const burst = (count: number) => {
      for (let i = 0; i < count; i++) hub.trade("AAA", ++trades);
      hub.change("AAA", [[99 - trades % 5, trades]], [[100.2, trades]], { flush: false });
    };
    burst(10);
    hub.flush();
    for (const client of clients) await client.next("trade", ({ trade_id }) => trade_id === 10);
    // Nothing is published until the batch ends: more than the ring holds goes round it unseen.
    burst(120_000);
    hub.add("CCC");
    hub.sync("CCC", BIDS, ASKS, 1);
    hub.forget("BBB");
    hub.offer({
      kind: "book_status",
      venue: "mock",
      symbol: "BBB",
      in_sync: false,
      reason: "removed",
      received_us: 1,
    });
    hub.flush();
    for (const client of clients) await client.next("lag", ({ channel }) => channel === "trades");
    burst(5);
    hub.flush();
    for (const client of clients) {
      await client.next("trade", ({ trade_id }) => trade_id === trades);
      await client.ask({ type: "ping" });
      let expected: number | undefined;
      for (const message of client.messages) {
        if (message.symbol !== "AAA") continue;
        if (message.type !== "trade" && !(message.type === "lag" && message.channel === "trades")) continue;
        const from = message.from_seq ?? message.seq;
        assert.ok(expected === undefined || from === expected, `${from}, want ${expected}`);
        expected = (message.to_seq ?? message.seq) + 1;
      }
      const told = client.messages.filter(({ type, symbol }) => type === "trade" && symbol === "AAA").length;
      const lost = client.messages.filter(({ type, channel }) => type === "lag" && channel === "trades")
        .reduce((sum, { skipped }) => sum + skipped, 0);
      assert.equal(told + lost, trades);
      assert.ok(lost > 100_000);
      const mirror = new MirrorBook();
      for (const message of client.messages) {
        if (message.type !== "lag" || message.channel === "book") mirror.take(message);
      }
      assert.deepEqual(mirror.sorted(), hubBook(hub, "AAA"));
      assert.equal(client.messages.findLast(({ type }) => type === "bbo")!.ask[1], trades);
      const gone = client.messages.find(({ type, reason }) =>
        type === "unsubscribed" && reason === "removed"
      );
      assert.equal(gone?.symbol, "BBB");
      const met = client.messages.filter(({ type }) => type === "subscribed").at(-1)!;
      assert.deepEqual(met.instruments.map(({ symbol }: { symbol: string }) => symbol), ["CCC"]);
      await client[Symbol.asyncDispose]();
    }
  }, { edge: { workers: 1, ring_bytes: 16_777_216 } }));
