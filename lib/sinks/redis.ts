/**
 * Redis for consumers of the old service (same channels, same JSON) by pub/sub, sharded pub/sub or streams, plus the
 * latest book of each symbol under a key for late joiners; one server, Sentinels or a Cluster. Nothing is queued inside
 * the client: the delivery queue holds the bound. A message whose fate is unknown when a connection breaks is sent again,
 * so a trade may come twice (same `trade_id`), never out of order. Refuses: a stale latest book — it is deleted when the
 * book leaves sync, and expires.
 */
import { z } from "zod";
import { checkRedisAddress, readRedisAddress, REDIS_ADDRESS } from "../config/redis_address.ts";
import { defineSink } from "./sink.ts";
import { channelOf, isPartitioned } from "../wire/redis/channel_of.ts";

/** Text that names an instrument by `{symbol}`, by `{venue}` too where several share a Redis, and by `{shard}` in a Cluster. */
const template = (otherwise: string) =>
  z.string().refine((text) => text.includes("{symbol}"), "must contain {symbol}").default(otherwise);
/** By `{shard}` alone it names one of 128 partitions, each of which carries many symbols. */
const channel = (otherwise: string) =>
  z.string().refine((text) => /\{(symbol|shard)\}/.test(text), "must contain {symbol} or {shard}").default(
    otherwise,
  );
const length = (otherwise: number) => z.int().min(1).max(1_000_000_000).default(otherwise);
const milliseconds = (otherwise: number, min: number) => z.int().min(min).max(3_600_000).default(otherwise);

export const REDIS_SCHEMA = z.strictObject({
  ...REDIS_ADDRESS,
  deliver: z.enum(["pubsub", "sharded_pubsub", "streams"]).default("pubsub").describe(
    "PUBLISH, or SPUBLISH for subscribers of single shards, or XADD to streams named like the channels, " +
      "field payload",
  ),
  streams: z.strictObject({
    max_books: length(1_000).describe("Entries kept of a stream of books, about"),
    max_trades: length(100_000).describe("Entries kept of a stream of trades, about"),
  }).prefault({}),
  wait_replicas: z.int().min(0).max(16).default(0).describe(
    "Each write waits until so many replicas have it, so that a failover loses nothing",
  ),
  wait_timeout_ms: milliseconds(100, 1).describe(
    "Replicas that take longer are not waited for; it is counted",
  ),
  order_book_depth: z.int().min(1).max(5_000).default(20).describe("Levels a side in a book payload"),
  channels: z.strictObject({
    book: channel("orderbook:{symbol}").describe(
      "Channel, or stream, of books; {shard} in it spreads symbols evenly over a Cluster; {shard} without {symbol}: " +
        "128 partitions, which a reader can subscribe to without knowing a symbol",
    ),
    trades: channel("trades:{symbol}").describe("Channel, or stream, of trades"),
  }).prefault({}),
  latest_key: template("orderbook:latest:{symbol}")
    .describe("Key of the latest book, deleted when the book leaves sync"),
  latest_interval_ms: milliseconds(100, 10).describe(
    "The latest book is written at most this often per symbol",
  ),
  latest_ttl_ms: milliseconds(60_000, 1_000).describe(
    "The latest book expires when it is not renewed for so long",
  ),
  max_queued_trades: z.int().min(1).max(10_000_000).default(100_000)
    .describe("Trades kept while Redis is away; then the oldest are dropped and counted"),
}).superRefine((config, context) => {
  checkRedisAddress(config, context);
  if (config.topology !== "cluster" || config.deliver === "pubsub") return;
  for (const key of ["book", "trades"] as const) {
    // A fixed hash tag puts all symbols on one slot, so on one master.
    if (!/\{(?!symbol\}|venue\}|shard\})[^}]/.test(config.channels[key])) continue;
    const message = "must not have a hash tag: every symbol would be on one node of the Cluster";
    context.addIssue({ code: "custom", path: ["channels", key], message });
  }
});
export type RedisConfig = z.output<typeof REDIS_SCHEMA>;

export const redis = defineSink({
  name: "redis",
  summary:
    "Redis channels or streams orderbook:{SYMBOL} and trades:{SYMBOL}, and the latest book under a key",
  schema: REDIS_SCHEMA,
  target: ({ channels: { book } }, venue, symbol) => {
    const name = channelOf(book, venue, symbol);
    // A partition is shared; what tells its symbols apart is the payload.
    return isPartitioned(book) ? `${symbol} in ${name}` : name;
  },
  async connect(config, context) {
    // The client library is loaded only where this sink is used.
    const { RedisSink } = await import("./redis/redis_sink.ts");
    return new RedisSink(config, await readRedisAddress(config), context);
  },
});
