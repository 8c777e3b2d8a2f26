/**
 * `mdg redis2ws` between a real Redis (plain, sharded, a Cluster) and the client of the protocol: what is published
 * arrives whole; a Redis that is killed takes the books out of sync, and they come back with it.
 */
import assert from "node:assert/strict";
import { Redis } from "ioredis";
import { systemClock } from "../../lib/base/clock.ts";
import { redis as redis_sink } from "../../lib/sinks/registry.ts";
import { eventually, SinkRig } from "../contracts/sink_rig.ts";
import { RedisClusterServers } from "../live/redis_cluster.ts";
import { latestWritten } from "../live/redis_reader.ts";
import { RedisServer, redisServerMissing } from "../live/redis_server.ts";
import { testUnless } from "../services.ts";
import { ClientFollower } from "./client_follower.ts";
import { DaemonProcess } from "./daemon_process.ts";
import { until } from "./until.ts";

const VENUE = "some-venue";
/** As many levels a side as are published. */
const DEPTH = 20;
const SYMBOLS = ["BTCUSDT", "ETHUSDT", "XRPUSDT"];
const EVERYTHING = (["book", "trades", "status"] as const).map((channel) => ({ symbol: "*", channel }));
const PARTITIONS = { book: "orderbook:{shard}", trades: "trades:{shard}" };
const liveTest = (name: string, body: () => Promise<void>) => testUnless(redisServerMissing(), name, body);

async function bridge(
  args: readonly string[],
): Promise<{ process: DaemonProcess; url: string; health: string }> {
  const process = new DaemonProcess([
    "redis2ws",
    "--venue",
    VENUE,
    "--listen",
    "127.0.0.1:0",
    "--health-listen",
    "127.0.0.1:0",
    ...args,
  ]);
  const { url } = await process.says("listening", { server: "restream" });
  const { url: health } = await process.says("listening", { server: "health" });
  return { process, url: String(url), health: String(health) };
}
const ready = (health: string, process: DaemonProcess) =>
  until(
    "the bridge to be subscribed",
    async () => {
      const response = await fetch(`${health}/ready`);
      const { reasons } = await response.json();
      return !/redis (at|subscription|cluster|is not)/.test(JSON.stringify(reasons));
    },
    20_000,
    () => process.tail(),
  );

function holds(follower: ClientFollower, rig: SinkRig): boolean {
  return [...rig.books].every(([symbol, { book, sequence }]) => {
    const kept = follower.book(VENUE, symbol);
    return kept?.in_sync && kept.last_update_id === sequence && kept.book!.best_bid === book.best_bid &&
      kept.book!.best_ask === book.best_ask && kept.book!.bids.size === Math.min(DEPTH, book.bids.size);
  });
}
async function followed(follower: ClientFollower, rig: SinkRig, process: DaemonProcess): Promise<void> {
  await until(
    "books and trades",
    () =>
      holds(follower, rig) &&
      SYMBOLS.every((symbol) => follower.trades.get(symbol)?.length === rig.offered.get(symbol)!.length),
    20_000,
    () =>
      `${
        JSON.stringify([...follower.trades].map(([symbol, ids]) => [symbol, ids.length]))
      }\n${process.tail()}`,
  );
  for (const symbol of SYMBOLS) assert.deepEqual(follower.trades.get(symbol), rig.offered.get(symbol));
}

