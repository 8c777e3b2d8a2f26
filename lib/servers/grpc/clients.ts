/**
 * From a call to a client: the front door, the token in the metadata, the tenant's quota; then its place in the session
 * registry and in the memory guard's books. A token is judged once per connection and remembered by its digest.
 */
import { createHash, randomUUID } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http2";
import type { Clock, Timer } from "../../base/clock.ts";
import {
  type GuardedClient,
  type GuardedPool,
  type PoolMeasure,
  type PressureStep,
} from "../../flow/memory_guard.ts";
import { Holdings } from "../../flow/memory_guard/holdings.ts";
import type { Sessions } from "../../flow/session_registry.ts";
import type { Access, AccessRefusal, Recheck, RefusalCode } from "../access/access.ts";
import type { FrontDoor } from "../access/front_door.ts";
import { GrpcClient, type GrpcClientContext } from "./client.ts";
import type { GrpcMetrics } from "./grpc_metrics.ts";
import {
  GrpcError,
  PERMISSION_DENIED,
  RESOURCE_EXHAUSTED,
  UNAUTHENTICATED,
  UNAVAILABLE,
} from "./protocol/status.ts";
import type { Connection } from "./transport/connection.ts";

/** Keys that one connection may show: a proxy brings several, a guesser many. */
const MAX_CLIENTS_PER_CONNECTION = 16;
const RECHECK_MS = 1_000;

const CODES: Readonly<Record<RefusalCode, number>> = {
  unauthorized: UNAUTHENTICATED,
  expired: UNAUTHENTICATED,
  revoked: UNAUTHENTICATED,
  too_many_connections: RESOURCE_EXHAUSTED,
  unavailable: UNAVAILABLE,
};

export interface ClientsOptions extends GrpcClientContext {
  readonly clock: Clock;
  readonly access: Access;
  readonly front_door: FrontDoor;
  readonly metrics: GrpcMetrics;
  readonly sessions?: Sessions;
}

type Known = Map<string, Promise<GrpcClient>>;

export class Clients implements GuardedPool {
  readonly name = "grpc";
  readonly all = new Set<GrpcClient>();
  readonly #holdings = new Holdings();
  readonly #known = new WeakMap<Connection, Known>();
  readonly #ends = new WeakMap<GrpcClient, (why: string, code: number, message: string) => void>();
  readonly #stops: (() => void)[];
  refuse_newcomers = false;

