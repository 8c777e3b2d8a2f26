/**
 * RabbitMQ Streams: every update of the normalised model into `marketupdates`, subscription changes into `subscriptions`,
 * confirmed, and deduplicated by the broker under references and publishing ids that come from the feed (README.md in
 * rabbitmq_stream/). Speaks the stream protocol itself: it works with every broker from 3.9 on, tells every refusal in
 * the broker's own words, and sends what it is given as fast as the socket takes it.
 */
import { z } from "zod";
import { RABBITMQ_ADDRESS, streamName } from "../config/rabbitmq_address.ts";
import { defineSink } from "./sink.ts";

const milliseconds = (otherwise: number, min: number) => z.int().min(min).max(3_600_000).default(otherwise);
const bytes = (otherwise: number, max: number) => z.int().min(1_000_000).max(max).default(otherwise);
const KINDS = ["book", "trade", "quote", "ticker", "candle", "book_status"] as const;

export const RABBITMQ_STREAM_SCHEMA = z.strictObject({
  ...RABBITMQ_ADDRESS,
  streams: z.strictObject({
    market: streamName("marketupdates").describe("Stream, or super stream, of the normalised data"),
    subscriptions: streamName("subscriptions").describe("Stream of subscription changes and their answers"),
  }).prefault({}),
  partitions: z.int().min(0).max(256).default(0)
    .describe("0: one stream; else a super stream of so many, each symbol in one"),
  create: z.boolean().default(true).describe("Create what is missing; false: want it there"),
  retention: z.strictObject({
    max_age: z.string().regex(/^[1-9]\d{0,8}[YMDhms]$/, "must be a number and Y, M, D, h, m or s").default(
      "7D",
    )
      .describe("Older segments are deleted"),
    max_length_bytes: bytes(20_000_000_000, 1e15).describe("The oldest segments go beyond this size"),
    max_segment_bytes: bytes(500_000_000, 3_000_000_000).describe(
      "Retention deletes whole segments of this size",
    ),
  }).prefault({}).describe("Of streams created here; those that exist keep theirs"),
  producer: z.string().regex(/^[\w.:~-]{1,64}$/).default("mdg")
    .describe("Producers of one name are one: what either has published, the other does not add again"),
  kinds: z.array(z.enum(KINDS)).min(1).default([...KINDS]).describe("What is published"),
  order_book_depth: z.int().min(1).max(5_000).default(20).describe("Levels a side of a book"),
  max_queued_trades: z.int().min(1).max(10_000_000).default(100_000)
    .describe("Trades kept while the broker is away; then the oldest are dropped and counted"),
  confirm_timeout_ms: milliseconds(10_000, 100)
    .describe(
      "Without all confirms of a batch for so long the connection is made anew and the rest sent again",
    ),
});
export type RabbitmqStreamConfig = z.output<typeof RABBITMQ_STREAM_SCHEMA>;

export const rabbitmq_stream = defineSink({
  name: "rabbitmq_stream",
  summary: "RabbitMQ Streams: marketupdates and subscriptions, confirmed, without duplicates",
  schema: RABBITMQ_STREAM_SCHEMA,
  async connect(config, context) {
    const { StreamSink } = await import("./rabbitmq_stream/stream_sink.ts");
    return new StreamSink(config, context);
  },
});
