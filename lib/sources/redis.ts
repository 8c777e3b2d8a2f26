/**
 * The source `redis`: what another mdg (or the old service) publishes there, back as market events, so that any sink or
 * server works behind it. Books are whole snapshots of as many levels as were published. Pub/sub loses what comes while
 * we are away, and nobody can tell how many trades; books leave sync then and return with the next one or the latest key.
 * Streams lose nothing that they still hold: reading resumes where it was, across restarts with `position_key`.
 */
import { z } from "zod";
import { checkRedisAddress, REDIS_ADDRESS } from "../config/redis_address.ts";
import { isPartitioned } from "../wire/redis/channel_of.ts";
import { isGlob } from "../wire/redis/glob.ts";
import { RedisSource } from "./redis/redis_source.ts";
import { defineSource } from "./source.ts";

/** Sharded channels and streams have no patterns: who does not know the symbols reads partitions. */
function checkSymbols(
  { symbols, patterns, read, channels }: {
    symbols: readonly string[];
    patterns: readonly string[];
    read: string;
    channels: { book: string; trades: string };
  },
  context: z.RefinementCtx,
): void {
  const refuse = (path: string, message: string) =>
    context.addIssue({ code: "custom", path: [path], message });
  if (symbols.length === 0 && patterns.length === 0) {
    refuse("symbols", 'must name a symbol, or be a pattern: ["*"]');
  }
  if (read === "pubsub") return;
  if (patterns.length > 0) refuse("patterns", `must be empty with read "${read}", which has no patterns`);
  const is_partitioned = isPartitioned(channels.book) && isPartitioned(channels.trades);
  if (symbols.some(isGlob) && !is_partitioned) {
    refuse(
      "symbols",
      `must not be patterns with read "${read}", unless channels are partitions: {shard} without {symbol}`,
    );
  }
}

const template = (otherwise: string) =>
  z.string().refine((text) => text.includes("{symbol}"), "must contain {symbol}").default(otherwise);
const channel = (otherwise: string) =>
  z.string().refine((text) => /\{(symbol|shard)\}/.test(text), "must contain {symbol} or {shard}").default(
    otherwise,
  );

export const REDIS_SOURCE_SCHEMA = z.strictObject({
  ...REDIS_ADDRESS,
  symbols: z.array(z.string().min(1).max(64)).max(5_000).default([])
    .describe('as the publisher writes them; a pattern ("*", "BTC*") takes all that fit, also later ones'),
  patterns: z.array(z.string().min(1).max(256)).max(64).default([])
    .describe(
      "Channels as PSUBSCRIBE takes them (orderbook:*): any symbol that comes there is taken; beside or instead of symbols",
    ),
  venue: z.string().min(1).max(64).default("redis")
    .describe("What the events are said to come from: the venue that the publisher took them from"),
  read: z.enum(["pubsub", "sharded_pubsub", "streams"]).default("pubsub").describe(
    "How the publisher delivers: PUBLISH, SPUBLISH or XADD",
  ),
  channels: z.strictObject({
    book: channel("orderbook:{symbol}").describe(
      "Channel, or stream, of books; with {shard} alone: 128 partitions that carry all symbols",
    ),
    trades: channel("trades:{symbol}").describe("Channel, or stream, of trades"),
  }).prefault({}),
  latest_key: template("orderbook:latest:{symbol}")
    .describe("Key of the latest book, read once subscribed, so that a quiet book is there too"),
  from: z.string().regex(/^(\$|0|\d{1,20}(-\d{1,20})?)$/, "must be $, 0 or a stream id").default("$")
    .describe("Where streams are read from: $ what comes from now on, 0 all there is, or an id"),
  position_key: z.string().min(1).optional()
    .describe("Key under which the ids reached are kept, so that a restart resumes there"),
  max_queued_events: z.int().min(1_000).max(10_000_000).default(100_000)
    .describe("Messages kept while the gateway is behind; then the oldest are dropped and counted"),
}).superRefine((config, context) => {
  checkRedisAddress(config, context);
  checkSymbols(config, context);
});
export type RedisSourceConfig = z.output<typeof REDIS_SOURCE_SCHEMA>;

export const redis = defineSource({
  name: "redis",
  summary: "Books and trades that another mdg publishes to Redis, by pub/sub or streams",
  schema: REDIS_SOURCE_SCHEMA,
  create: (config, context) => new RedisSource(config, context),
});
