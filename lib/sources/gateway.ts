/**
 * The source `gateway`: another mdg's WebSocket server (protocol version 1, servers/restream/README.md), so that
 * gateways can stand in a row: one at the venue, others where the data is stored or served. Its books are as right as
 * the other's, and interrupted when its are. Refuses: to pass a book on that it could not follow.
 */
import { z } from "zod";
import { ANY_SYMBOL, GatewaySource } from "./gateway/gateway_source.ts";
import { defineSource } from "./source.ts";

const schema = z.strictObject({
  url: z.url({ protocol: /^wss?$/ }).describe("WebSocket server of the other gateway: ws://127.0.0.1:8080"),
  venue: z.string().min(1).max(64).describe(
    "the venue whose instruments are taken, as the other gateway calls it",
  ),
  symbols: z.array(z.string().min(1).max(64)).min(1).max(5_000).default([ANY_SYMBOL])
    .describe('as the venue writes them; "*": all there are, also those added later'),
  channels: z.array(z.enum(["book", "trades", "bbo", "ticker"])).min(1)
    .default(["book", "trades", "bbo", "ticker"]).describe("what to subscribe to"),
  reconnect_delay_ms: z.int().min(1).max(600_000).default(200).describe("first delay, doubled with jitter"),
  max_reconnect_delay_ms: z.int().min(1).max(3_600_000).default(5_000).describe("bound of the delay"),
  max_silence_ms: z.int().min(1_000).max(600_000).default(35_000)
    .describe("a connection silent for this long is dead; more than the other's heartbeat_ms"),
});

export const gateway = defineSource({
  name: "gateway",
  summary: "Another mdg's WebSocket server",
  schema,
  create: (config, context) => new GatewaySource(config, context),
});
