import assert from "node:assert/strict";
import { Cluster } from "ioredis";
import type { z } from "zod";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { redis } from "../../lib/sinks/registry.ts";
import { clusterSlot } from "../../lib/wire/redis/cluster_slot.ts";
import { nodeKey } from "../../lib/wire/redis/cluster_topology.ts";
import { RedisCluster } from "../../lib/wire/redis/redis_cluster.ts";
import { hostPortOf } from "../../lib/wire/redis/redis_connection.ts";
import { RedisClusterServers } from "./redis_cluster.ts";
import { eventually, SinkRig } from "../contracts/sink_rig.ts";
import { is_long, testUnless } from "../services.ts";
import { redisServerMissing } from "./redis_server.ts";
import { checkStored, stream, SYMBOLS, tell } from "./stored_streams.ts";

const STREAM_S = is_long ? 30 : 6;

const clusterTest = (name: string, body: (cluster: RedisClusterServers) => Promise<void>) =>
  testUnless(redisServerMissing(), name, async () => {
    await using cluster = await RedisClusterServers.start("redis-server", systemClock);
    await body(cluster);
  });

function openRig(cluster: RedisClusterServers, config: Partial<z.input<typeof redis.schema>> = {}) {
  const streams = { max_trades: 10_000_000 };
  return SinkRig.open(redis, {
    url: cluster.url,
    topology: "cluster",
    nodes: cluster.addresses,
    deliver: "streams",
    streams,
    wait_replicas: 1,
    ...config,
  });
}

/** Also where the test fails before its end. */
class Reader implements AsyncDisposable {
  readonly client: Cluster;
  constructor(cluster: RedisClusterServers) {
    const nodes = cluster.addresses.map((address) => ({
      host: "127.0.0.1",
      port: Number(address.split(":")[1]),
    }));
    this.client = new Cluster(nodes, { redisOptions: { protocol: 2 } });
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.client.quit();
  }
}

/** Moves the slots of the first symbols to the next master and back, until it is disposed of. */
class Mover implements AsyncDisposable {
  #moving = true;
  #moves = 0;
  readonly #moved: Promise<void>;
  constructor(readonly cluster: RedisClusterServers) {
    this.#moved = this.#move();
    // Told by `stop`, and meanwhile by nobody.
    this.#moved.catch(() => {});
  }
  /** Resolves to the number of moves. */
  async stop(): Promise<number> {
    this.#moving = false;
    await this.#moved;
    return this.#moves;
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop().catch(() => {});
  }

  async #move(): Promise<void> {
    const keys = SYMBOLS.slice(0, 4).flatMap((symbol) => [`trades:${symbol}`, `orderbook:${symbol}`]);
    for (let i = 0; this.#moving; i++) {
      const slot = clusterSlot(keys[i % keys.length]);
      const home = Math.floor(slot / 16_384 * 3);
      const away = (home + 1) % 3;
      await this.cluster.moveSlot(slot, home, away);
      await this.cluster.moveSlot(slot, away, home);
      this.#moves += 2;
    }
  }
}

clusterTest(
  "kill -9 of a cluster master in mid-stream: trades in = trades stored, books right",
  async (cluster) => {
    await using rig = await openRig(cluster);
    await eventually("ready", () => rig.sink.notReady() === undefined);
    const streaming = stream(rig, STREAM_S);
    streaming.catch(() => {});
    await sleep(systemClock, 1_000);
    await cluster.kill(0);
    await cluster.failedOver(0);
    await eventually("ready after the failover", () => rig.sink.notReady() === undefined);
    await cluster.revive(0);
    const memory = await streaming;
    await eventually("drained", () => rig.queue.queued === 0);
    await using reader = new Reader(cluster);
    const stored = await checkStored(reader.client, rig);
    assert.equal(rig.count("sink_dropped_total"), 0);
    tell("cluster master killed", {
      trades_in: rig.trade_id,
      ...stored,
      conflated: rig.count("sink_conflated_total"),
      ...memory,
    });
    assert.equal(await rig.close(), 0);
  },
);

clusterTest(
  "slots move under load: MOVED and ASK are followed, no trade is lost or out of order",
  async (cluster) => {
    await using rig = await openRig(cluster);
    await eventually("ready", () => rig.sink.notReady() === undefined);
    await using mover = new Mover(cluster);
    await stream(rig, is_long ? 20 : 3);
    const moves = await mover.stop();
    await eventually("drained", () => rig.queue.queued === 0);
    await using reader = new Reader(cluster);
    const stored = await checkStored(reader.client, rig);
    assert.equal(rig.count("sink_dropped_total"), 0);
    assert.ok(moves >= 8);
    const redirected = rig.count("redis_errors_total");
    assert.ok(redirected > 0, "no move was ever met");
    tell("slots moved under load", { trades_in: rig.trade_id, ...stored, moves, redirected });
    assert.equal(await rig.close(), 0);
  },
);

