/**
 * The source `rabbitmq_stream`: the normalised data that another mdg's sink of this name wrote, back as market events.
 * Books are whole snapshots of as many levels as were published; several publishers are merged. Streams lose nothing that
 * they still hold: reading goes on where it was after a break, and with `consumer` after a restart.
 */
import { z } from "zod";
import { RABBITMQ_ADDRESS, streamName } from "../config/rabbitmq_address.ts";
import { defineSource } from "./source.ts";
import { StreamSource } from "./rabbitmq_stream/stream_source.ts";

const KINDS = ["book", "trade", "quote", "ticker", "candle"] as const;

const schema = z.strictObject({
  ...RABBITMQ_ADDRESS,
  stream: streamName("marketupdates").describe("Stream, or super stream, of the normalised data"),
  venue: z.string().min(1).max(64).describe(
    "the venue whose instruments are taken, as the publisher calls it",
  ),
  symbols: z.array(z.string().min(1).max(64)).min(1).max(5_000).default(["*"])
    .describe('as the venue writes them; a pattern ("*", "BTC*") takes all that fit, also later ones'),
  kinds: z.array(z.enum(KINDS)).min(1).default([...KINDS]).describe("what is taken"),
  from: z.union([z.enum(["next", "first", "last"]), z.int().min(0)]).default("next")
    .describe("next: what comes from now on, first: all there is, last: the newest chunk, or an offset"),
  consumer: z.string().regex(/^[\w.:~-]{1,200}$/).optional()
    .describe("The broker keeps under this name how far it was read, so that a restart goes on there"),
});
export type StreamSourceConfig = z.output<typeof schema>;

export const rabbitmq_stream = defineSource({
  name: "rabbitmq_stream",
  summary: "What another mdg writes to RabbitMQ Streams",
  schema,
  create: (config, context) => new StreamSource(config, context),
});
