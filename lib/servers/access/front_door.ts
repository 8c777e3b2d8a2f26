/**
 * What happens to a connection before anybody knows who it is, in order of cost: its address's share of accepts and of
 * open connections, the places for clients that have not shown a token yet, the origin of a web page, a token where none
 * may stand. The listener calls `accept` per socket, the handshake `admit`, whoever authenticated it `authenticated`. Every limit is of one door: a server with several workers has one each.
 */
import type { IncomingHttpHeaders } from "node:http";
import { z } from "zod";
import type { Clock } from "../../base/clock.ts";
import { quoted } from "../../base/errors.ts";
import type { MetricFamily, Metrics, MetricValue } from "../../base/metrics.ts";
import type { Peer } from "./access.ts";
import { AddressBuckets } from "./address_buckets.ts";
import { isAddressRange, limitKey, plainAddress, TrustedProxies } from "./client_address.ts";
import { isOrigin, originAllowed } from "./origin.ts";
import { hasTokenInUrl } from "./token_in_url.ts";

/** Spread into the config of a server that faces the public. */
export const FRONT_DOOR = {
  allowed_origins: z.array(z.string().refine(isOrigin, "must be scheme://host[:port], nothing after it"))
    .max(1_000).default([])
    .describe(
      "Origins of web pages that may connect; exact, no wildcard. Programs send none and are not asked",
    ),
  trusted_proxies: z.array(z.string().refine(isAddressRange, "must be ADDRESS or ADDRESS/BITS")).max(1_000)
    .default([])
    .describe("Proxies whose X-Forwarded-For is believed, such as 10.0.0.0/8"),
  max_connections_per_address: z.int().min(1).max(1_000_000).default(100)
    .describe("Open connections of one client address (IPv6: of its /64)"),
  accepts_per_second_per_address: z.number().min(0.1).max(100_000).default(10)
    .describe("New connections per second of one client address, with bursts of five seconds' worth"),
  max_unauthenticated: z.int().min(1).max(1_000_000).default(1_000)
    .describe("Open connections, of everybody together, that have not shown a valid token yet"),
};
const schema = z.object(FRONT_DOOR);
export type FrontDoorConfig = z.output<typeof schema>;

const ACCEPT_BURST_S = 5;

/** The same shape as a refusal of the handshake. */
export interface FrontDoorRefusal {
  readonly status: 400 | 403 | 429 | 503;
  /** For metrics. */
  readonly reason:
    | "address_rate"
    | "address_full"
    | "unauthenticated_full"
    | "origin"
    | "token_in_url"
    | "gone";
  readonly message: string;
  readonly headers?: Record<string, string>;
}

/** What the door needs of a socket: TCP and TLS sockets of one connection say the same. */
export interface DoorSocket {
  readonly remoteAddress?: string;
  readonly remotePort?: number;
  readonly localPort?: number;
  readonly destroyed?: boolean;
  once?(event: "close", listener: () => void): unknown;
}

export interface DoorRequest {
  readonly socket: DoorSocket;
  readonly headers: IncomingHttpHeaders;
  readonly url?: string;
}

/** The share of all connections whose address the runtime does not tell. */
const UNKNOWN_ADDRESS = "unknown";

interface Visit {
  /** Whose share it counts against; undefined: a proxy's, and the client is not known yet. */
  share: string | undefined;
  authenticated: boolean;
}

export class FrontDoor {
  readonly #visits = new Map<string, Visit>();
  /** Names of connections of which the runtime tells no address. */
  readonly #nameless = new WeakMap<DoorSocket, string>();
  #named = 0;
  readonly #open = new Map<string, number>();
  readonly #accepts: AddressBuckets;
  readonly #proxies: TrustedProxies;
  readonly #refused: MetricFamily<MetricValue>;
  #unauthenticated = 0;

