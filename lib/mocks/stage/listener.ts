/**
 * One port for both: HTTP requests go to the REST side, upgrades become WebSockets and are handed on with their socket.
 * Refuses: compression (frames are built once and written to many), frames above 256 KiB from a client, more than
 * `MAX_CLIENTS` at a time (503).
 */
import { Buffer } from "node:buffer";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { type WebSocket, WebSocketServer } from "ws";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";

const MAX_CLIENTS = 300;
const MAX_MESSAGE_BYTES = 256 * 1024;

export interface ListenerHandlers {
  request(request: IncomingMessage, response: ServerResponse): Promise<void>;
  /** Who takes a connection on this path, asked before the handshake; undefined: it is not served. */
  enter(path: string): ((socket: WebSocket, raw: Duplex) => void) | undefined;
  failed(error: unknown): void;
}

export class Listener {
  clients = 0;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({
    noServer: true,
    clientTracking: false,
    perMessageDeflate: false,
    autoPong: false,
    maxPayload: MAX_MESSAGE_BYTES,
  });

  constructor(readonly handlers: ListenerHandlers) {
    this.#server = createServer((request, response) => {
      handlers.request(request, response).catch((error) => {
        handlers.failed(error);
        response.destroy();
      });
    });
    this.#server.on("upgrade", (request, raw, head) => this.#upgrade(request, raw, head));
  }

  /**
   * @param where HOST:PORT, port 0 for a free one
   * @returns "HOST:PORT" as bound
   * @throws UserError when the address is no such thing or taken
   */
  async open(where: string): Promise<string> {
    const match = /^(\[[0-9a-fA-F:]+\]|[^:\[\]]+):(\d{1,5})$/.exec(where);
    if (!match || Number(match[2]) > 65_535) {
      throw new UserError(`listen on ${quoted(where)}: not an address, want HOST:PORT`, {
        code: 2,
        hint: "for example --listen 127.0.0.1:0",
      });
    }
    const host = match[1].replace(/^\[|\]$/g, "");
    try {
      await new Promise<void>((resolve, reject) => {
        this.#server.once("error", reject);
        this.#server.listen(Number(match[2]), host, () => resolve());
      });
    } catch (error) {
      throw new UserError(`listen on ${where}: ${reasonOf(error)}`, {
        hint: "choose another port with --listen, 0 picks a free one",
        cause: error,
      });
    }
    return `${match[1]}:${(this.#server.address() as AddressInfo).port}`;
  }
  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#server.closeAllConnections();
    await closed;
  }

  #upgrade(request: IncomingMessage, raw: Duplex, head: Buffer): void {
    const welcome = this.handlers.enter(request.url ?? "/");
    const refusal = !welcome
      ? "404 Not Found"
      : this.clients >= MAX_CLIENTS
      ? "503 Service Unavailable"
      : undefined;
    if (refusal !== undefined || !welcome) {
      raw.end(`HTTP/1.1 ${refusal}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`);
      return;
    }
    this.#sockets.handleUpgrade(request, raw, head, (socket) => {
      this.clients++;
      socket.once("close", () => this.clients--);
      welcome(socket, raw);
    });
  }
}
