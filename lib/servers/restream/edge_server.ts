/**
 * A restream server in one thread: the hub's market on one side, the clients on the other, plain calls between. Keeps what
 * a server must: nothing accepted once it stops, everybody told, an end in bounded time.
 */
import type { Hub } from "../../flow/hub.ts";
import type { Access } from "../access/access.ts";
import type { Server } from "../server.ts";
import type { TlsReload } from "../tls_reload.ts";
import { EdgeSite, type EdgeSiteOptions } from "./edge/edge_site.ts";
import { MarketSide } from "./market/market_side.ts";

/** Tells a client that comes back whether sequences go on (same epoch) or start anew. */
export function newEpoch({ clock }: Hub): string {
  return Math.floor(clock.now_us()).toString(36);
}

export async function openEdgeServer(
  options: EdgeSiteOptions,
  { access, tls }: { access: Access; tls?: TlsReload },
  hub: Hub,
): Promise<Server> {
  const { clock, log, metrics, sessions, memory } = hub;
  const site = await EdgeSite.bind(options, {
    clock,
    log,
    metrics,
    access,
    tls,
    sessions,
    noteAdmitted: memory && ((bytes) => memory.noteAdmitted(bytes)),
  });
  const market = new MarketSide(options.name, hub, site.edge);
  site.edge.connect(market);
  const unpool = memory?.addPool(site.pool);
  site.open();
  const { address } = site.listener;
  return {
    name: options.name,
    address,
    url: `${tls ? "wss" : "ws"}://${address}`,
    async [Symbol.asyncDispose]() {
      site.stop();
      market.stop();
      unpool?.();
      await site.close();
    },
  };
}
