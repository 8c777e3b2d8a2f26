/**
 * The tenants as they stand: one immutable picture per reading of the file, with an index of keys. A grant names the
 * picture it was given under; whether it still holds is asked of the newest one.
 */
import type { AccessRefusal, Grant, GrantLimits, RefusalCode, Verdict } from "./access.ts";
import { keyIdOf, matchesKey } from "./api_key.ts";
import { Entitlements } from "./entitlement.ts";
import type { TenantEntry, TenantsFile } from "./tenants_file.ts";

/** By what a client showed that it is this tenant. */
export type Credential =
  | { readonly kind: "key"; readonly id: string }
  | { readonly kind: "jwt"; readonly jti?: string; readonly kid?: string };

export interface Lifetime {
  readonly expires_ms: number;
  readonly cut_off_ms: number;
}

/** One tenant's rights, compiled. */
export class Tenant {
  readonly limits: GrantLimits;
  readonly entitlements: Entitlements;
  readonly revoked_tokens: ReadonlySet<string>;
  /** Equal for two readings in which the tenant may do the same. */
  readonly rights: string;

  constructor(readonly entry: TenantEntry) {
    const { connections, subscriptions, bytes_per_s, requests_per_s } = entry.quotas;
    this.limits = {
      max_connections: connections,
      max_subscriptions: subscriptions,
      max_bytes_per_s: bytes_per_s,
      max_requests_per_second: requests_per_s,
    };
    this.entitlements = new Entitlements(entry.allow);
    this.revoked_tokens = new Set(entry.revoked_tokens);
    this.rights = JSON.stringify([entry.priority, entry.allow, entry.quotas]);
  }
}

export class TenantGrant implements Grant {
  readonly tenant: string;
  readonly key_id: string;
  readonly priority: number;
  readonly limits: GrantLimits;
  readonly expires_ms?: number;
  readonly cut_off_ms?: number;

  constructor(readonly of: Tenant, readonly credential: Credential, lifetime?: Lifetime) {
    this.tenant = of.entry.id;
    this.key_id = credential.kind === "key" ? credential.id : credential.jti ?? credential.kid ?? "jwt";
    this.priority = of.entry.priority;
    this.limits = of.limits;
    this.expires_ms = lifetime?.expires_ms;
    this.cut_off_ms = lifetime?.cut_off_ms;
  }
  refuses(venue: string, symbol: string, channel: string, depth: number | undefined): string | undefined {
    return this.of.entitlements.refuses(venue, symbol, channel, depth);
  }
  get lifetime(): Lifetime | undefined {
    const { expires_ms, cut_off_ms } = this;
    return expires_ms === undefined || cut_off_ms === undefined ? undefined : { expires_ms, cut_off_ms };
  }
}

interface IndexedKey {
  readonly tenant: Tenant;
  readonly hash: string;
  readonly revoked: boolean;
}

export class Tenants {
  readonly #by_id = new Map<string, Tenant>();
  readonly #keys = new Map<string, IndexedKey>();

  constructor(file: TenantsFile) {
    for (const entry of file.tenants) {
      const tenant = new Tenant(entry);
      this.#by_id.set(entry.id, tenant);
      for (const { id, hash, revoked } of entry.keys) {
        this.#keys.set(id, { tenant, hash, revoked: revoked !== undefined });
      }
    }
  }
  get size(): number {
    return this.#by_id.size;
  }
  has(tenant: string): boolean {
    return this.#by_id.has(tenant);
  }
  /** Who holds this key; undefined when it has not the form of one. */
  byKey(token: string): Verdict<TenantGrant> | undefined {
    const id = keyIdOf(token);
    if (id === undefined) return undefined;
    const found = this.#keys.get(id);
    // what the entry says is told only to who knows the secret
    if (!matchesKey(token, found?.hash)) return refusal("unauthorized");
    const { tenant, revoked } = found!;
    if (revoked || tenant.entry.revoked !== undefined) return refusal("revoked");
    return { ok: new TenantGrant(tenant, { kind: "key", id }) };
  }
  /** Who a JWT names, once its signature and times are right. */
  byClaim(id: string, credential: Credential & { kind: "jwt" }, lifetime: Lifetime): Verdict<TenantGrant> {
    const tenant = this.#by_id.get(id);
    if (!tenant) return refusal("unauthorized");
    if (tenant.entry.revoked !== undefined) return refusal("revoked");
    if (credential.jti !== undefined && tenant.revoked_tokens.has(credential.jti)) return refusal("revoked");
    return { ok: new TenantGrant(tenant, credential, lifetime) };
  }
  /** The same credential under this picture. */
  renew({ tenant: id, credential, lifetime }: TenantGrant): Verdict<TenantGrant> {
    const tenant = this.#by_id.get(id);
    if (!tenant || tenant.entry.revoked !== undefined) return refusal("revoked");
    if (credential.kind === "jwt") {
      const { jti } = credential;
      if (jti !== undefined && tenant.revoked_tokens.has(jti)) return refusal("revoked");
    } else {
      const key = this.#keys.get(credential.id);
      if (!key || key.revoked || key.tenant !== tenant) return refusal("revoked");
    }
    return { ok: new TenantGrant(tenant, credential, lifetime) };
  }
  /** Something that a connection may rest on is not as it was. */
  differsFrom(before: Tenants): boolean {
    for (const [id, old] of before.#by_id) {
      const now = this.#by_id.get(id);
      if (now?.rights !== old.rights || now.entry.revoked !== old.entry.revoked) return true;
      for (const jti of now.revoked_tokens) if (!old.revoked_tokens.has(jti)) return true;
    }
    for (const [id, old] of before.#keys) {
      const now = this.#keys.get(id);
      if (!now || now.revoked !== old.revoked || now.hash !== old.hash) return true;
    }
    return false;
  }
}

const MESSAGES: Readonly<Record<RefusalCode, string>> = {
  unauthorized: "authenticate: no valid token, want an API key or a JWT of this server",
  expired: "authenticate: the token has expired, want a new one",
  revoked: "authenticate: the key was revoked, want another one",
  too_many_connections: "connect: the tenant's connections are used up, want one of them to end first",
  unavailable: "authenticate: cannot be decided at the moment, come back later",
};

export function refusal(code: RefusalCode, message = MESSAGES[code]): { readonly refusal: AccessRefusal } {
  return { refusal: { code, message } };
}