  constructor(
    readonly config: FrontDoorConfig,
    clock: Clock,
    metrics: Metrics,
    /** For tests and for servers of one machine: pages of loopback need not be listed. */
    readonly options: { loopback_pages?: boolean; max_addresses?: number } = {},
  ) {
    const rate = config.accepts_per_second_per_address;
    this.#accepts = new AddressBuckets(
      clock,
      rate,
      Math.max(1, Math.ceil(rate * ACCEPT_BURST_S)),
      options.max_addresses,
    );
    this.#proxies = new TrustedProxies(config.trusted_proxies);
    this.#refused = metrics.counter(
      "front_door_refused_total",
      "Connections and handshakes refused before authentication",
      ["reason"],
    );
  }
  /** Connections that have not shown a valid token yet. */
  get unauthenticated(): number {
    return this.#unauthenticated;
  }
  /** Open connections in all. */
  get open(): number {
    return this.#visits.size;
  }

  /** At the listener's `connection`: false means to destroy the socket at once. */
  accept(socket: DoorSocket): boolean {
    const refusal = this.#enter(socket);
    if (refusal) this.#note(refusal);
    return refusal === undefined;
  }
  /** The same for a listener that answers in HTTP: why not, or whose connection it is. */
  admit(request: DoorRequest): { refusal: FrontDoorRefusal } | { peer: Peer } {
    const refusal = this.#judge(request);
    if (refusal) {
      this.#note(refusal);
      return { refusal };
    }
    return { peer: { address: this.#clientOf(request) } };
  }
  /** It showed a valid token: its place among the unauthenticated is free. */
  authenticated(socket: DoorSocket): void {
    const visit = this.#visits.get(this.#keyOf(socket) ?? "");
    if (!visit || visit.authenticated) return;
    visit.authenticated = true;
    this.#unauthenticated--;
  }
  /** The connection is over; sockets that tell of their end are left by themselves. */
  leave(socket: DoorSocket, key = this.#keyOf(socket)): void {
    const visit = this.#visits.get(key ?? "");
    if (!visit) return;
    this.#visits.delete(key!);
    if (!visit.authenticated) this.#unauthenticated--;
    this.#giveBack(visit.share);
  }

  #judge(request: DoorRequest): FrontDoorRefusal | undefined {
    const key = this.#keyOf(request.socket);
    if (key === undefined) return GONE;
    // a listener that did not ask at `connection` asks now
    const late = this.#visits.has(key) ? undefined : this.#enter(request.socket);
    if (late) return late;
    const visit = this.#visits.get(key)!;
    if (visit.share === undefined) {
      const refusal = this.#count(visit, limitKey(this.#clientOf(request)));
      if (refusal) return refusal;
    }
    const { origin } = request.headers;
    if (
      origin !== undefined && !originAllowed(origin, this.config.allowed_origins, this.options.loopback_pages)
    ) {
      const message = `admit origin ${quoted(origin)}: not allowed, want one of allowed_origins`;
      return { status: 403, reason: "origin", message };
    }
    return hasTokenInUrl(request.url ?? "/") ? TOKEN_IN_URL : undefined;
  }
  #enter(socket: DoorSocket): FrontDoorRefusal | undefined {
    const key = this.#keyOf(socket);
    if (key === undefined) return GONE;
    if (this.#visits.has(key)) return undefined;
    if (this.#unauthenticated >= this.config.max_unauthenticated) {
      const message = `admit one more client: ${this.#unauthenticated} have not shown a token yet`;
      return { status: 503, reason: "unauthenticated_full", message, headers: RETRY_SOON };
    }
    const visit: Visit = { share: undefined, authenticated: false };
    const told = socket.remoteAddress ?? UNKNOWN_ADDRESS;
    const address = plainAddress(told) ?? told;
    if (!this.#proxies.has(address)) {
      const refusal = this.#count(visit, limitKey(address));
      if (refusal) return refusal;
    }
    this.#visits.set(key, visit);
    this.#unauthenticated++;
    socket.once?.("close", () => this.leave(socket, key));
    return undefined;
  }
  /** Counts the visit against this address's share, or says why it has none left. */
  #count(visit: Visit, share: string): FrontDoorRefusal | undefined {
    if (!this.#accepts.take(share)) return TOO_FAST;
    const open = this.#open.get(share) ?? 0;
    if (open >= this.config.max_connections_per_address) return TOO_MANY;
    this.#open.set(share, open + 1);
    visit.share = share;
    return undefined;
  }
  #giveBack(share: string | undefined): void {
    if (share === undefined) return;
    const left = (this.#open.get(share) ?? 1) - 1;
    if (left <= 0) this.#open.delete(share);
    else this.#open.set(share, left);
  }
  /**
   * A socket without an address is gone, or it is a live one of a runtime that tells none (Deno before 2.8 for upgraded
   * requests): then all of these share the limits of one address.
   */
  #keyOf(socket: DoorSocket): string | undefined {
    const key = keyOf(socket);
    if (key !== undefined || socket.destroyed !== false) return key;
    let name = this.#nameless.get(socket);
    if (name === undefined) this.#nameless.set(socket, name = `${UNKNOWN_ADDRESS} ${++this.#named}`);
    return name;
  }
  #clientOf({ socket, headers }: DoorRequest): string {
    if (socket.remoteAddress === undefined) return UNKNOWN_ADDRESS;
    const forwarded = headers["x-forwarded-for"];
    return this.#proxies.clientOf(
      socket.remoteAddress,
      Array.isArray(forwarded) ? forwarded.join(",") : forwarded,
    );
  }
  #note(refusal: FrontDoorRefusal): void {
    this.#refused.with(refusal.reason).value++;
  }
}

/** What names a connection while it lives, for its TCP socket and for the TLS socket on top of it alike. */
function keyOf({ remoteAddress, remotePort, localPort }: DoorSocket): string | undefined {
  if (remoteAddress === undefined || remotePort === undefined) return undefined;
  return `${remoteAddress} ${remotePort} ${localPort}`;
}

const RETRY_SOON = { "retry-after": "5" };
const TOO_FAST: FrontDoorRefusal = {
  status: 429,
  reason: "address_rate",
  message: "connect: too often from this address, want a pause between attempts",
  headers: RETRY_SOON,
};
const TOO_MANY: FrontDoorRefusal = {
  status: 429,
  reason: "address_full",
  message: "connect: too many open connections from this address, want one of them to end first",
  headers: RETRY_SOON,
};
const TOKEN_IN_URL: FrontDoorRefusal = {
  status: 400,
  reason: "token_in_url",
  message: "authenticate by URL: URLs are logged, want a header (Authorization: Bearer …) or an auth message",
};
const GONE: FrontDoorRefusal = {
  status: 503,
  reason: "gone",
  message: "connect: the client has gone already",
};
