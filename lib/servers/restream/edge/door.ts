/**
 * From a handshake to a client: limits before anybody is known, the path, the subprotocol, the token (by header before the
 * 101, or as the first message after it), the tenant's quota. Whatever is refused before the 101 is answered in plain HTTP
 * with JSON; nothing of the market is told to who is not authenticated.
 */
import { Buffer } from "node:buffer";
import type { IncomingMessage, ServerResponse } from "node:http";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
// @ts-types="@types/ws"
import { type ServerOptions, type WebSocket, WebSocketServer } from "ws";
import type { Timer } from "../../../base/clock.ts";
import { quoted } from "../../../base/errors.ts";
import type { Access, AccessRefusal, Grant, Lease, Recheck } from "../../access/access.ts";
import type { FrontDoor } from "../../access/front_door.ts";
import { type Refusal, refusalOf, refusalResponse } from "../../handshake.ts";
import {
  BINARY_PROTOCOL,
  CHANNEL_NAMES,
  DEPTHS,
  INTERVALS_MS,
  JSON_PROTOCOL,
  PROTOCOL_VERSION,
  type RequestId,
} from "../protocol.ts";
import { BINARY_FORMAT, type Format, JSON_FORMAT } from "../stream_key.ts";
import { Client } from "./client.ts";
import type { CloseReason } from "./close_reason.ts";
import { CLOSE_TIMEOUT_MS, type Edge } from "./edge.ts";

/** A client that must renew its token is told so long before. */
const EXPIRY_NOTICE_MS = 60_000;
const RECHECK_MS = 1_000;

const PROTOCOLS: readonly string[] = [JSON_PROTOCOL, BINARY_PROTOCOL];

/** `ws` knows the last four; its published types do not yet. */
type Options = ServerOptions & {
  maxFragments: number;
  maxBufferedChunks: number;
  maxPendingAutoPongs: number;
  closeTimeout: number;
};
const OPTIONS: Options = {
  noServer: true,
  clientTracking: false,
  // Pongs go through the client's own queue.
  autoPong: false,
  perMessageDeflate: false,
  maxPayload: 65_536,
  maxFragments: 64,
  maxBufferedChunks: 1_024,
  maxPendingAutoPongs: 16,
  closeTimeout: CLOSE_TIMEOUT_MS,
  // The client's order is its preference (RFC 6455, 4.1).
  handleProtocols: (offered) => [...offered].find((one) => PROTOCOLS.includes(one)) ?? false,
};

export interface DoorOptions {
  readonly edge: Edge;
  readonly access: Access;
  readonly front_door: FrontDoor;
  /** "mdg 1.2.3". */
  readonly server: string;
  readonly max_clients: number;
  readonly auth_timeout_ms: number;
  /** Unique in the process, hard to guess. */
  newSessionId(): string;
  onEntered?(client: Client): void;
}

type Admission = { grant: Grant; lease: Lease };

export class Door {
  readonly #ws = new WebSocketServer(OPTIONS);
  /** Clients that have not said who they are → when their time is over. */
  readonly #strangers = new Map<Client, Timer>();
  /** As the front door met them: on some runtimes the upgraded stream is another object. */
  readonly #met = new WeakMap<Client, IncomingMessage["socket"]>();
  readonly #stops: (() => void)[];
  #handshakes = 0;
  #closing = false;

