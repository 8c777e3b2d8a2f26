/**
 * The listener: TCP or TLS (ALPN h2), each socket behind a tap, then the HTTP/2 library. Refused before a byte is read:
 * connections over the limit, and those that the front door does not let in. A socket has to finish TLS and become a
 * session in time.
 */
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from "node:http2";
import type { IncomingHttpHeaders, ServerHttp2Session } from "node:http2";
import { createServer, type Server as NetServer, type Socket } from "node:net";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import type { Clock } from "../../../base/clock.ts";
import { UserError } from "../../../base/errors.ts";
import { RateBucket } from "../../access/rate_bucket.ts";
import { MIN_TLS_VERSION } from "../../check_tls.ts";
import { bindServer, boundAddress, parseListen } from "../../listen.ts";
import type { TlsReload } from "../../tls_reload.ts";
import { Connection, type ConnectionLimits } from "./connection.ts";
import { SocketTap } from "./socket_tap.ts";

const HANDSHAKE_MS = 5_000;
const MAX_HEADER_BYTES = 16_384;
/** Resets, pings and settings a second; a client that cancels a thousand calls at once is no flood. */
const CONTROL_FRAMES_PER_S = 500;
const CONTROL_FRAMES_BURST = 5_000;

export interface Http2ListenOptions {
  readonly listen: string;
  readonly clock: Clock;
  readonly tls?: TlsReload;
  readonly max_connections: number;
  readonly max_streams: number;
  readonly limits: ConnectionLimits;
  accept(socket: Socket): boolean;
  /** A connection was ended before a byte was read. */
  onRefused(): void;
  onConnection(connection: Connection): void;
  onStream(connection: Connection, stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void;
}

export class Http2Listener {
  readonly connections = new Set<Connection>();
  readonly #sockets = new Set<Socket>();
  /** Sockets that have not finished TLS → how to take the deadline back. */
  readonly #handshakes = new Map<string, () => void>();
  readonly #http2: Http2Server;
  readonly #server: NetServer;
  #entering: SocketTap | undefined;
  #closed: Promise<void> | undefined;
  #unfollow: (() => void) | undefined;
  address = "";

  private constructor(readonly options: Http2ListenOptions) {
    const { max_streams, tls } = options;
    this.#http2 = createHttp2Server({
      settings: { maxConcurrentStreams: max_streams, maxHeaderListSize: MAX_HEADER_BYTES, enablePush: false },
    });
    this.#http2.on("session", (session) => this.#onSession(session));
    this.#http2.on("sessionError", () => {});
    if (tls === undefined) {
      this.#server = createServer((socket) => {
        if (this.#admit(socket)) this.#begin(socket);
      });
    } else {
      const { cert, key } = tls.pair;
      const server = createTlsServer({
        cert,
        key,
        ALPNProtocols: ["h2"],
        minVersion: MIN_TLS_VERSION,
        handshakeTimeout: HANDSHAKE_MS,
      }, (socket) => this.#beginSecure(socket));
      server.on("connection", (socket: Socket) => void this.#admit(socket));
      server.on("tlsClientError", (_error: Error, socket: Socket) => socket.destroy());
      this.#unfollow = tls.follow(server as Parameters<TlsReload["follow"]>[0]);
      this.#server = server;
    }
  }
  /** Rejects with a UserError when the address cannot be had. */
  static async open(options: Http2ListenOptions): Promise<Http2Listener> {
    const target = parseListen(options.listen);
    if (!target) {
      throw new UserError(`listen on ${JSON.stringify(options.listen)}: no address, want HOST:PORT`, {
        code: 2,
      });
    }
    const listener = new Http2Listener(options);
    const hint = "choose another address with servers[].listen in the config";
    try {
      await bindServer(listener.#server, target, options.listen, hint);
    } catch (error) {
      listener.#unfollow?.();
      throw error;
    }
    listener.address = boundAddress(listener.#server) ?? options.listen;
    return listener;
  }
  /** Stops accepting; connections live on. */
  stop(): void {
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
    this.#unfollow?.();
  }
  /** Ends whatever is open; resolves when the port is free. */
  async close(): Promise<void> {
    this.stop();
    for (const connection of [...this.connections]) connection.destroy();
    for (const socket of this.#sockets) socket.destroy();
    await this.#closed;
  }

  /** Before TLS. */
  #admit(socket: Socket): boolean {
    socket.on("error", () => {});
    const { max_connections, accept, onRefused } = this.options;
    if (this.#sockets.size >= max_connections || !accept(socket)) {
      onRefused();
      socket.destroy();
      return false;
    }
    this.#sockets.add(socket);
    const late = this.options.clock.after(HANDSHAKE_MS, () => socket.destroy());
    const key = keyOf(socket);
    this.#handshakes.set(key, () => late.cancel());
    socket.once("close", () => {
      late.cancel();
      this.#handshakes.delete(key);
      this.#sockets.delete(socket);
    });
    return true;
  }
  #beginSecure(socket: TLSSocket): void {
    socket.on("error", () => {});
    if (socket.alpnProtocol !== "h2") return void socket.destroy();
    this.#begin(socket);
  }
  #begin(socket: Socket): void {
    if (socket.destroyed) return;
    const { clock } = this.options;
    // Small frames must not wait for the answer to the one before.
    socket.setNoDelay(true);
    this.#handshakes.get(keyOf(socket))?.();
    const bucket = new RateBucket(clock, CONTROL_FRAMES_PER_S, CONTROL_FRAMES_BURST);
    const tap = new SocketTap(socket, bucket, () => tap.destroy());
    this.#entering = tap;
    this.#http2.emit("connection", tap);
    this.#entering = undefined;
  }
  /** Called within `emit`, so it is the session of the tap that is entering. */
  #onSession(session: ServerHttp2Session): void {
    const tap = this.#entering;
    if (tap === undefined) return session.destroy();
    const { clock, limits, onConnection, onStream } = this.options;
    const connection = new Connection(session, tap, clock, limits);
    this.connections.add(connection);
    connection.on_close.push(() => this.connections.delete(connection));
    session.on("stream", (stream, headers) => onStream(connection, stream, headers));
    onConnection(connection);
  }
}

/** The TLS socket and the TCP socket under it say the same. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
