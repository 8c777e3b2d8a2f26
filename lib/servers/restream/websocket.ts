/**
 * The plain WebSocket server: JSON over ws://, subscribe by symbol and channel, snapshot then deltas, a bounded queue
 * per client. For this machine and trusted networks: no TLS, no accounts; the secure gateway is another server. The
 * protocol is version 1 of README.md beside.
 */
import type { IncomingMessage } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { Buffer } from "node:buffer";
// @ts-types="@types/ws"
import { type ServerOptions, WebSocketServer } from "ws";
import { withDeadline } from "../../base/clock.ts";
import type { Hub } from "../../flow/hub.ts";
import { openListener } from "../listen.ts";
import { defineServer, type Server } from "../server.ts";
import { Client, type ClientContext } from "./client.ts";
import { queueLimits, type WebsocketConfig, websocketSchema } from "./config.ts";
import { Flusher } from "./flusher.ts";
import { type Refusal, refusalOf, refusalResponse } from "./handshake.ts";
import { MarketStream } from "./market_stream.ts";
import { MessageEncoder } from "./messages.ts";
import { CHANNEL_NAMES, DEPTHS, PROTOCOL_VERSION } from "./protocol.ts";
import { type ServerMetrics, serverMetrics } from "./server_metrics.ts";

/** Sockets still in their handshake, beside the clients. */
const HANDSHAKES = 64;
/** How long a client may take to answer a close, and the server to end. */
const CLOSE_TIMEOUT_MS = 1_000;

/** `ws` knows the last three; its published types do not yet. */
type Options = ServerOptions & { maxFragments: number; maxBufferedChunks: number; closeTimeout: number };
const OPTIONS: Options = {
  noServer: true,
  clientTracking: false,
  // Pongs go through the client's own queue.
  autoPong: false,
  perMessageDeflate: false,
  maxPayload: 65_536,
  maxFragments: 64,
  maxBufferedChunks: 1_024,
  closeTimeout: CLOSE_TIMEOUT_MS,
};

export const websocket = defineServer({
  name: "websocket",
  summary: "Market data as JSON over plain WebSocket, for this machine and trusted networks",
  schema: websocketSchema,
  async open(config, hub): Promise<Server> {
    const listener = await openListener({
      listen: config.listen,
      flag: "--listen",
      max_connections: config.max_clients + HANDSHAKES,
    });
    const clients = new ClientSet(config, hub);
    const { server } = listener;
    server.on("upgrade", (request, socket, head) => clients.onUpgrade(request, socket, head));
    server.on("request", (request, response) => {
      const place = { clients: 0, max_clients: 1, allowed_origins: config.allowed_origins };
      const refusal = refusalOf(request, place) ?? NO_UPGRADE;
      const body = JSON.stringify({ error: { code: refusal.reason, message: refusal.message } });
      response.writeHead(refusal.status, {
        "content-type": "application/json; charset=utf-8",
        connection: "close",
        ...refusal.headers,
      });
      response.end(request.method === "HEAD" ? undefined : body);
    });
    return {
      name: "websocket",
      address: listener.address,
      url: `ws://${listener.address}`,
      async [Symbol.asyncDispose]() {
        listener.stop();
        await clients.close();
        await listener.close();
      },
    };
  },
});

const NO_UPGRADE: Refusal = {
  status: 426,
  reason: "no_upgrade",
  message: "answer over HTTP: this is a WebSocket endpoint, want an upgrade",
  headers: { upgrade: "websocket" },
};

/** Everyone connected, and what they share. */
class ClientSet {
  readonly #clients = new Set<Client>();
  readonly #metrics: ServerMetrics;
  readonly #context: ClientContext;
  readonly #encoder = new MessageEncoder();
  readonly #flusher = new Flusher();
  readonly #stops: (() => void)[];
  /** Tells a client that comes back whether sequences go on (same epoch) or start anew. */
  readonly #epoch: string;
  #closing = false;
  #emptied: (() => void) | undefined;

  readonly #server = new WebSocketServer(OPTIONS);

  constructor(readonly config: WebsocketConfig, readonly hub: Hub) {
    const metrics = this.#metrics = serverMetrics(hub.metrics);
    this.#epoch = Math.floor(hub.clock.now_us()).toString(36);
    const market = new MarketStream(
      hub,
      this.#encoder,
      this.#flusher,
      config.max_subscriptions,
    );
    this.#context = {
      clock: hub.clock,
      limits: queueLimits(config.max_queue_bytes),
      max_requests_per_second: config.max_requests_per_second,
      flusher: this.#flusher,
      encoder: this.#encoder,
      metrics,
      onMessage: (client, text) => market.onMessage(client, text),
      onDrop: (subscription) => market.onDrop(subscription),
      onClose: (client, reason) => {
        market.onClose(client);
        this.#clients.delete(client);
        hub.log.debug("websocket client gone", { reason, clients: this.#clients.size });
        if (this.#clients.size === 0) this.#emptied?.();
      },
    };
    const heartbeat = hub.clock.every(config.heartbeat_ms, () => this.#beat());
    this.#stops = [
      hub.subscribe(market),
      () => heartbeat.cancel(),
      hub.metrics.onCollect(() => this.#collect()),
    ];
  }

  onUpgrade(request: IncomingMessage, stream: Duplex, head: Uint8Array): void {
    const { max_clients, allowed_origins } = this.config;
    const refusal = refusalOf(request, {
      clients: this.#closing ? max_clients : this.#clients.size,
      max_clients,
      allowed_origins,
    });
    if (refusal) {
      this.#metrics.refused.with(refusal.reason).value++;
      stream.end(refusalResponse(refusal), () => stream.destroy());
      return;
    }
    // node:http types the upgraded stream loosely; it is the TCP socket.
    const socket = stream as Socket;
    this.#server.handleUpgrade(request, stream, Buffer.from(head), (ws) => {
      const client = new Client(ws, socket, this.#context);
      this.#clients.add(client);
      client.send(this.#encoder.json({
        type: "hello",
        version: PROTOCOL_VERSION,
        server: `mdg ${this.hub.version}`,
        epoch: this.#epoch,
        heartbeat_ms: this.config.heartbeat_ms,
        channels: CHANNEL_NAMES,
        depths: DEPTHS,
      }));
    });
  }
  /** Tells everyone, waits a bounded time for them to go, then ends what is left. */
  async close(): Promise<void> {
    this.#closing = true;
    for (const stop of this.#stops) stop();
    if (this.#clients.size === 0) return;
    const emptied = new Promise<void>((resolve) => this.#emptied = resolve);
    for (const client of this.#clients) {
      client.flush();
      client.close("shutdown");
    }
    const late = CLOSE_TIMEOUT_MS + 500;
    await withDeadline(this.hub.clock, late, "close websocket clients", emptied).catch(() => {
      this.hub.log.warn("websocket clients did not close in time", { clients: this.#clients.size });
    });
    for (const client of this.#clients) client.terminate();
  }
  #beat(): void {
    const heartbeat = this.#encoder.json({ type: "heartbeat", timestamp: this.hub.clock.now_ms() });
    for (const client of this.#clients) client.beat(heartbeat);
    this.#flusher.flush();
  }
  #collect(): void {
    let subscriptions = 0;
    let queued_bytes = 0;
    for (const client of this.#clients) {
      subscriptions += client.subscriptions.size;
      queued_bytes += client.queued_bytes;
    }
    this.#metrics.clients.value = this.#clients.size;
    this.#metrics.subscriptions.value = subscriptions;
    this.#metrics.queued_bytes.value = queued_bytes;
  }
}
