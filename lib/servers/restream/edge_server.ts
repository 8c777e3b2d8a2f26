/**
 * A restream server put together: listener, door and edge on one side, the hub's market on the other, in this thread. Keeps
 * what a server must: nothing accepted once it stops, everybody told, an end in bounded time.
 */
import { randomUUID } from "node:crypto";
import type { Hub } from "../../flow/hub.ts";
import type { Access } from "../access/access.ts";
import { FrontDoor, type FrontDoorConfig } from "../access/front_door.ts";
import type { TlsPair } from "../check_tls.ts";
import { openListener } from "../listen.ts";
import type { Server } from "../server.ts";
import { edgeLimits, type EdgeOptionsConfig } from "./config.ts";
import { Door } from "./edge/door.ts";
import { Edge } from "./edge/edge.ts";
import { MarketSide } from "./market/market_side.ts";
import { serverMetrics } from "./server_metrics.ts";

/** Sockets still in their handshake, beside the clients. */
export const HANDSHAKES = 64;

export interface EdgeServerOptions {
  readonly name: string;
  readonly listen: string;
  readonly tls?: TlsPair;
  readonly access: Access;
  readonly front_door: FrontDoorConfig;
  /** Pages served from this machine may connect. */
  readonly loopback_pages: boolean;
  readonly auth_timeout_ms: number;
  readonly edge: EdgeOptionsConfig;
}

export async function openEdgeServer(options: EdgeServerOptions, hub: Hub): Promise<Server> {
  const { name, listen, tls, access, front_door, loopback_pages, auth_timeout_ms } = options;
  const { clock, log } = hub;
  const listener = await openListener({
    listen,
    flag: "--listen",
    tls,
    max_connections: options.edge.max_clients + HANDSHAKES,
  });
  const metrics = serverMetrics(hub.metrics);
  const limits = edgeLimits(options.edge);
  // Tells a client that comes back whether sequences go on (same epoch) or start anew.
  const epoch = Math.floor(clock.now_us()).toString(36);
  const edge = new Edge({ clock, log, metrics, limits, epoch });
  const door = new Door({
    edge,
    access,
    front_door: new FrontDoor(front_door, clock, hub.metrics, { loopback_pages }),
    server: `mdg ${hub.version}`,
    max_clients: limits.max_clients,
    auth_timeout_ms,
    newSessionId: randomUUID,
  });
  const market = new MarketSide(name, hub, edge);
  edge.connect(market);
  const uncollect = hub.metrics.onCollect(() => collect(edge));
  const { server } = listener;
  server.on("connection", (socket) => door.onConnection(socket));
  server.on("upgrade", (request, socket, head) => void door.onUpgrade(request, socket, head));
  server.on("request", (request, response) => door.onRequest(request, response));
  return {
    name,
    address: listener.address,
    url: `${tls ? "wss" : "ws"}://${listener.address}`,
    async [Symbol.asyncDispose]() {
      listener.stop();
      door.close();
      market.stop();
      uncollect();
      await edge.close();
      await listener.close();
      await access[Symbol.asyncDispose]();
    },
  };
}

function collect(edge: Edge): void {
  const { metrics } = edge.options;
  let subscriptions = 0;
  let queued_bytes = 0;
  for (const client of edge.clients) {
    subscriptions += client.by_stream.size;
    queued_bytes += client.queued_bytes;
  }
  metrics.clients.value = edge.clients.size;
  metrics.subscriptions.value = subscriptions;
  metrics.queued_bytes.value = queued_bytes;
  metrics.history_bytes.value = edge.history.bytes;
}
