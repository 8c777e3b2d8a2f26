/**
 * One HTTP listener with the limits that every server of this family needs: header and request deadlines, a bound on
 * header bytes and on connections, and an end that lets nothing linger. Node's own server closes neither upgraded nor
 * idle sockets, so they are tracked here. A port that cannot be had is an error a person can act on.
 */
import { createServer, type Server as HttpServer } from "node:http";
import { createServer as createTlsServer, type Server as HttpsServer } from "node:https";
import type { Server as NetServer, Socket } from "node:net";
import { z } from "zod";
import { UserError } from "../base/errors.ts";
import { checkTls, MIN_TLS_VERSION, type TlsPair } from "./check_tls.ts";
import { TlsReload } from "./tls_reload.ts";

/** HOST:PORT, [IPv6]:PORT; port 0 picks a free one. */
export function parseListen(text: string): { host: string; port: number } | undefined {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^:\s/]+)):(\d{1,5})$/.exec(text);
  if (!match) return undefined;
  const port = Number(match[3]);
  return port <= 65_535 ? { host: match[1] ?? match[2], port } : undefined;
}

/** A config value `listen` with this default. */
export function listenSchema(default_listen: string) {
  return z.string()
    .refine((text) => parseListen(text) !== undefined, {
      error: "want HOST:PORT, such as " + JSON.stringify(default_listen),
    })
    .default(default_listen)
    .describe("Address to listen on, HOST:PORT; port 0 picks a free one");
}

export interface ListenOptions {
  /** HOST:PORT, as `listenSchema` accepts it. */
  listen: string;
  /** The flag that sets this address, for the hint when the port is taken. */
  flag: string;
  /** Connections beyond are refused at once. */
  max_connections: number;
  /** How long a client may take for its request and headers. */
  request_timeout_ms?: number;
  max_header_bytes?: number;
  /** Absent: plain HTTP. A `TlsReload` is followed: new connections get its newest certificate. */
  tls?: TlsPair | TlsReload;
  /** Asked at each connection, before TLS: false ends it at once. */
  accept?(socket: Socket): boolean;
  /** Several threads listen on one port (SO_REUSEPORT), and the kernel spreads connections over them. */
  shared_port?: boolean;
  /** Replaces the hint that names `flag`, where there is no config to change. */
  hint?: string;
}

export interface Listener {
  readonly server: HttpServer;
  /** What was really bound. */
  readonly address: string;
  /** Connections refused at `max_connections` or by `accept`, or ended because a request was late or malformed. */
  readonly refused: { connections: number; requests: number };
  /** Stops accepting; existing connections live on. */
  stop(): void;
  /** Ends whatever is still open; resolves when the port is free. */
  close(): Promise<void>;
}

/** Resolves when bound. Rejects with a UserError when the address cannot be had. */
export async function openListener(options: ListenOptions): Promise<Listener> {
  const { listen, flag, max_connections, request_timeout_ms = 5_000, max_header_bytes = 16_384 } = options;
  const target = parseListen(listen);
  if (!target) {
    throw new UserError(`listen on ${JSON.stringify(listen)}: no address, want HOST:PORT`, { code: 2 });
  }
  const refused = { connections: 0, requests: 0 };
  const sockets = new Set<Socket>();
  const server = createAnyServer({
    headersTimeout: request_timeout_ms,
    requestTimeout: request_timeout_ms,
    keepAliveTimeout: request_timeout_ms,
    connectionsCheckingInterval: Math.min(1_000, request_timeout_ms),
    maxHeaderSize: max_header_bytes,
  }, options.tls);
  // before it listens: a certificate that changes while it binds is not missed
  const unfollow = options.tls instanceof TlsReload
    ? options.tls.follow(server as unknown as HttpsServer)
    : undefined;
  server.once("close", () => unfollow?.());
  server.on("connection", (socket: Socket) => {
    // Without a listener an 'error' of a half-open socket would end the process.
    socket.on("error", () => {});
    releaseAtEnd(socket);
    if (sockets.size >= max_connections || options.accept?.(socket) === false) {
      refused.connections++;
      socket.destroy();
      return;
    }
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  server.on("clientError", (_error: Error, socket: Socket) => {
    if (socket.destroyed) return;
    refused.requests++;
    if (socket.writable) {
      socket.write("HTTP/1.1 400 Bad Request\r\nConnection: close\r\nContent-Length: 0\r\n\r\n");
    }
    socket.destroySoon();
  });
  const hint = options.hint ??
    `choose another address with servers[].listen in the config, or with ${flag}`;
  await bindServer(server, { ...target, reusePort: options.shared_port }, listen, hint).catch((error) => {
    unfollow?.();
    throw error;
  });
  const address = boundAddress(server) ?? listen;
  let closed: Promise<void> | undefined;
  const stop = () => closed ??= new Promise<void>((resolve) => server.close(() => resolve()));
  return {
    server,
    address,
    refused,
    stop: () => void stop(),
    async close() {
      const done = stop();
      for (const socket of sockets) socket.destroy();
      await done;
    },
  };
}

function createAnyServer(limits: Record<string, number>, tls: ListenOptions["tls"]): HttpServer {
  if (!tls) return createServer(limits);
  const { cert, key } = tls instanceof TlsReload ? tls.pair : tls;
  checkTls({ cert, key });
  const server = createTlsServer({
    ...limits,
    cert,
    key,
    minVersion: MIN_TLS_VERSION,
    handshakeTimeout: 5_000,
  });
  server.on("secureConnection", (socket: Socket) => socket.on("error", () => {}));
  // Over what never became TLS nothing can be answered: a write would wait for ever, and the connection with it.
  server.on("tlsClientError", (_error: Error, socket: Socket) => socket.destroy());
  // An https.Server has every event and method of an http.Server; their types just do not know of each other.
  return server as unknown as HttpServer;
}

/**
 * Deno up to 2.9.1 holds every socket for ever whose reading was not stopped before it closed, 1.6 KiB each
 * (denoland/deno#35876): a day of ten connections a second is more than a gigabyte. What stops the reading has no public
 * name; where a later Deno has none under this one, nothing happens.
 */
function releaseAtEnd(socket: Socket): void {
  const handle = (socket as { _handle?: { readStop?(): unknown } | null })._handle;
  socket.once("close", () => handle?.readStop?.());
}

/** What was really bound, after port 0 was resolved. */
export function boundAddress(server: NetServer): string | undefined {
  const bound = server.address();
  if (bound === null || typeof bound !== "object") return undefined;
  return `${bound.family === "IPv6" ? `[${bound.address}]` : bound.address}:${bound.port}`;
}

/** Resolves when it listens. Rejects with a UserError, `hint` in it, when the address cannot be had. */
export function bindServer(
  server: NetServer,
  target: { host: string; port: number; reusePort?: boolean },
  listen: string,
  hint: string,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const failed = (error: Error & { code?: string }) => {
      reject(
        new UserError(`listen on ${JSON.stringify(listen)}: ${whyNot(error)}`, {
          hint,
          cause: error,
        }),
      );
    };
    server.once("error", failed);
    server.listen(target, () => {
      server.off("error", failed);
      resolve();
    });
  });
}

function whyNot(error: Error & { code?: string }): string {
  switch (error.code) {
    case "EADDRINUSE":
      return "address in use, want a free port";
    case "EACCES":
    case "EPERM":
      return "permission denied, want a port this user may open";
    case "EADDRNOTAVAIL":
      return "not an address of this host, want one of its own";
    case "ENOTFOUND":
      return "host unknown, want a name or address of this host";
    default:
      return error.message;
  }
}
