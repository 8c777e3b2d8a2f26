/**
 * The market depth server: simulated order books over one WebSocket port, in the protocol that the team's front ends
 * already speak (README.md beside this file). It stands alone: it needs no hub and no config, only options. Every book
 * is encoded once per interval and shared by all who read it.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Buffer } from "node:buffer";
// @ts-types="@types/ws"
import { type ServerOptions, WebSocketServer } from "ws";
import { type Clock, withDeadline } from "../../base/clock.ts";
import type { Log } from "../../base/log.ts";
import { instrumentOf } from "../../simulation/instruments.ts";
import { SimulatedMarket } from "../../simulation/market.ts";
import type { ScenarioName } from "../../simulation/scenarios.ts";
import { isoMicroseconds } from "../../wire/iso_time.ts";
import type { TlsPair } from "../check_tls.ts";
import { type Listener, openListener } from "../listen.ts";
import type { Server } from "../server.ts";
import { refusalOf, refusalResponse } from "../handshake.ts";
import { type ClientContext, type CloseReason, DepthClient, textFrame } from "./depth_client.ts";
import type { DepthFeed } from "./depth_feed.ts";
import { MarketClock, phasesOf } from "./market_clock.ts";
import { SymbolFeed } from "./symbol_feed.ts";
import { Subscriptions } from "./subscriptions.ts";

export interface DepthServerOptions {
  /** HOST:PORT; port 0 picks a free one. */
  listen: string;
  symbols: readonly string[];
  /** Books that are kept elsewhere, instead of simulated ones of `symbols`. */
  feeds?: readonly DepthFeed[];
  /** The same seed and start give the same markets. */
  seed: string;
  /** Simulated time of the opening, Unix epoch, whole microseconds; absent: now. */
  start_us?: number;
  interval_ms: number;
  /** Order actions a second and symbol. */
  rate_per_s: number;
  /** Annualised, as a fraction; absent: what is typical of each symbol. */
  volatility?: number;
  scenario: ScenarioName;
  max_clients: number;
  /** Clients may ask for changes instead of whole books. */
  delta: boolean;
  /** Clients may negotiate permessage-deflate. */
  compression: boolean;
  /** Absent: ws instead of wss. */
  tls?: TlsPair;
  heartbeat_ms?: number;
}

export interface DepthServerWorld {
  clock: Clock;
  log: Log;
  version: string;
}

export interface DepthServer extends Server {
  readonly health_url: string;
  /** What GET /health answers. */
  health(): Record<string, unknown>;
}

/** Sockets still in their handshake or asking for /health, beside the clients. */
const OTHER_CONNECTIONS = 64;
const CLOSE_TIMEOUT_MS = 1_000;
const HEARTBEAT_MS = 5_000;

/** `ws` knows the last three; its published types do not yet. */
type Options = ServerOptions & { maxFragments: number; maxBufferedChunks: number; closeTimeout: number };
function webSocketOptions(compression: boolean): Options {
  return {
    noServer: true,
    clientTracking: false,
    autoPong: false,
    // Only its reading side is used: what goes out is compressed once for all (lib/wire/headed_frame.ts).
    perMessageDeflate: compression
      ? { serverNoContextTakeover: true, clientNoContextTakeover: true, serverMaxWindowBits: 15 }
      : false,
    maxPayload: 65_536,
    maxFragments: 64,
    maxBufferedChunks: 1_024,
    closeTimeout: CLOSE_TIMEOUT_MS,
  };
}

/** Resolves when listening. Rejects with a UserError: bad symbol, address taken, unusable certificate. */
export async function openDepthServer(
  options: DepthServerOptions,
  world: DepthServerWorld,
): Promise<DepthServer> {
  const origin_ms = world.clock.monotonic_ms();
  const start_us = options.start_us ?? Math.floor(world.clock.now_us());
  const feeds = options.feeds ?? [...new Set(options.symbols)].map((symbol) =>
    new SymbolFeed(
      new SimulatedMarket({
        instrument: instrumentOf(symbol),
        seed: options.seed,
        start_ms: start_us / 1000,
        rate_per_s: options.rate_per_s,
        volatility: options.volatility,
        scenario: options.scenario,
      }),
      start_us,
    )
  );
  const listener = await openListener({
    listen: options.listen,
    flag: "--addr",
    hint: "choose another address with --addr, port 0 picks a free one",
    max_connections: options.max_clients + OTHER_CONNECTIONS,
    tls: options.tls,
  });
  return new RunningDepthServer(options, world, listener, feeds, { start_us, origin_ms });
}

class RunningDepthServer implements DepthServer {
  readonly name = "depth";
  readonly #clients = new Set<DepthClient>();
  readonly #sockets: WebSocketServer;
  readonly #market_clock: MarketClock;
  readonly #subscriptions: Subscriptions;
  readonly #context: ClientContext;
  readonly #stops: (() => void)[];
  readonly #started_ms: number;
  readonly #closes: Partial<Record<CloseReason, number>> = {};
  #refused = 0;
  #skipped = 0;
  #closing = false;
  #emptied: (() => void) | undefined;