clusterTest(
  "a slot leaves and comes back while a write waits for its replica: what is sent meanwhile does not overtake",
  async (cluster) => {
    const key = "trades:SYM1USDT";
    const slot = clusterSlot(key);
    const home = Math.floor(slot / 16_384 * 3);
    const away = (home + 1) % 3;
    const neighbour = Array.from({ length: 100 }, (_, i) => `trades:OTHER${i}`)
      .find((name) => Math.floor(clusterSlot(name) / 16_384 * 3) === home)!;
    await using disposing = new AsyncDisposableStack();
    const link = new RedisCluster({
      topology: "cluster",
      url: cluster.url,
      nodes: cluster.addresses,
      master_name: "",
      connect_timeout_ms: 5_000,
      command_timeout_ms: 10_000,
      wait_replicas: 1,
      wait_timeout_ms: 5_000,
    }, { name: "redis", clock: systemClock, log: silentLog, seed: "test", onReady() {} });
    disposing.defer(() => link.close());
    const send = (...entries: [channel: string, value: number][]) =>
      link.send(
        entries.map(([channel, value]) => ({ channel, value, slot: clusterSlot(channel) })),
        (commands, { channel, value }) => void commands.command("XADD", channel, "*", "value", value),
      );
    await eventually("ready", () => link.ready);
    await cluster.moveSlot(slot, home, away);
    // Without its replica the master holds back the answers to the first write, and does the second one after it.
    cluster.signal(3 + home, "SIGSTOP");
    disposing.defer(() => cluster.signal(3 + home, "SIGCONT"));
    // A client that has not heard of the move, whatever it asked meanwhile.
    const place = hostPortOf(cluster.addresses[home]);
    link.topology.moved({ kind: "MOVED", slot, node: nodeKey(place) }, place);
    const first = send([neighbour, 0], [key, 1]);
    await eventually("done", async () => await cluster.client(home).exists(neighbour) === 1);
    await cluster.moveSlot(slot, away, home);
    const second = send([key, 2]);
    // Where it can be done at once it is by now.
    await sleep(systemClock, 100);
    cluster.signal(3 + home, "SIGCONT");
    const [[, [refused]], [[held]]] = await Promise.all([first, second]);
    assert.match(refused!.message, /^MOVED/);
    assert.match(held!.message, /earlier one of this slot/);
    assert.equal(await cluster.client(home).exists(key), 0);
  },
);

clusterTest(
  "sharded and classic pub/sub reach their subscribers, each channel by its slot's owner",
  async (cluster) => {
    for (const deliver of ["sharded_pubsub", "pubsub"] as const) {
      const got = new Map<string, number[]>();
      const take = (channel: string, payload: string) => {
        const ids = got.get(channel) ?? [];
        ids.push(JSON.parse(payload).trade_id);
        got.set(channel, ids);
      };
      const subscribers = [0, 1, 2].map((i) => cluster.client(i).duplicate({ enableOfflineQueue: true }));
      await using disposing = new AsyncDisposableStack();
      disposing.defer(async () => {
        for (const subscriber of subscribers) subscriber.disconnect();
        await Promise.all(subscribers.map((one) => new Promise((resolve) => one.once("end", resolve))));
      });
      for (const subscriber of subscribers) subscriber.on("message", take).on("smessage", take);
      for (const symbol of SYMBOLS) {
        const channel = `trades:${symbol}`;
        // Classic messages reach every node, whichever it was published at.
        if (deliver === "pubsub") await subscribers[1].subscribe(channel);
        else await subscribers[Math.floor(clusterSlot(channel) / 16_384 * 3)].ssubscribe(channel);
      }
      await using rig = await openRig(cluster, { deliver, wait_replicas: 0 });
      await eventually("ready", () => rig.sink.notReady() === undefined);
      await rig.traffic(SYMBOLS, 50);
      await eventually(
        "all there",
        () => SYMBOLS.every((symbol) => got.get(`trades:${symbol}`)?.length === 50),
      );
      for (const symbol of SYMBOLS) {
        assert.deepEqual(got.get(`trades:${symbol}`), rig.offered.get(symbol));
      }
      assert.equal(await rig.close(), 0);
    }
  },
);

clusterTest("a Cluster taken for a single server is said so", async (cluster) => {
  await using rig = await openRig(cluster, { topology: "single", nodes: [], wait_replicas: 0 });
  await eventually("ready", () => rig.sink.notReady() === undefined);
  for (const symbol of SYMBOLS) rig.trade(symbol);
  rig.queue.flush();
  await eventually("said", () => rig.lines.some((line) => line.includes("this is a Cluster: set topology")));
  assert.equal(rig.count("sink_dropped_total"), 0);
  await rig.close(0);
});
