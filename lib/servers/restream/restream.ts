/**
 * The public server: TLS, tenants, thousands of clients. Secure by default: plain sockets on loopback only and tokens wanted
 * unless the config says otherwise in words. With `edge.workers` the client side runs in Workers that share the port.
 */
import { z } from "zod";
import { UserError } from "../../base/errors.ts";
import { openAccess } from "../access/open_access.ts";
import { accessSchema } from "../access/access_config.ts";
import { FRONT_DOOR } from "../access/front_door.ts";
import { OpenAccess } from "../access/open_to_all.ts";
import { listenSchema, parseListen } from "../listen.ts";
import { defineServer, type Server } from "../server.ts";
import { openTls, tlsSchema } from "../tls_reload.ts";
import { EDGE_OPTIONS } from "./config.ts";
import type { EdgeSiteOptions } from "./edge/edge_site.ts";
import { newEpoch, openEdgeServer } from "./edge_server.ts";
import { openWorkerServer } from "./worker/worker_server.ts";

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|::1)$/;

export const restreamSchema = z.object({
  listen: listenSchema("127.0.0.1:8443"),
  tls: tlsSchema.optional().describe("Certificate and key; without them plain ws:// on loopback only"),
  plain: z.enum(["loopback", "anywhere"]).default("loopback")
    .describe("Where ws:// without TLS may listen: anywhere is for networks that somebody else protects"),
  access: z.union([accessSchema, z.literal("open")])
    .describe("Tenants and tokens, or the word open: everybody who reaches the port is let in"),
  auth_timeout_ms: z.int().min(100).max(60_000).default(5_000)
    .describe("A client that sends no token with its handshake must send one within this time"),
  edge: z.strictObject({
    workers: z.int().min(0).max(64).default(0)
      .describe("Threads for the clients' side, all on one port; 0: the gateway's own thread"),
    ring_bytes: z.int().min(16_777_216).max(1_073_741_824).default(67_108_864)
      .describe(
        "Shared memory between the market and the workers; one that falls behind by all of it starts anew",
      ),
  }).prefault({}),
  ...FRONT_DOOR,
  ...EDGE_OPTIONS,
});
export type RestreamConfig = z.output<typeof restreamSchema>;

export const restream = defineServer({
  name: "restream",
  summary: "Market data over secure WebSocket to many tenants, with back-pressure and memory guarded",
  schema: restreamSchema,
  async open(config, hub): Promise<Server> {
    requireSafe(config);
    const options = siteOptions(config, newEpoch(hub), `mdg ${hub.version}`);
    const { clock, log, metrics } = hub;
    if (config.edge.workers > 0) return await openWorkerServer(config, options, hub);
    const access = config.access === "open"
      ? new OpenAccess()
      : await openAccess(config.access, { clock, log, metrics });
    const tls = config.tls && await openTls(config.tls, { clock, log, metrics, server: "restream" });
    return await openEdgeServer(options, { access, tls }, hub);
  },
});

export function siteOptions(config: RestreamConfig, epoch: string, server: string): EdgeSiteOptions {
  const { listen, tls: _, plain: __, access: ___, auth_timeout_ms, edge: ____, ...rest } = config;
  const {
    allowed_origins,
    trusted_proxies,
    max_connections_per_address,
    accepts_per_second_per_address,
    max_unauthenticated,
    ...edge
  } = rest;
  return {
    name: "restream",
    listen,
    front_door: {
      allowed_origins,
      trusted_proxies,
      max_connections_per_address,
      accepts_per_second_per_address,
      max_unauthenticated,
    },
    loopback_pages: false,
    auth_timeout_ms,
    edge,
    epoch,
    server,
  };
}

/** @throws UserError (exit 2) where data or tokens would cross a network in the clear */
function requireSafe({ listen, tls, plain }: RestreamConfig): void {
  if (tls !== undefined || plain === "anywhere" || LOOPBACK.test(parseListen(listen)!.host)) return;
  throw new UserError(`listen on "${listen}": no TLS, want tls with a certificate and a key`, {
    code: 2,
    hint: "on a network that something else protects, servers[].plain: anywhere allows ws://",
  });
}
