import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { redis as redis_sink } from "../../lib/sinks/registry.ts";
import { clusterSlot } from "../../lib/wire/redis/cluster_slot.ts";
import { eventually, SinkRig } from "../contracts/sink_rig.ts";
import { testUnless } from "../services.ts";
import { RedisClusterServers } from "./redis_cluster.ts";
import { latestWritten, RedisReader as Reader } from "./redis_reader.ts";
import { RedisServer, redisServerMissing } from "./redis_server.ts";

const SYMBOLS = ["BTCUSDT", "ETHUSDT", "XRPUSDT"];
const liveTest = (name: string, body: () => Promise<void>) => testUnless(redisServerMissing(), name, body);

const published = async (rig: SinkRig) => {
  await rig.traffic(SYMBOLS, 50);
  await eventually("published", () => rig.queue.queued === 0);
};
const complete = (reader: Reader, rig: SinkRig) =>
  eventually(
    "all read",
    () =>
      reader.mirrors(rig) &&
      SYMBOLS.every((symbol) => reader.trades.get(symbol)?.at(-1) === rig.offered.get(symbol)!.at(-1)),
  );

liveTest(
  "pub/sub comes back as books and trades; a break takes books out of sync until the next",
  async () => {
    await using server = await RedisServer.start();
    await using reader = new Reader({ url: server.url, symbols: SYMBOLS });
    await eventually("subscribed", () => reader.source.notReady() === undefined);
    const rig = await SinkRig.open(redis_sink, { url: server.url });
    await published(rig);
    await complete(reader, rig);
    for (const symbol of SYMBOLS) assert.deepEqual(reader.trades.get(symbol), rig.offered.get(symbol));

    await server.kill();
    await eventually(
      "out of sync",
      () => SYMBOLS.every((symbol) => !reader.books.instruments.get(symbol)!.in_sync),
    );
    assert.ok(reader.source.notReady() !== undefined);
    assert.equal(reader.count("redis_source_interruptions_total"), 1);
    await server.start();
    await eventually("subscribed again", () => reader.source.notReady() === undefined);
    await published(rig);
    await complete(reader, rig);
    assert.equal(await rig.close(), 0);
  },
);

liveTest("a late subscriber has the latest book of a quiet symbol at once", async () => {
  await using server = await RedisServer.start();
  const rig = await SinkRig.open(redis_sink, { url: server.url, latest_interval_ms: 10 });
  await published(rig);
  const client = new Redis(server.url);
  await eventually("written", () => latestWritten(client, rig));
  await using reader = new Reader({ url: server.url, symbols: SYMBOLS });
  await eventually("books there", () => reader.mirrors(rig));
  assert.equal(reader.trades.size, 0);
  await rig.close();
  await client.quit();
});

liveTest("symbols come and go while it runs", async () => {
  await using server = await RedisServer.start();
  await using reader = new Reader({ url: server.url, symbols: ["BTCUSDT"] });
  await eventually("subscribed", () => reader.source.notReady() === undefined);
  const rig = await SinkRig.open(redis_sink, { url: server.url });
  reader.source.setSymbols!(["ETHUSDT"]);
  reader.books.remove("BTCUSDT");
  reader.books.add("ETHUSDT");
  const client = new Redis(server.url);
  await eventually("unsubscribed and subscribed", async () => {
    const channels = await client.pubsub("CHANNELS", "trades:*") as string[];
    return channels.join() === "trades:ETHUSDT";
  });
  await published(rig);
  await eventually("the one", () => reader.trades.get("ETHUSDT")?.length === 50);
  assert.deepEqual([...reader.trades.keys()], ["ETHUSDT"]);
  await rig.close();
  await client.quit();
});