  constructor(readonly options: ClientsOptions) {
    const { access, clock } = options;
    const timer: Timer = clock.every(RECHECK_MS, () => this.#expire());
    this.#stops = [access.onChange((changed) => this.#recheck(changed)), () => timer.cancel()];
  }
  close(): void {
    for (const stop of this.#stops.splice(0)) stop();
  }
  /** Whose call this is. @throws GrpcError */
  async of(connection: Connection, headers: IncomingHttpHeaders): Promise<GrpcClient> {
    const token = this.options.access.wants_token ? bearerOf(headers) : "";
    if (token === undefined) {
      this.#refused("no_token");
      const message = "authenticate: no token, want metadata authorization: Bearer TOKEN";
      throw new GrpcError(UNAUTHENTICATED, message);
    }
    const key = createHash("sha256").update(token).digest("base64");
    let known = this.#known.get(connection);
    if (known === undefined) this.#known.set(connection, known = new Map());
    const found = known.get(key);
    if (found !== undefined) return await found;
    if (known.size >= MAX_CLIENTS_PER_CONNECTION) {
      this.#refused("too_many_keys");
      throw new GrpcError(RESOURCE_EXHAUSTED, "authenticate: too many keys on this connection");
    }
    const admitted = this.#admit(connection, headers, token, () => known.delete(key));
    known.set(key, admitted);
    try {
      return await admitted;
    } catch (error) {
      known.delete(key);
      throw error;
    }
  }

  measure(): PoolMeasure {
    const { client_bytes, clients } = this.#holdings;
    // What waits in HTTP/2 is a copy for each call.
    return { client_bytes, unique_bytes: client_bytes, clients };
  }
  candidates(limit_per_class: number): readonly GuardedClient[] {
    return this.#holdings.candidates(limit_per_class);
  }
  tenantBytes(): ReadonlyMap<string, number> {
    return this.#holdings.tenantBytes();
  }
  setPressure({ refuse_newcomers }: PressureStep): void {
    // Books and tickers are conflated always.
    this.refuse_newcomers = refuse_newcomers;
  }

  async #admit(
    connection: Connection,
    headers: IncomingHttpHeaders,
    token: string,
    forget: () => void,
  ): Promise<GrpcClient> {
    const { access, front_door } = this.options;
    const visit = front_door.admit({ socket: connection.socket, headers });
    if ("refusal" in visit) {
      this.#refused(visit.refusal.reason);
      const { status, message } = visit.refusal;
      const codes: Record<number, number> = { 403: PERMISSION_DENIED, 429: RESOURCE_EXHAUSTED };
      throw new GrpcError(codes[status] ?? UNAVAILABLE, message);
    }
    const judged = await access.authenticate(token, visit.peer);
    if (judged.refusal) throw this.#refusal(judged.refusal);
    const admitted = await access.admit(judged.ok);
    if (admitted.refusal) throw this.#refusal(admitted.refusal);
    const { socket, session } = connection;
    if (session.destroyed) {
      admitted.ok.release();
      throw new GrpcError(UNAVAILABLE, "answer the call: the connection is gone");
    }
    front_door.authenticated(socket);
    connection.known = true;
    const peer = `${visit.peer.address}:${socket.remotePort}`;
    const client = new GrpcClient(randomUUID(), connection, peer, judged.ok, admitted.ok, this.options);
    this.#enter(client, forget);
    return client;
  }
  #enter(client: GrpcClient, forget: () => void): void {
    const { clock, sessions } = this.options;
    const { tenant, key_id, priority } = client.grant;
    this.all.add(client);
    let reason = "left";
    const end = (why: string, code: number, message: string) => {
      if (!this.all.has(client)) return;
      reason = why;
      forget();
      client.endAll(code, message);
      leave();
      // Others may speak over the same connection; else it has no use any more.
      if (![...this.all].some(({ connection }) => connection === client.connection)) {
        client.connection.goAway();
      }
    };
    const holding = this.#holdings.add({
      id: client.id,
      priority,
      tenant,
      evict: () => {
        client.resetAll();
        end("evicted", RESOURCE_EXHAUSTED, "evicted: memory of the server is short");
      },
    });
    const leave = () => {
      if (!this.all.delete(client)) return;
      client.lease.release();
      this.#holdings.remove(holding);
      sessions?.ended(client.id, reason);
    };
    client.holding = holding;
    this.#ends.set(client, end);
    client.connection.on_close.push(leave);
    sessions?.add({
      id: client.id,
      server: "grpc",
      tenant,
      key_id,
      peer: client.peer,
      connected_ms: clock.now_ms(),
      priority,
      describe: () => ({
        subscriptions: client.subscriptions,
        queued_bytes: client.queued_bytes,
        sent_messages: client.sent_messages,
        sent_bytes: client.sent_bytes,
        skipped_messages: client.skipped_messages,
        step: client.step,
      }),
      kick: () => end("kicked", UNAVAILABLE, "ended by the operator"),
    });
  }
  #refusal({ code, message }: AccessRefusal): GrpcError {
    this.#refused(code);
    return new GrpcError(CODES[code], message);
  }
  #refused(reason: string): void {
    this.options.metrics.refused.with(reason).value++;
  }
  /** Keys were revoked or rights changed. */
  #recheck(changed: Recheck): void {
    for (const client of [...this.all]) {
      const refusal = changed(client.grant);
      const renewed = refusal ? { refusal } : this.options.access.renew(client.grant);
      if (renewed.refusal) {
        const { code, message } = renewed.refusal;
        this.#ends.get(client)?.(code, CODES[code], message);
        continue;
      }
      client.renew(renewed.ok);
      for (const [call, topic] of [...client.calls]) {
        if (topic === undefined) continue;
        const { venue, symbol, channel, depth } = topic;
        const why = client.grant.refuses(venue, symbol, channel, depth);
        if (why !== undefined) call.fail(PERMISSION_DENIED, why);
      }
    }
  }
  /** Tokens end while their calls live. */
  #expire(): void {
    const now_ms = this.options.clock.now_ms();
    for (const client of [...this.all]) {
      const { expires_ms, cut_off_ms } = client.grant;
      const end_ms = cut_off_ms ?? expires_ms;
      if (end_ms === undefined || now_ms < end_ms) continue;
      this.#ends.get(client)?.("expired", UNAUTHENTICATED, "the token expired: call again with a new one");
    }
  }
}

function bearerOf(headers: IncomingHttpHeaders): string | undefined {
  const match = /^Bearer +(\S+)$/i.exec(String(headers.authorization ?? ""));
  return match?.[1];
}
