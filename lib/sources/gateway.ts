/**
 * The source `gateway`: another mdg's WebSocket server (protocol version 1, servers/restream/README.md), so that
 * gateways can stand in a row: one at the venue, others where the data is stored or served. Its books are as right as
 * the other's, and interrupted when its are. Refuses: to pass a book on that it could not follow.
 */
import { z } from "zod";
import { secret } from "../config/secret.ts";
import { INTERVALS } from "../market/interval.ts";
import { ANY_SYMBOL } from "../client/wish.ts";
import { GatewaySource } from "./gateway/gateway_source.ts";
import { defineSource } from "./source.ts";

const CHANNELS = ["book", "trades", "bbo", "ticker", "candles"] as const;
const server = () => z.url({ protocol: /^wss?$/ });

const schema = z.strictObject({
  url: server().describe("WebSocket server of the other gateway: ws://127.0.0.1:8080, or wss:// for TLS"),
  other_urls: z.array(server()).max(16).default([])
    .describe("More gateways with the same instruments, tried in turn when one is gone"),
  token: secret("API key or JWT, where the other gateway has tenants").optional(),
  ca_file: z.string().min(1).optional()
    .describe("Certificates of the authorities to trust instead of the well-known ones, PEM file"),
  binary: z.boolean().default(false).describe("The compact form of the protocol; the numbers are the same"),
  venue: z.string().min(1).max(64).describe(
    "the venue whose instruments are taken, as the other gateway calls it",
  ),
  symbols: z.array(z.string().min(1).max(64)).min(1).max(5_000).default([ANY_SYMBOL])
    .describe('as the venue writes them; "*": all there are, also those added later'),
  channels: z.array(z.enum(CHANNELS)).min(1)
    .default(["book", "trades", "bbo", "ticker"]).describe("what to subscribe to"),
  candle_intervals: z.array(z.enum(INTERVALS)).min(1).default(["1m"])
    .describe('with "candles" among the channels'),
  reconnect_delay_ms: z.int().min(1).max(600_000).default(200).describe("first delay, doubled with jitter"),
  max_reconnect_delay_ms: z.int().min(1).max(3_600_000).default(5_000).describe("bound of the delay"),
  max_silence_ms: z.int().min(1_000).max(600_000).optional()
    .describe("a connection silent for this long is dead; absent: three heartbeats of the other gateway"),
});
export type GatewaySourceConfig = z.output<typeof schema>;

export const gateway = defineSource({
  name: "gateway",
  summary: "Another mdg's WebSocket server",
  schema,
  create: (config, context) => new GatewaySource(config, context),
});
