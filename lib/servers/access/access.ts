/**
 * Who may use a server, and how much of it: the words between a server and whatever knows the tenants. A server asks
 * `authenticate` once per token, `admit` once per connection, `refuses` at every subscription and `takeBytes` before every
 * write. Transport-free, so that WebSocket and gRPC share one set of tenants. Knows no secret: a grant names a key, never
 * holds it.
 */

export interface Peer {
  /** The client's address after trusted proxies were resolved (`client_address.ts`). */
  readonly address: string;
}

export type Verdict<T> =
  | { readonly ok: T; readonly refusal?: undefined }
  | { readonly refusal: AccessRefusal; readonly ok?: undefined };

export type RefusalCode = "unauthorized" | "expired" | "revoked" | "too_many_connections" | "unavailable";

export interface AccessRefusal {
  /** `unavailable`: nobody can say at the moment (keys of the issuer unreachable, too many at once); come back later. */
  readonly code: RefusalCode;
  /** For the client: says what to do, never which part of a token was right. */
  readonly message: string;
}

/** What one connection, or one tenant, may use. */
export interface GrantLimits {
  /** Of the tenant, over all workers and nodes. */
  readonly max_connections: number;
  /** Of one connection. */
  readonly max_subscriptions: number;
  /** Of the tenant, over all workers and nodes. */
  readonly max_bytes_per_s: number;
  /** Of one connection. */
  readonly max_requests_per_second: number;
}

/** Who a client is and what it may do. Immutable. */
export interface Grant {
  readonly tenant: string;
  /** Key id, or a JWT's `jti`, else `kid`: for logs, never the secret. */
  readonly key_id: string;
  /** 0 lowest … 9 highest: the highest is evicted last. */
  readonly priority: number;
  readonly limits: GrantLimits;
  /** Where the token ends, Unix epoch; told to the client so that it renews in time. */
  readonly expires_ms?: number;
  /** Where a connection that did not renew is ended: `expires_ms` and the configured grace. */
  readonly cut_off_ms?: number;
  /** Why this may not be had, in words; undefined: allowed. Without `depth` the whole book is meant. */
  refuses(venue: string, symbol: string, channel: string, depth: number | undefined): string | undefined;
}

/** A place among the tenant's connections, over all workers and nodes; ended exactly once, more calls do nothing. */
export interface Lease {
  /** Takes from the tenant's bytes per second; false: nothing was taken, wait. Synchronous. */
  takeBytes(bytes: number): boolean;
  /** Milliseconds until `takeBytes` may succeed. */
  retry_after_ms(): number;
  release(): void;
}

/** What a listener asks about a grant it was given: why it is worth nothing any more, or undefined while it stands. */
export type Recheck = (grant: Grant) => AccessRefusal | undefined;

export interface Access extends AsyncDisposable {
  /** False: everybody is welcome, there are no tokens (`OpenAccess`, one grant for all). */
  readonly wants_token: boolean;
  /** Never throws, has a deadline. */
  authenticate(token: string, peer: Peer): Promise<Verdict<Grant>>;
  /** Never throws, has a deadline. */
  admit(grant: Grant): Promise<Verdict<Lease>>;
  /**
   * The same client under the rights as they are now: another grant (its rights may be narrower or wider), or why it is
   * shut out. Synchronous, so that it may be asked at every change and every minute.
   */
  renew(grant: Grant): Verdict<Grant>;
  /**
   * Called when a key was revoked or the rights of a tenant changed: ask `changed` about every grant in use, end what it
   * refuses, and `renew` the others. Returns how to stop listening.
   */
  onChange(listener: (changed: Recheck) => void): () => void;
}
