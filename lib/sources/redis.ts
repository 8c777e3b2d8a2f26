/**
 * The source `redis`: what another mdg (or the old service) publishes there, back as market events, so that any sink or
 * server works behind it. Books are whole snapshots of as many levels as were published. Pub/sub loses what comes while
 * we are away, and nobody can tell how many trades; books leave sync then and return with the next one or the latest key.
 * Streams lose nothing that they still hold: reading resumes where it was, across restarts with `position_key`.
 */
import { z } from "zod";
import { checkRedisAddress, REDIS_ADDRESS } from "../config/redis_address.ts";
import { RedisSource } from "./redis/redis_source.ts";
import { defineSource } from "./source.ts";

const template = (otherwise: string) =>
  z.string().refine((text) => text.includes("{symbol}"), "must contain {symbol}").default(otherwise);

export const REDIS_SOURCE_SCHEMA = z.strictObject({
  ...REDIS_ADDRESS,
  symbols: z.array(z.string().min(1).max(64)).min(1).max(5_000).describe("as the publisher writes them"),
  venue: z.string().min(1).max(64).default("redis")
    .describe("What the events are said to come from: the venue that the publisher took them from"),
  read: z.enum(["pubsub", "sharded_pubsub", "streams"]).default("pubsub").describe(
    "How the publisher delivers: PUBLISH, SPUBLISH or XADD",
  ),
  channels: z.strictObject({
    book: template("orderbook:{symbol}").describe("Channel, or stream, of books"),
    trades: template("trades:{symbol}").describe("Channel, or stream, of trades"),
  }).prefault({}),
  latest_key: template("orderbook:latest:{symbol}")
    .describe("Key of the latest book, read once subscribed, so that a quiet book is there too"),
  from: z.string().regex(/^(\$|0|\d{1,20}(-\d{1,20})?)$/, "must be $, 0 or a stream id").default("$")
    .describe("Where streams are read from: $ what comes from now on, 0 all there is, or an id"),
  position_key: z.string().min(1).optional()
    .describe("Key under which the ids reached are kept, so that a restart resumes there"),
  max_queued_events: z.int().min(1_000).max(10_000_000).default(100_000)
    .describe("Messages kept while the gateway is behind; then the oldest are dropped and counted"),
}).superRefine(checkRedisAddress);
export type RedisSourceConfig = z.output<typeof REDIS_SOURCE_SCHEMA>;

export const redis = defineSource({
  name: "redis",
  summary: "Books and trades that another mdg publishes to Redis, by pub/sub or streams",
  schema: REDIS_SOURCE_SCHEMA,
  create: (config, context) => new RedisSource(config, context),
});