  constructor(readonly options: DoorOptions) {
    const { edge, access } = options;
    edge.requests.onAuth = (client, token, id) => void this.#onAuth(client, token, id);
    const timer = edge.options.clock.every(RECHECK_MS, () => this.#expire());
    this.#stops = [access.onChange((changed) => this.#recheck(changed)), () => timer.cancel()];
  }
  close(): void {
    this.#closing = true;
    for (const stop of this.#stops.splice(0)) stop();
    for (const timer of this.#strangers.values()) timer.cancel();
    this.#strangers.clear();
  }

  /** At the listener's `connection`: false ends it at once. */
  onConnection(socket: Socket): boolean {
    return !this.#closing && this.options.front_door.accept(socket);
  }
  /** A request that wants no WebSocket. */
  onRequest(request: IncomingMessage, response: ServerResponse): void {
    const refusal = this.#refusalOf(request) ?? NO_UPGRADE;
    const body = JSON.stringify({ error: { code: refusal.reason, message: refusal.message } });
    response.writeHead(refusal.status, {
      "content-type": "application/json; charset=utf-8",
      connection: "close",
      ...refusal.headers,
    });
    response.end(request.method === "HEAD" ? undefined : body);
  }
  async onUpgrade(request: IncomingMessage, stream: Duplex, head: Uint8Array): Promise<void> {
    const { access, front_door, edge } = this.options;
    const refuse = (refusal: Refusal) => {
      edge.options.metrics.refused.with(refusal.reason).value++;
      stream.end(refusalResponse(refusal), () => stream.destroy());
    };
    const refusal = this.#refusalOf(request);
    if (refusal) return refuse(refusal);
    const visit = front_door.admit(request);
    if ("refusal" in visit) return refuse(visit.refusal);
    const token = bearerOf(request);
    this.#handshakes++;
    try {
      const admission = access.wants_token && token === undefined
        ? undefined
        : await this.#admit(token ?? "", visit.peer.address);
      if (admission && "code" in admission) return refuse(refusalFor(admission));
      if (stream.destroyed || this.#closing) return void admission?.lease.release();
      this.#welcome(request, stream as Socket, head, visit.peer.address, admission);
    } finally {
      this.#handshakes--;
    }
  }

  #refusalOf(request: IncomingMessage): Refusal | undefined {
    const { edge, max_clients } = this.options;
    const offered = request.headers["sec-websocket-protocol"];
    if (offered !== undefined && !offered.split(",").some((one) => PROTOCOLS.includes(one.trim()))) {
      const message = `speak ${quoted(offered, 80)}: no such subprotocol, want one of ${
        PROTOCOLS.join(", ")
      }`;
      return { status: 400, reason: "subprotocol", message };
    }
    return refusalOf(request, {
      clients: this.#closing ? max_clients : edge.clients.size + this.#handshakes,
      max_clients,
      busy: edge.refuse_newcomers,
    });
  }
  async #admit(token: string, address: string): Promise<Admission | AccessRefusal> {
    const { access } = this.options;
    const known = await access.authenticate(token, { address });
    if (known.refusal) return known.refusal;
    const admitted = await access.admit(known.ok);
    if (admitted.refusal) return admitted.refusal;
    return { grant: known.ok, lease: admitted.ok };
  }
  #welcome(
    request: IncomingMessage,
    socket: Socket,
    head: Uint8Array,
    address: string,
    admission: Admission | undefined,
  ): void {
    this.#ws.handleUpgrade(request, socket, Buffer.from(head), (ws) => {
      const { edge, front_door, auth_timeout_ms, server } = this.options;
      const client = this.#enter(ws, socket, address);
      this.#met.set(client, request.socket);
      const hello = { type: "hello", version: PROTOCOL_VERSION, server };
      if (admission) {
        client.admit(admission.grant, admission.lease);
        front_door.authenticated(request.socket);
        client.say({ ...hello, ...this.#facts(client) });
        return this.options.onEntered?.(client);
      }
      client.say({ ...hello, auth: "required", auth_timeout_ms });
      this.#strangers.set(
        client,
        edge.options.clock.after(auth_timeout_ms, () => {
          this.#strangers.delete(client);
          client.close("unauthorized");
        }),
      );
    });
  }
  #enter(ws: WebSocket, socket: Socket, address: string): Client {
    const { edge, newSessionId } = this.options;
    const format: Format = ws.protocol === BINARY_PROTOCOL ? BINARY_FORMAT : JSON_FORMAT;
    const connected_ms = edge.options.clock.now_ms();
    const identity = { id: newSessionId(), peer: `${address}:${socket.remotePort}`, format, connected_ms };
    const { max_requests_per_second } = edge.options.limits;
    const client = new Client(ws, socket, identity, edge.client_context, max_requests_per_second);
    ws.on("close", () => this.#forget(client));
    edge.enter(client);
    return client;
  }
  #facts(client: Client): object {
    const { edge } = this.options;
    return {
      epoch: edge.options.epoch,
      session: client.identity.id,
      heartbeat_ms: edge.options.limits.heartbeat_ms,
      channels: CHANNEL_NAMES,
      depths: DEPTHS,
      intervals_ms: INTERVALS_MS,
      expires_ms: client.grant?.expires_ms,
    };
  }
  async #onAuth(client: Client, token: string, id: RequestId | undefined): Promise<void> {
    if (!this.options.access.wants_token) {
      return client.sendError({
        code: "bad_request",
        message: "authenticate: this server wants no token",
        id,
      });
    }
    const before = client.grant;
    const address = client.identity.peer.slice(0, client.identity.peer.lastIndexOf(":"));
    const admission = await this.#admit(token, address);
    if (!client.open) return "lease" in admission ? admission.lease.release() : undefined;
    if ("code" in admission) {
      client.sendError({ code: "unauthorized", message: admission.message, id });
      // A renewal that failed leaves the old token in force until it ends.
      if (before !== undefined) return;
      client.flush();
      return client.close(closeFor(admission));
    }
    if (before !== undefined && before.tenant !== admission.grant.tenant) {
      admission.lease.release();
      const message = "authenticate: another tenant's token, want one of the same tenant";
      return client.sendError({ code: "unauthorized", message, id });
    }
    client.admit(admission.grant, admission.lease);
    if (before === undefined) {
      this.options.front_door.authenticated(this.#met.get(client)!);
      this.#forget(client);
      this.options.onEntered?.(client);
    } else this.options.edge.requests.review(client, admission.grant);
    client.say({ type: "authenticated", id, tenant: admission.grant.tenant, ...this.#facts(client) });
  }
  #forget(client: Client): void {
    this.#strangers.get(client)?.cancel();
    this.#strangers.delete(client);
  }
  /** Keys were revoked or rights changed. */
  #recheck(changed: Recheck): void {
    const { edge } = this.options;
    for (const client of edge.clients) {
      if (client.grant === undefined) continue;
      const refusal = changed(client.grant);
      const renewed = refusal ? { refusal } : this.options.access.renew(client.grant);
      if (renewed.refusal) {
        client.close(closeFor(renewed.refusal));
        continue;
      }
      client.grant = renewed.ok;
      edge.requests.review(client, client.grant);
    }
  }
  /** Tokens end while their connections live. */
  #expire(): void {
    const { edge } = this.options;
    const now_ms = edge.options.clock.now_ms();
    for (const client of edge.clients) {
      const { grant } = client;
      if (grant?.expires_ms === undefined) continue;
      if (now_ms >= (grant.cut_off_ms ?? grant.expires_ms)) {
        client.close("expired");
      } else if (now_ms >= grant.expires_ms - EXPIRY_NOTICE_MS && !client.told_of_expiry) {
        client.told_of_expiry = true;
        const ends_in_ms = Math.max(0, grant.expires_ms - now_ms);
        client.say({ type: "notice", code: "expiring", message: "renew the token: send auth", ends_in_ms });
      }
    }
  }
}

const NO_UPGRADE: Refusal = {
  status: 426,
  reason: "no_upgrade",
  message: "answer over HTTP: this is a WebSocket endpoint, want an upgrade",
  headers: { upgrade: "websocket" },
};

function bearerOf({ headers }: IncomingMessage): string | undefined {
  const match = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "");
  return match?.[1];
}

function refusalFor({ code, message }: AccessRefusal): Refusal {
  const status = code === "too_many_connections" ? 429 : code === "unavailable" ? 503 : 401;
  return { status, reason: code, message, ...(status === 401 ? {} : { headers: { "retry-after": "5" } }) };
}

function closeFor({ code }: AccessRefusal): CloseReason {
  return code === "unavailable" ? "kicked" : code;
}
