/**
 * The whole client side of one thread: listener, door, edge, and its clients in the session registry and the memory guard's
 * books. In the main thread or in a Worker: it does not know which.
 */
import { randomUUID } from "node:crypto";
import type { Clock } from "../../../base/clock.ts";
import type { Log } from "../../../base/log.ts";
import { Random } from "../../../base/random.ts";
import type { Metrics } from "../../../base/metrics.ts";
import type { Sessions } from "../../../flow/session_registry.ts";
import type { Access } from "../../access/access.ts";
import { FrontDoor, type FrontDoorConfig } from "../../access/front_door.ts";
import { type Listener, openListener } from "../../listen.ts";
import type { TlsReload } from "../../tls_reload.ts";
import { edgeLimits, type EdgeOptionsConfig } from "../config.ts";
import { serverMetrics } from "../server_metrics.ts";
import type { Client } from "./client.ts";
import { Door } from "./door.ts";
import { Edge } from "./edge.ts";
import { EdgePool } from "./edge_pool.ts";

/** Sockets still in their handshake, beside the clients. */
export const HANDSHAKES = 64;

export interface EdgeSiteOptions {
  /** The server's name: "restream". */
  readonly name: string;
  readonly listen: string;
  /** Several threads listen on one port, and the kernel spreads connections over them. */
  readonly shared_port?: boolean;
  readonly front_door: FrontDoorConfig;
  /** Pages served from this machine may connect. */
  readonly loopback_pages: boolean;
  readonly auth_timeout_ms: number;
  readonly edge: EdgeOptionsConfig;
  readonly epoch: string;
  /** "mdg 1.2.3". */
  readonly server: string;
}

export interface EdgeSiteContext {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly access: Access;
  readonly tls?: TlsReload;
  readonly sessions?: Sessions;
  noteAdmitted?(bytes: number): void;
}

export class EdgeSite {
  readonly edge: Edge;
  readonly pool: EdgePool;
  readonly #door: Door;
  readonly #uncollect: () => void;

  private constructor(
    readonly listener: Listener,
    readonly options: EdgeSiteOptions,
    readonly context: EdgeSiteContext,
  ) {
    const { clock, log, metrics, access } = context;
    const limits = edgeLimits(options.edge);
    const { epoch, name } = options;
    this.edge = new Edge({
      clock,
      log,
      random: new Random(`${epoch} ${options.listen}`),
      metrics: serverMetrics(metrics),
      limits,
      epoch,
      noteAdmitted: context.noteAdmitted,
      onClosed: (client, reason, code) => this.#onClosed(client, reason, code),
    });
    this.pool = new EdgePool(name, this.edge);
    const { loopback_pages, front_door, server, auth_timeout_ms } = options;
    this.#door = new Door({
      edge: this.edge,
      access,
      front_door: new FrontDoor(front_door, clock, metrics, { loopback_pages }),
      server,
      max_clients: limits.max_clients,
      auth_timeout_ms,
      newSessionId: randomUUID,
      onEntered: (client) => this.#onEntered(client),
    });
    this.#uncollect = metrics.onCollect(() => this.#collect());
  }
  /** Bound, and nobody let in yet: `open` does that once the edge knows its market. */
  static async bind(options: EdgeSiteOptions, context: EdgeSiteContext): Promise<EdgeSite> {
    const listener = await openListener({
      listen: options.listen,
      flag: "--listen",
      shared_port: options.shared_port,
      tls: context.tls,
      max_connections: options.edge.max_clients + HANDSHAKES,
      accept: (socket) => site.#door.onConnection(socket),
    });
    const site = new EdgeSite(listener, options, context);
    return site;
  }
  open(): void {
    const { server } = this.listener;
    server.on("upgrade", (request, socket, head) => void this.#door.onUpgrade(request, socket, head));
    server.on("request", (request, response) => this.#door.onRequest(request, response));
  }
  /** Nothing more is accepted; who is there stays. */
  stop(): void {
    this.listener.stop();
    this.#door.close();
  }
  /** Everybody is told, then let go. */
  async close(): Promise<void> {
    this.stop();
    this.#uncollect();
    await this.edge.close();
    await this.listener.close();
    await this.context.access[Symbol.asyncDispose]();
    await this.context.tls?.[Symbol.asyncDispose]();
  }

  #onEntered(client: Client): void {
    client.holding = this.pool.enter(client);
    const { id, peer, connected_ms } = client.identity;
    const { tenant, key_id, priority } = client.grant!;
    this.context.sessions?.add({
      id,
      server: this.options.name,
      tenant,
      key_id,
      peer,
      connected_ms,
      priority,
      describe: () => ({
        subscriptions: client.by_stream.size,
        queued_bytes: client.queued_bytes,
        sent_messages: client.sent_frames,
        sent_bytes: client.sent_bytes,
        skipped_messages: client.skipped_frames,
        lag_ms: client.window.lag_ms,
        step: client.step,
      }),
      kick: () => client.close("kicked"),
    });
  }
  #onClosed(client: Client, reason: string, code: number): void {
    if (client.holding) this.pool.leave(client.holding);
    this.context.sessions?.ended(client.identity.id, reason, code);
  }
  #collect(): void {
    const { edge } = this;
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
}
