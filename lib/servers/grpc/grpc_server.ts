/**
 * The server as a whole: each HTTP/2 stream becomes a call, its path a method, its metadata a client. Whatever goes wrong
 * ends that call with a status; what was not foreseen is logged and ends it INTERNAL.
 */
import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { quoted, reasonOf } from "../../base/errors.ts";
import { RateLimitedLog } from "../../base/log.ts";
import type { Hub } from "../../flow/hub.ts";
import { MarketQueries } from "../../flow/market_queries.ts";
import type { Access } from "../access/access.ts";
import { FrontDoor, type FrontDoorConfig } from "../access/front_door.ts";
import { RateBucket } from "../access/rate_bucket.ts";
import type { TlsReload } from "../tls_reload.ts";
import { Clients } from "./clients.ts";
import { grpcMetrics } from "./grpc_metrics.ts";
import type { MarketMethod, Method, OpenMethod } from "./method.ts";
import {
  GrpcError,
  INTERNAL,
  INVALID_ARGUMENT,
  RESOURCE_EXHAUSTED,
  statusName,
  statusOf,
  UNAVAILABLE,
  UNIMPLEMENTED,
} from "./protocol/status.ts";
import { parseTimeout } from "./protocol/timeout.ts";
import { HealthService } from "./services/health_service.ts";
import { marketService } from "./services/market_service.ts";
import { reflectionService } from "./services/reflection_service.ts";
import { MarketStreams } from "./streams/market_streams.ts";
import { Call } from "./transport/call.ts";
import type { Connection } from "./transport/connection.ts";
import { Http2Listener } from "./transport/http2_listener.ts";

/** A request is a few bytes: whoever takes longer is not sending one. */
const REQUEST_MS = 10_000;
/** Calls a second that a connection may make without a client: health, reflection, wrong ones. */
const OPEN_CALLS_PER_S = 20;
const OPEN_CALLS_BURST = 100;
/** What is told to clients at the end may take so long to get there. */
const GOODBYE_MS = 1_000;
const RST_REFUSED_STREAM = 0x7;

export interface GrpcOptions {
  readonly listen: string;
  readonly max_connections: number;
  readonly max_streams: number;
  readonly max_queue_bytes: number;
  readonly max_requests_per_second: number;
  readonly keepalive_ms: number;
  readonly idle_ms: number;
  readonly auth_timeout_ms: number;
  readonly out_of_sync_ms: number;
  readonly front_door: FrontDoorConfig;
}

export class GrpcServer {
  readonly metrics;
  readonly clients: Clients;
  readonly streams: MarketStreams;
  readonly #methods: ReadonlyMap<string, Method>;
  readonly #door: FrontDoor;
  readonly #log: RateLimitedLog;
  readonly #open_calls = new WeakMap<Connection, RateBucket>();
  readonly #stops: (() => void)[];
  listener!: Http2Listener;
  #closing = false;
  #drained: (() => void) | undefined;
  calls = 0;