liveTest("plain Redis: all of it by pattern, through a Redis that is killed and comes back", async () => {
  await using server = await RedisServer.start();
  const { process, url, health } = await bridge(["--redis", server.url]);
  await using _process = process;
  await ready(health, process);
  using follower = new ClientFollower([url], EVERYTHING);
  await until("the client", () => follower.ups.length === 1);
  const rig = await SinkRig.open(redis_sink, { url: server.url, latest_interval_ms: 10 });
  await rig.traffic(SYMBOLS, 50);
  await followed(follower, rig, process);
  await server.kill();
  await until(
    "the books to be lost",
    () => SYMBOLS.every((symbol) => !follower.book(VENUE, symbol)!.in_sync),
  );
  assert.ok(follower.losses.every((word) => word.includes("redis:")), follower.losses.join());
  await server.start();
  await ready(health, process);
  await rig.traffic(SYMBOLS, 5);
  await until("the books to be back", () => holds(follower, rig), 20_000, () => process.tail());
  // Nobody publishes any more: who starts now finds the latest books.
  const client = new Redis(server.url);
  await eventually("written", () => latestWritten(client, rig));
  await client.quit();
  await rig.close();
  const late = await bridge(["--redis", server.url, "--pattern", "orderbook:*"]);
  await using _late = late.process;
  using late_follower = new ClientFollower([late.url], EVERYTHING);
  await until("the quiet books", () => holds(late_follower, rig), 20_000, () => late.process.tail());
  assert.deepEqual([follower.unreadable, late_follower.unreadable], [[], []]);
});

liveTest("sharded channels by symbol, and streams of partitions", async () => {
  await using server = await RedisServer.start();
  const ways = [
    ["sharded_pubsub", { deliver: "sharded_pubsub" }, ["--symbols", SYMBOLS.join()]],
    ["streams", { deliver: "streams", channels: PARTITIONS }, [
      "--symbols",
      "*",
      "--book",
      PARTITIONS.book,
      "--trades",
      PARTITIONS.trades,
    ]],
  ] as const;
  for (const [read, config, args] of ways) {
    const latest_key = `${read}:{symbol}`;
    const { process, url, health } = await bridge([
      "--redis",
      server.url,
      "--read",
      read,
      "--latest-key",
      latest_key,
      ...args,
    ]);
    await using _process = process;
    await ready(health, process);
    using follower = new ClientFollower([url], EVERYTHING);
    await until("the client", () => follower.ups.length === 1);
    const rig = await SinkRig.open(redis_sink, { url: server.url, latest_key, ...config });
    // Where a stream ends is found out first; what comes before that is the past.
    if (read === "streams") await rig.traffic(SYMBOLS, 1);
    await rig.traffic(SYMBOLS, 50);
    const flows = async () => {
      if (holds(follower, rig)) return true;
      // What came before the source knew where the streams end is the past: there must be something after it.
      await rig.traffic(SYMBOLS, 1);
      return false;
    };
    if (read === "streams") await until("books", flows, 20_000, () => process.tail());
    else await followed(follower, rig, process);
    await rig.close();
  }
});

liveTest("a Cluster: classic patterns, and sharded partitions", async () => {
  await using cluster = await RedisClusterServers.start("redis-server", systemClock);
  const where = { url: cluster.url, topology: "cluster", nodes: cluster.addresses.slice(1) } as const;
  const flags = [
    "--redis",
    cluster.url,
    "--topology",
    "cluster",
    ...cluster.addresses.slice(1).flatMap((address) => ["--node", address]),
  ];
  const ways = [
    [{ deliver: "pubsub" }, ["--pattern", "orderbook:*,trades:*"]],
    [{ deliver: "sharded_pubsub", channels: PARTITIONS }, [
      "--read",
      "sharded_pubsub",
      "--symbols",
      "*",
      "--book",
      PARTITIONS.book,
      "--trades",
      PARTITIONS.trades,
    ]],
  ] as const;
  for (const [config, args] of ways) {
    const latest_key = `${config.deliver}:{symbol}`;
    const { process, url, health } = await bridge([...flags, "--latest-key", latest_key, ...args]);
    await using _process = process;
    await ready(health, process);
    using follower = new ClientFollower([url], EVERYTHING);
    await until("the client", () => follower.ups.length === 1);
    const rig = await SinkRig.open(redis_sink, { ...where, latest_key, ...config });
    await rig.traffic(SYMBOLS, 50);
    await followed(follower, rig, process);
    await rig.close();
  }
});
