/**
 * The gRPC server: market_data.proto over HTTP/2, health and reflection beside it. Secure by default, as the restream
 * server is: plain on loopback only, and who may call is said in words once other machines can.
 */
import { z } from "zod";
import { UserError } from "../../base/errors.ts";
import { checkRuntime } from "../../cli/check_runtime.ts";
import { accessSchema } from "../access/access_config.ts";
import { FRONT_DOOR } from "../access/front_door.ts";
import { openAccess } from "../access/open_access.ts";
import { OpenAccess } from "../access/open_to_all.ts";
import { listenSchema, parseListen } from "../listen.ts";
import { defineServer, type Server } from "../server.ts";
import { openTls, tlsSchema } from "../tls_reload.ts";

const LOOPBACK = /^(localhost|127(?:\.\d{1,3}){3}|::1)$/;

const { allowed_origins: _, ...front_door } = FRONT_DOOR;

export const grpcSchema = z.object({
  listen: listenSchema("127.0.0.1:50051"),
  tls: tlsSchema.optional().describe("Certificate and key; without them plain HTTP/2 on loopback only"),
  plain: z.enum(["loopback", "anywhere"]).default("loopback")
    .describe("Where plain HTTP/2 may listen: anywhere is for networks that somebody else protects"),
  access: z.union([accessSchema, z.literal("open")]).optional()
    .describe("Tenants and tokens, or the word open: everybody who reaches the port; on loopback it is open"),
  auth_timeout_ms: z.int().min(100).max(60_000).default(5_000)
    .describe("A connection that shows no valid token and makes no call is ended after this time"),
  max_connections: z.int().min(1).max(1_000_000).default(1_000)
    .describe("Connections beyond this are refused at once"),
  max_streams: z.int().min(1).max(100_000).default(2_048)
    .describe("Calls, streams among them, that one connection may have open"),
  max_queue_bytes: z.int().min(65_536).max(1_073_741_824).default(4_194_304)
    .describe("Most bytes waiting for one client over all its calls"),
  max_requests_per_second: z.int().min(1).max(100_000).default(500)
    .describe("Calls a client may begin per second, with bursts of four seconds' worth"),
  keepalive_ms: z.int().min(1_000).max(3_600_000).default(20_000)
    .describe("Period of pings; a connection that has not answered one by the next is ended"),
  idle_ms: z.int().min(1_000).max(86_400_000).default(600_000)
    .describe("A connection without calls is asked to leave after this time"),
  out_of_sync_ms: z.int().min(0).max(3_600_000).default(5_000)
    .describe("A stream of a book that is out of sync for longer ends with UNAVAILABLE"),
  ...front_door,
});
export type GrpcConfig = z.output<typeof grpcSchema>;

export const grpc = defineServer({
  name: "grpc",
  summary: "Books, tickers and trades over gRPC, with flow control that a client cannot outgrow",
  schema: grpcSchema,
  async open(config, hub): Promise<Server> {
    requireSafe(config);
    // A binary may carry an older runtime than source needs; its HTTP/2 takes no connection of ours.
    const unfit = checkRuntime(Deno.version.deno, false);
    if (unfit) throw new UserError(`serve gRPC: ${unfit.message}`, { hint: unfit.hint, cause: unfit });
    // Loaded only where it is served.
    const { GrpcServer } = await import("./grpc_server.ts");
    const { clock, log, metrics } = hub;
    const { access: who = "open" } = config;
    const access = who === "open" ? new OpenAccess() : await openAccess(who, { clock, log, metrics });
    const tls = config.tls && await openTls(config.tls, { clock, log, metrics, server: "grpc" });
    const release = async () => {
      await access[Symbol.asyncDispose]();
      await tls?.[Symbol.asyncDispose]();
    };
    const options = { ...config, front_door: { ...config, allowed_origins: [] } };
    const server = await GrpcServer.open(options, { access, tls }, hub).catch(async (error) => {
      await release();
      throw error;
    });
    const { address } = server.listener;
    return {
      name: "grpc",
      address,
      url: `${tls ? "https" : "http"}://${address}`,
      async [Symbol.asyncDispose]() {
        await server.close();
        await release();
      },
    };
  },
});

/** @throws UserError (exit 2) where data or tokens would cross a network in the clear, or nobody said who may call */
function requireSafe({ listen, tls, plain, access }: GrpcConfig): void {
  if (LOOPBACK.test(parseListen(listen)!.host)) return;
  if (tls === undefined && plain !== "anywhere") {
    throw new UserError(`listen on "${listen}": no TLS, want tls with a certificate and a key`, {
      code: 2,
      hint: "on a network that something else protects, servers[].plain: anywhere allows plain HTTP/2",
    });
  }
  if (access === undefined) {
    throw new UserError(`listen on "${listen}": access not set, want tenants, or the word open`, { code: 2 });
  }
}