  private constructor(readonly options: GrpcOptions, readonly access: Access, readonly hub: Hub) {
    const { clock, log, metrics, memory, sessions } = hub;
    const { front_door, max_queue_bytes, max_requests_per_second, out_of_sync_ms } = options;
    this.metrics = grpcMetrics(metrics);
    this.#log = new RateLimitedLog(log, clock);
    this.#door = new FrontDoor(front_door, clock, metrics);
    this.streams = new MarketStreams(hub, this.metrics, out_of_sync_ms);
    this.clients = new Clients({
      clock,
      access,
      front_door: this.#door,
      metrics: this.metrics,
      sessions,
      max_queue_bytes,
      max_requests_per_second,
      noteAdmitted: (bytes) => memory?.noteAdmitted(bytes),
    });
    this.#methods = new Map(Object.entries({
      ...marketService(new MarketQueries(hub), this.streams),
      ...new HealthService(hub).methods,
      ...reflectionService(),
    }));
    const unpool = memory?.addPool(this.clients);
    this.#stops = [
      hub.subscribe(this.streams),
      metrics.onCollect(() => this.#collect()),
      () => unpool?.(),
      () => this.clients.close(),
      () => this.streams.stop(),
    ];
  }
  static async open(
    options: GrpcOptions,
    { access, tls }: { access: Access; tls?: TlsReload },
    hub: Hub,
  ): Promise<GrpcServer> {
    const server = new GrpcServer(options, access, hub);
    const { listen, max_connections, max_streams } = options;
    try {
      server.listener = await Http2Listener.open({
        listen,
        clock: hub.clock,
        tls,
        max_connections,
        max_streams,
        limits: options,
        accept: (socket) => !server.#closing && server.#door.accept(socket),
        onRefused: () => server.metrics.refused.with("connection").value++,
        onConnection: (connection) => server.#onConnection(connection),
        onStream: (connection, stream, headers) => server.#onStream(connection, stream, headers),
      });
    } catch (error) {
      server.#stop();
      throw error;
    }
    return server;
  }
  /** Every call is told, then all is let go. */
  async close(): Promise<void> {
    this.#closing = true;
    this.listener.stop();
    const open = [...this.listener.connections].flatMap(({ calls }) => [...calls]);
    for (const call of open) call.fail(UNAVAILABLE, "go on: the server shuts down");
    for (const connection of this.listener.connections) connection.goAway();
    if (this.calls > 0) {
      await new Promise<void>((resolve) => {
        this.#drained = resolve;
        const late = this.hub.clock.after(GOODBYE_MS, resolve);
        this.#stops.push(() => late.cancel());
      });
    }
    await this.listener.close();
    this.#stop();
  }

  #stop(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
  #onConnection(connection: Connection): void {
    // Without tokens nobody has to say who it is.
    if (this.access.wants_token) return;
    connection.known = true;
    this.#door.authenticated(connection.socket);
  }
  #onStream(connection: Connection, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    if (this.#closing) return stream.close(RST_REFUSED_STREAM);
    const refused = refusalOf(headers);
    if (refused !== undefined) {
      stream.on("error", () => {});
      stream.respond({ ":status": refused }, { endStream: true });
      return;
    }
    const path = String(headers[":path"]);
    const method = this.#methods.get(path);
    const name = method?.name ?? "unknown";
    this.calls++;
    this.metrics.started.with(name).value++;
    const call = new Call(path, stream, {
      clock: this.hub.clock,
      tap: connection.tap,
      onSent: (frames, bytes) => {
        this.metrics.sent_messages.value += frames;
        this.metrics.sent_bytes.value += bytes;
      },
      onGone: (gone, code) => {
        connection.leave(gone);
        this.metrics.ended.with(name, statusName(code)).value++;
        if (--this.calls === 0) this.#drained?.();
      },
    });
    connection.enter(call);
    this.#begin(call, method, connection, headers).catch((error) => this.#failed(call, error));
  }
  async #begin(
    call: Call,
    method: Method | undefined,
    connection: Connection,
    headers: IncomingHttpHeaders,
  ): Promise<void> {
    const timeout = headers["grpc-timeout"];
    if (timeout !== undefined) {
      const timeout_ms = parseTimeout(String(timeout));
      if (timeout_ms === undefined) {
        throw new GrpcError(INVALID_ARGUMENT, `take grpc-timeout ${quoted(timeout)}: want digits and a unit`);
      }
      call.startDeadline(timeout_ms);
    }
    if (method?.kind === "market") return await this.#answerMarket(call, method, connection, headers);
    if (!this.#bucketOf(connection).take()) {
      throw new GrpcError(RESOURCE_EXHAUSTED, "answer the call: too many a second on this connection");
    }
    if (method === undefined) {
      throw new GrpcError(UNIMPLEMENTED, `call ${quoted(call.path)}: no such method`);
    }
    if (method.is_conversation) return this.#converse(call, method);
    this.#answerOpen(call, method, await this.#requestOf(call));
  }
  async #answerMarket(
    call: Call,
    method: MarketMethod,
    connection: Connection,
    headers: IncomingHttpHeaders,
  ): Promise<void> {
    const request = this.#requestOf(call);
    // Should the client be refused, nobody waits for its request any more.
    request.catch(() => {});
    const client = await this.clients.of(connection, headers);
    if (!call.open) return;
    if (!client.takeRequest()) {
      throw new GrpcError(RESOURCE_EXHAUSTED, "answer the call: too many a second, want fewer");
    }
    call.chargeTo(client);
    client.calls.set(call, undefined);
    call.on_end.push(() => client.calls.delete(call));
    if (method.is_stream) this.#admitStream(call, client);
    const bytes = await request;
    if (!call.open) return;
    const venue = headers.venue === undefined ? undefined : String(headers.venue);
    method.answer(bytes, call, client, venue);
  }
  #admitStream(call: Call, client: Awaited<ReturnType<Clients["of"]>>): void {
    if (this.clients.refuse_newcomers) {
      throw new GrpcError(UNAVAILABLE, "take one more stream: memory is short, try again later");
    }
    if (client.subscriptions >= client.grant.limits.max_subscriptions) {
      const message = `take one more stream: ${client.subscriptions} are open, want one of them to end first`;
      throw new GrpcError(RESOURCE_EXHAUSTED, message);
    }
    client.subscriptions++;
    call.on_end.push(() => client.subscriptions--);
  }
  /** Exactly one message, and the end of the request. */
  #requestOf(call: Call): Promise<Uint8Array> {
    const { promise, resolve, reject } = Promise.withResolvers<Uint8Array>();
    let request: Uint8Array | undefined;
    const late = this.hub.clock.after(REQUEST_MS, () => {
      call.fail(INVALID_ARGUMENT, "read the request: it does not end");
    });
    call.onMessage = (message) => {
      if (request === undefined) request = message;
      else call.fail(UNIMPLEMENTED, "read the request: two messages, want one");
    };
    call.onInputEnd = () => {
      late.cancel();
      if (request !== undefined) resolve(request);
      else reject(new GrpcError(INVALID_ARGUMENT, "read the request: no message in it"));
    };
    call.on_end.push(() => {
      late.cancel();
      reject(new GrpcError(INTERNAL, "answer the call: it has ended"));
    });
    return promise;
  }
  #answerOpen(call: Call, method: OpenMethod, request: Uint8Array): void {
    if (call.open) method.answer(request, call);
  }
  #converse(call: Call, method: OpenMethod): void {
    call.onMessage = (message) => {
      try {
        method.answer(message, call);
      } catch (error) {
        this.#failed(call, error);
      }
    };
    call.onInputEnd = () => call.finish();
  }
  #failed(call: Call, error: unknown): void {
    const status = statusOf(error);
    if (status === undefined) {
      this.#log.warn(call.path, "a call failed", { path: call.path.slice(0, 80), reason: reasonOf(error) });
    }
    call.failWith(status);
  }
  #bucketOf(connection: Connection): RateBucket {
    let bucket = this.#open_calls.get(connection);
    if (bucket === undefined) {
      bucket = new RateBucket(this.hub.clock, OPEN_CALLS_PER_S, OPEN_CALLS_BURST);
      this.#open_calls.set(connection, bucket);
    }
    return bucket;
  }
  #collect(): void {
    let queued_bytes = 0;
    for (const client of this.clients.all) queued_bytes += client.queued_bytes;
    this.metrics.connections.value = this.listener?.connections.size ?? 0;
    this.metrics.calls.value = this.calls;
    this.metrics.queued_bytes.value = queued_bytes;
  }
}

/** What is no gRPC at all is answered in HTTP (doc/PROTOCOL-HTTP2.md). */
function refusalOf(headers: IncomingHttpHeaders): number | undefined {
  if (headers[":method"] !== "POST") return 405;
  const type = String(headers["content-type"] ?? "");
  return /^application\/grpc(\+proto)?(;|$)/.test(type) ? undefined : 415;
}
