/**
 * The plain WebSocket server: the restream protocol over ws://, everybody welcome. For this machine and trusted networks:
 * no TLS, no accounts; `restream` beside is the one for the public.
 */
import { z } from "zod";
import { listenSchema } from "../listen.ts";
import { defineServer } from "../server.ts";
import { OpenAccess } from "../access/open_to_all.ts";
import { EDGE_OPTIONS } from "./config.ts";
import { HANDSHAKES } from "./edge/edge_site.ts";
import { newEpoch, openEdgeServer } from "./edge_server.ts";

export const websocket = defineServer({
  name: "websocket",
  summary: "Market data over plain WebSocket, for this machine and trusted networks",
  schema: z.object({
    listen: listenSchema("127.0.0.1:8080"),
    allowed_origins: z.array(z.string()).max(1_000).default([])
      .describe(
        "Origins of web pages that may connect, besides pages served from this machine; exact, no wildcard",
      ),
    ...EDGE_OPTIONS,
  }),
  open(config, hub) {
    const { listen, allowed_origins, ...edge } = config;
    const options = {
      name: "websocket",
      listen,
      front_door: {
        allowed_origins,
        trusted_proxies: [],
        // One machine: every client may come from the same address, and none has a token to show.
        max_connections_per_address: config.max_clients + HANDSHAKES,
        accepts_per_second_per_address: 100_000,
        max_unauthenticated: config.max_clients + HANDSHAKES,
      },
      loopback_pages: true,
      auth_timeout_ms: 5_000,
      edge,
      epoch: newEpoch(hub),
      server: `mdg ${hub.version}`,
    };
    return openEdgeServer(options, { access: new OpenAccess() }, hub);
  },
});