liveTest(
  "streams are resumed after a break and, by their position key, after a restart: nothing lost or twice",
  async () => {
    await using server = await RedisServer.start({ keeps_data: true });
    const config = {
      url: server.url,
      symbols: SYMBOLS,
      read: "streams",
      from: "0",
      position_key: "at",
    } as const;
    const rig = await SinkRig.open(redis_sink, { url: server.url, deliver: "streams" });
    await published(rig);
    const all = new Map<string, number[]>();
    const collect = (reader: Reader) => {
      for (const [symbol, ids] of reader.trades) all.set(symbol, [...all.get(symbol) ?? [], ...ids]);
    };
    {
      await using reader = new Reader(config);
      await complete(reader, rig);
      await server.kill();
      await eventually("noticed", () => reader.source.notReady() !== undefined);
      await rig.traffic(SYMBOLS, 20);
      await server.start();
      await published(rig);
      await complete(reader, rig);
      assert.equal(reader.count("redis_source_trimmed_total"), 0);
      collect(reader);
    }
    // Nobody reads now.
    await published(rig);
    {
      await using reader = new Reader(config);
      await complete(reader, rig);
      collect(reader);
    }
    for (const symbol of SYMBOLS) assert.deepEqual(all.get(symbol), rig.offered.get(symbol));
    await rig.close();
  },
);

liveTest("streams that were trimmed before they were read are told", async () => {
  await using server = await RedisServer.start();
  const rig = await SinkRig.open(redis_sink, { url: server.url, deliver: "streams" });
  await published(rig);
  const client = new Redis(server.url);
  const [[first]] = await client.xrange("trades:BTCUSDT", "-", "+", "COUNT", 1);
  await client.xtrim("trades:BTCUSDT", "MAXLEN", "=", 5);
  await client.hset("at", "trades:BTCUSDT", first);
  await using reader = new Reader({
    url: server.url,
    symbols: ["BTCUSDT"],
    read: "streams",
    position_key: "at",
  });
  await eventually("the rest", () => reader.trades.get("BTCUSDT")?.length === 5);
  assert.equal(reader.count("redis_source_trimmed_total"), 1);
  await rig.close();
  await client.quit();
});

liveTest("in a Cluster: streams, sharded and classic pub/sub, each read whole", async () => {
  await using cluster = await RedisClusterServers.start("redis-server", systemClock);
  const where = { url: cluster.url, topology: "cluster", nodes: cluster.addresses.slice(1) } as const;
  for (const way of ["streams", "sharded_pubsub", "pubsub"] as const) {
    await using reader = new Reader({ ...where, symbols: SYMBOLS, read: way, from: "0" });
    await eventually(`${way} ready`, () => reader.source.notReady() === undefined);
    const rig = await SinkRig.open(redis_sink, { ...where, deliver: way });
    await published(rig);
    await complete(reader, rig);
    for (const symbol of SYMBOLS) assert.deepEqual(reader.trades.get(symbol), rig.offered.get(symbol));
    const slot = clusterSlot("trades:BTCUSDT");
    const home = Math.floor(slot / 16_384 * 3);
    await cluster.moveSlot(slot, home, (home + 1) % 3);
    await eventually(`${way} again`, () => reader.source.notReady() === undefined);
    await eventually("trades of the moved slot", async () => {
      rig.trade("BTCUSDT");
      rig.queue.flush();
      await sleep(systemClock, 20);
      return reader.trades.get("BTCUSDT")!.at(-1)! > rig.trade_id - 50;
    });
    await cluster.moveSlot(slot, (home + 1) % 3, home);
    assert.equal(await rig.close(), 0);
  }
});

liveTest("it stops at once, whatever it waits for", async () => {
  await using server = await RedisServer.start();
  const rig = await SinkRig.open(redis_sink, { url: server.url, deliver: "streams" });
  for (let round = 0; round < 5; round++) {
    const reader = new Reader({ url: server.url, symbols: SYMBOLS, read: "streams", position_key: "at" });
    if (round > 0) await eventually("ready", () => reader.source.notReady() === undefined);
    const traffic = rig.traffic(SYMBOLS, 30);
    await sleep(systemClock, 5 * round);
    await reader[Symbol.asyncDispose]();
    await traffic;
  }
  await rig.close();
});