  constructor(
    readonly options: DepthServerOptions,
    readonly world: DepthServerWorld,
    readonly listener: Listener,
    readonly feeds: readonly DepthFeed[],
    opening: { start_us: number; origin_ms: number },
  ) {
    const { clock, log } = world;
    this.#started_ms = clock.monotonic_ms();
    this.#sockets = new WebSocketServer(webSocketOptions(options.compression));
    this.#subscriptions = new Subscriptions(feeds, {
      phases: phasesOf(options.interval_ms),
      delta_allowed: options.delta,
      now_us: () => this.#market_clock.now_us,
    });
    this.#market_clock = new MarketClock(feeds, {
      clock,
      log,
      ...opening,
      interval_ms: options.interval_ms,
      publish: (phase) => this.#subscriptions.publish(phase),
    });
    this.#context = {
      clock,
      onRequest: (client, request) => this.#subscriptions.onRequest(client, request),
      onSkip: (count) => void (this.#skipped += count),
      onEnd: (client) => this.#subscriptions.leave(client),
      onClose: (client, reason) => this.#onClose(client, reason),
    };
    const heartbeat = clock.every(options.heartbeat_ms ?? HEARTBEAT_MS, () => this.#beat());
    this.#stops = [() => heartbeat.cancel(), () => this.#market_clock.stop()];
    listener.server.on("request", (request, response) => this.#onRequest(request, response));
    listener.server.on("upgrade", (request, stream, head) => this.#onUpgrade(request, stream, head));
  }

  get address(): string {
    return this.listener.address;
  }
  get url(): string {
    return `${this.options.tls ? "wss" : "ws"}://${this.address}`;
  }
  get health_url(): string {
    return `${this.options.tls ? "https" : "http"}://${this.address}/health`;
  }
  health(): Record<string, unknown> {
    let waiting_bytes = 0;
    let streams = 0;
    for (const client of this.#clients) {
      waiting_bytes += client.waiting_bytes;
      streams += client.streams.size;
    }
    return {
      status: "healthy",
      service: "market-depth",
      version: this.world.version,
      uptime_s: Math.floor((this.world.clock.monotonic_ms() - this.#started_ms) / 1000),
      scenario: this.options.scenario,
      seed: this.options.seed,
      interval_ms: this.options.interval_ms,
      behind_ms: Math.round(this.#market_clock.behind_ms),
      clients: this.#clients.size,
      max_clients: this.options.max_clients,
      streams,
      waiting_bytes,
      refused: this.#refused,
      skipped: this.#skipped,
      closes: this.#closes,
      symbols: this.feeds.map((feed) => feed.describe()),
    };
  }

  /** Tells every client, waits a bounded time for them to go, then ends what is left. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing) return;
    this.#closing = true;
    for (const stop of this.#stops) stop();
    this.listener.stop();
    if (this.#clients.size > 0) {
      const emptied = new Promise<void>((resolve) => this.#emptied = resolve);
      for (const client of this.#clients) client.close("shutdown");
      const late = CLOSE_TIMEOUT_MS + 500;
      await withDeadline(this.world.clock, late, "close depth clients", emptied).catch(() => {
        this.world.log.warn("clients did not close in time", { clients: this.#clients.size });
      });
      for (const client of this.#clients) client.terminate();
    }
    await this.listener.close();
  }

  #onUpgrade(request: IncomingMessage, stream: Duplex, head: Uint8Array): void {
    const { max_clients } = this.options;
    // Made-up data is no secret: a page of any origin may read it, one opened from a file too.
    const clients = this.#closing ? max_clients : this.#clients.size;
    const refusal = refusalOf(request, { clients, max_clients });
    if (refusal) {
      this.#refused++;
      stream.end(refusalResponse(refusal), () => stream.destroy());
      return;
    }
    this.#sockets.handleUpgrade(request, stream, Buffer.from(head), (ws) => {
      // node:http types the upgraded stream loosely; it is the TCP or TLS socket.
      const client = new DepthClient(ws, stream as Socket, this.#context);
      this.#clients.add(client);
      this.#subscriptions.join(client);
      this.world.log.debug("client connected", { clients: this.#clients.size });
    });
  }
  #onClose(client: DepthClient, reason: CloseReason): void {
    this.#clients.delete(client);
    this.#closes[reason] = (this.#closes[reason] ?? 0) + 1;
    this.world.log.debug("client gone", { reason, clients: this.#clients.size });
    if (this.#clients.size === 0) this.#emptied?.();
  }
  #beat(): void {
    const timestamp = isoMicroseconds(this.#market_clock.now_us);
    const heartbeat = textFrame({ type: "HeartBeat", timestamp });
    for (const client of this.#clients) client.beat(heartbeat);
  }
  #onRequest(request: IncomingMessage, response: ServerResponse): void {
    const path = (request.url ?? "/").split("?", 1)[0];
    const is_read = request.method === "GET" || request.method === "HEAD";
    const [status, body] = path === "/health" && is_read
      ? [200, this.health()]
      : path === "/" || path === "/ws"
      ? [426, { error: "this is a WebSocket endpoint: want an upgrade" }]
      : [404, { error: "no such path: want /health, or a WebSocket on /" }];
    response.writeHead(Number(status), {
      "content-type": "application/json; charset=utf-8",
      "access-control-allow-origin": "*",
      ...status === 426 ? { upgrade: "websocket", connection: "close" } : {},
    });
    response.end(request.method === "HEAD" ? undefined : JSON.stringify(body) + "\n");
  }
}
