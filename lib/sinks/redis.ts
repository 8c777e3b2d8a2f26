/**
 * Redis pub/sub for consumers of the old service (same channels, same JSON), plus the latest book of each symbol under a
 * key for late joiners. Connects and reconnects by itself; nothing is queued inside the client: the delivery queue holds
 * the bound. A message whose fate is unknown when a connection breaks is sent again, so a trade may come twice (same
 * `trade_id`), never out of order. Refuses: a stale latest book — it is deleted when the book leaves sync, and expires.
 */
import { z } from "zod";
import { secret } from "../config/secret.ts";
import { defineSink } from "./sink.ts";
import { channelOf } from "./redis/channel_of.ts";

/** Text that names an instrument by `{symbol}` and, where several venues share a Redis, `{venue}`. */
const template = (otherwise: string) =>
  z.string().refine((text) => text.includes("{symbol}"), "must contain {symbol}").default(otherwise);
const milliseconds = (otherwise: number, min: number) => z.int().min(min).max(3_600_000).default(otherwise);

/** "redis" or "rediss", host, optional port, user, password, database number. */
function isRedisUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, hostname, pathname, username, password } = new URL(text);
  try {
    decodeURIComponent(username + password);
  } catch {
    return false;
  }
  return (protocol === "redis:" || protocol === "rediss:") && hostname !== "" && /^\/?\d*$/.test(pathname);
}

export const REDIS_SCHEMA = z.strictObject({
  url: z.string().refine(isRedisUrl, "must be redis://[user:password@]host[:port][/db], or rediss:// for TLS")
    .describe("Where Redis is: redis://127.0.0.1:6379, or rediss:// for TLS"),
  password: secret("Password, when it is not in the URL; it wins over the one there").optional(),
  order_book_depth: z.int().min(1).max(5_000).default(20).describe("Levels a side in a book payload"),
  channels: z.strictObject({
    book: template("orderbook:{symbol}").describe("Pub/sub channel of books"),
    trades: template("trades:{symbol}").describe("Pub/sub channel of trades"),
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
  connect_timeout_ms: milliseconds(5_000, 100).describe("Deadline of one connection attempt"),
  command_timeout_ms: milliseconds(5_000, 100)
    .describe("Without an answer for so long the connection is given up and made anew"),
});
export type RedisConfig = z.output<typeof REDIS_SCHEMA>;

export const redis = defineSink({
  name: "redis",
  summary: "Redis pub/sub: orderbook:{SYMBOL} and trades:{SYMBOL}, and the latest book under a key",
  schema: REDIS_SCHEMA,
  target: (config, venue, symbol) => channelOf(config.channels.book, venue, symbol),
  async connect(config, context) {
    // The client library is loaded only where this sink is used.
    const { RedisSink } = await import("./redis/redis_sink.ts");
    return new RedisSink(config, context);
  },
});
