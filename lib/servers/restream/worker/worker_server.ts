/**
 * A restream server whose clients live in Workers: the market side stays here and writes every frame once into a ring of
 * shared memory that all Workers read. Quotas, sessions and the memory guard are one for all. A Worker that dies is told in
 * readiness and started again; its clients come back to the others meanwhile.
 */
import { Backoff } from "../../../base/backoff.ts";
import { Random } from "../../../base/random.ts";
import { withDeadline } from "../../../base/clock.ts";
import { UserError } from "../../../base/errors.ts";
import type { Hub } from "../../../flow/hub.ts";
import { makeRing, RingWriter } from "../../../wire/record_ring.ts";
import { openLedger } from "../../access/open_access.ts";
import type { QuotaLedger } from "../../access/quota_ledger.ts";
import type { Server } from "../../server.ts";
import type { EdgeSiteOptions } from "../edge/edge_site.ts";
import { MarketSide } from "../market/market_side.ts";
import type { RestreamConfig } from "../restream.ts";
import { serverMetrics } from "../server_metrics.ts";
import { EdgeThread } from "./edge_thread.ts";
import { RingInbox } from "./ring_words.ts";

/** Workers end within this after they were told: their own clients have their deadlines before. */
const CLOSE_MS = 4_000;
const RESTARTS = { first_ms: 1_000, max_ms: 30_000 };

export async function openWorkerServer(
  config: RestreamConfig,
  options: EdgeSiteOptions,
  hub: Hub,
): Promise<Server> {
  const { clock, log, metrics } = hub;
  const ledger = config.access === "open"
    ? undefined
    : await openLedger(config.access.quotas, { clock, log, metrics });
  const server = new WorkerServer(config, options, hub, ledger);
  try {
    await server.start();
  } catch (error) {
    await server[Symbol.asyncDispose]();
    throw error;
  }
  return server;
}

class WorkerServer implements Server {
  readonly name: string;
  address: string;
  readonly #memory: SharedArrayBuffer;
  readonly #inbox: RingInbox;
  readonly #market: MarketSide;
  readonly #threads: (EdgeThread | undefined)[] = [];
  readonly #backoffs: Backoff[] = [];
  readonly #unready: () => void;
  #closing = false;

  constructor(
    readonly config: RestreamConfig,
    readonly options: EdgeSiteOptions,
    readonly hub: Hub,
    readonly ledger: QuotaLedger | undefined,
  ) {
    this.name = options.name;
    this.address = options.listen;
    this.#memory = makeRing(config.edge.ring_bytes);
    // So that the main thread exposes them from the start, before any Worker has reported.
    serverMetrics(hub.metrics);
    this.#inbox = new RingInbox(new RingWriter(this.#memory), (stream, bytes) => {
      hub.log.warn("message larger than edge.ring_bytes takes: its stream ends", { stream, bytes });
    });
    this.#market = new MarketSide(this.name, hub, this.#inbox);
    this.#unready = hub.addReadiness({
      name: this.name,
      notReady: () => {
        const dead = this.#threads.filter((one) => one === undefined).length;
        return dead === 0 ? undefined : `${dead} of ${this.#threads.length} workers are down`;
      },
    });
  }
  get url(): string {
    return `${this.config.tls ? "wss" : "ws"}://${this.address}`;
  }
  async start(): Promise<void> {
    // The first one resolves port 0; the others listen where it does.
    for (let i = 0; i < this.config.edge.workers; i++) {
      this.#threads.push(undefined);
      this.#backoffs.push(new Backoff(RESTARTS, new Random(`${this.options.epoch} ${i}`)));
      await this.#startThread(i);
    }
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing = true;
    this.#unready();
    const threads = this.#threads.filter((one) => one !== undefined);
    await Promise.all(threads.map(async (one) => {
      try {
        await withDeadline(this.hub.clock, CLOSE_MS, "close a worker", one.close());
      } catch (error) {
        this.hub.log.warn("a worker did not end in time", { reason: String(error) });
      }
      one.terminate();
    }));
    this.#market.stop();
    await this.ledger?.[Symbol.asyncDispose]();
  }

  async #startThread(i: number): Promise<void> {
    const { config, options, hub, ledger } = this;
    const thread = new EdgeThread(i + 1, hub, this.#market, this.#inbox, ledger, (reason) => {
      this.#threads[i] = undefined;
      if (!this.#closing) this.#restart(i, reason);
    });
    const { tls, access } = config;
    const site = { ...shareOf(options, config.edge.workers), listen: this.address, shared_port: true };
    try {
      this.address = await thread.start({
        edge: "start",
        number: i + 1,
        memory: this.#memory,
        options: site,
        tls,
        access,
      });
    } catch (error) {
      thread.terminate();
      throw error;
    }
    this.#threads[i] = thread;
    this.#backoffs[i].reset();
  }
  #restart(i: number, reason: string): void {
    const { clock, log } = this.hub;
    const wait_ms = this.#backoffs[i].next_ms();
    log.error("a worker with clients died: it is started again", { worker: i + 1, reason, wait_ms });
    clock.after(wait_ms, () => {
      if (this.#closing) return;
      this.#startThread(i).catch((error: UserError) => this.#restart(i, error.message));
    });
  }
}

/** The limits are the server's; each Worker counts for itself, so each gets its share. */
function shareOf(options: EdgeSiteOptions, workers: number): EdgeSiteOptions {
  const share = (limit: number) => Math.ceil(limit / workers);
  const { edge, front_door } = options;
  return {
    ...options,
    edge: { ...edge, max_clients: share(edge.max_clients) },
    front_door: {
      ...front_door,
      max_unauthenticated: share(front_door.max_unauthenticated),
      max_connections_per_address: share(front_door.max_connections_per_address),
      accepts_per_second_per_address: front_door.accepts_per_second_per_address / workers,
    },
  };
}
