/** Reading without knowing the symbols: patterns of pub/sub, partitions of sharded pub/sub and of streams. */
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { systemClock } from "../../lib/base/clock.ts";
import { redis as redis_sink } from "../../lib/sinks/registry.ts";
import { eventually, SinkRig } from "../contracts/sink_rig.ts";
import { testUnless } from "../services.ts";
import { RedisClusterServers } from "./redis_cluster.ts";
import { latestWritten, RedisReader } from "./redis_reader.ts";
import { RedisServer, redisServerMissing } from "./redis_server.ts";

const SYMBOLS = ["BTCUSDT", "ETHUSDT", "XRPUSDT"];
const PARTITIONS = { book: "orderbook:{shard}", trades: "trades:{shard}" };
const liveTest = (name: string, body: () => Promise<void>) => testUnless(redisServerMissing(), name, body);

async function published(rig: SinkRig): Promise<void> {
  await rig.traffic(SYMBOLS, 50);
  await eventually("published", () => rig.queue.queued === 0);
}
async function readWhole(reader: RedisReader, rig: SinkRig, what: string): Promise<void> {
  await eventually(
    `${what}: all read`,
    () =>
      reader.mirrors(rig) &&
      SYMBOLS.every((symbol) => reader.trades.get(symbol)?.length === rig.offered.get(symbol)!.length),
  );
  for (const symbol of SYMBOLS) assert.deepEqual(reader.trades.get(symbol), rig.offered.get(symbol), what);
}

liveTest(
  "patterns of channels and of symbols: all that fit are learnt, also a quiet book's latest",
  async () => {
    await using server = await RedisServer.start();
    const rig = await SinkRig.open(redis_sink, { url: server.url, latest_interval_ms: 10 });
    for (const config of [{ patterns: ["orderbook:*", "trades:*"] }, { symbols: ["*"] }]) {
      await using reader = new RedisReader({ url: server.url, ...config });
      await eventually("subscribed", () => reader.source.notReady() === undefined);
      const before = new Map([...rig.offered].map(([symbol, ids]) => [symbol, ids.length]));
      await published(rig);
      await eventually("all read", () => reader.mirrors(rig));
      for (const symbol of SYMBOLS) {
        assert.deepEqual(reader.trades.get(symbol), rig.offered.get(symbol)!.slice(before.get(symbol) ?? 0));
      }
    }
    // Nobody publishes any more.
    const client = new Redis(server.url);
    await eventually("written", () => latestWritten(client, rig));
    await client.quit();
    await using late = new RedisReader({ url: server.url, symbols: ["*"] });
    await eventually("the latest books", () => late.mirrors(rig));
    await using one = new RedisReader({ url: server.url, symbols: ["ETH*"] });
    await eventually("the one book", () => one.books.instruments.get("ETHUSDT")?.in_sync === true);
    assert.deepEqual(one.source.symbols, ["ETHUSDT"]);
    await server.kill();
    await eventually("out of sync", () => !late.books.instruments.get("BTCUSDT")!.in_sync);
    await server.start();
    await published(rig);
    await eventually("back", () => late.mirrors(rig));
    await rig.close();
  },
);

liveTest("partitions are read without knowing a symbol, and by those who know one", async () => {
  await using server = await RedisServer.start();
  for (const way of ["sharded_pubsub", "streams", "pubsub"] as const) {
    const latest_key = `${way}:latest:{symbol}`;
    const config = { url: server.url, channels: PARTITIONS, latest_key };
    await using reader = new RedisReader({ ...config, symbols: ["*"], read: way, from: "$" });
    await using one = new RedisReader({ ...config, symbols: ["ETHUSDT"], read: way, from: "$" });
    const is_ready = ({ source }: RedisReader) => source.notReady() === undefined;
    await eventually(`${way} ready`, () => is_ready(reader) && is_ready(one));
    const rig = await SinkRig.open(redis_sink, { ...config, deliver: way });
    // A stream's end is looked up before it is read.
    if (way === "streams") await rig.traffic(SYMBOLS, 1);
    await published(rig);
    await eventually("the one", () => one.books.instruments.get("ETHUSDT")?.in_sync === true);
    assert.deepEqual([...one.books.instruments.keys()], ["ETHUSDT"]);
    if (way === "streams") await eventually("books", () => reader.mirrors(rig));
    else await readWhole(reader, rig, way);
    await rig.close();
  }
});

liveTest("in a Cluster: patterns, and sharded partitions at the owners of their slots", async () => {
  await using cluster = await RedisClusterServers.start("redis-server", systemClock);
  const where = { url: cluster.url, topology: "cluster", nodes: cluster.addresses.slice(1) } as const;
  for (
    const [way, channels] of [["pubsub", undefined], ["sharded_pubsub", PARTITIONS]] as const
  ) {
    const latest_key = `${way}:latest:{symbol}`;
    await using reader = new RedisReader({ ...where, symbols: ["*"], read: way, channels, latest_key });
    await eventually(`${way} ready`, () => reader.source.notReady() === undefined);
    const rig = await SinkRig.open(redis_sink, {
      ...where,
      deliver: way,
      channels,
      latest_key,
      latest_interval_ms: 10,
    });
    await published(rig);
    await readWhole(reader, rig, way);
    // A late one finds the books under their keys, on whichever master they are.
    await rig.close();
    await using late = new RedisReader({ ...where, symbols: ["*"], read: way, channels, latest_key });
    await eventually(`${way} late`, () => late.mirrors(rig));
  }
});
