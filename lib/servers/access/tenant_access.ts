/**
 * Access by tenants: API keys and JWTs against the newest reading of the tenants file, connections and bytes against a
 * ledger. A file that is broken keeps the old picture in force and says so. Bounded: so many decisions at once, each with
 * a deadline; what an address may cost us in vain is rationed. Never logs or returns any part of a token.
 */
import { type Clock, withDeadline } from "../../base/clock.ts";
import { reasonOf } from "../../base/errors.ts";
import { type Log, RateLimitedLog } from "../../base/log.ts";
import type { MetricFamily, Metrics, MetricValue } from "../../base/metrics.ts";
import { FileWatch, type WatchedFile } from "../watch_files.ts";
import type { Access, Grant, Lease, Peer, Recheck, RefusalCode, Verdict } from "./access.ts";
import { AddressBuckets } from "./address_buckets.ts";
import { limitKey } from "./client_address.ts";
import type { FixedKeys, RemoteKeys } from "./jwks.ts";
import type { JwtVerifier } from "./jwt.ts";
import type { QuotaLedger } from "./quota_ledger.ts";
import { TenantShare } from "./tenant_share.ts";
import { refusal, TenantGrant, Tenants } from "./tenants.ts";
import { checkTenantsMode, parseTenants, type TenantsFile } from "./tenants_file.ts";

/** Longer ones are refused unread. */
const MAX_TOKEN_CHARS = 8_192;
/** Three base64url parts; says nothing about what they hold. */
const LOOKS_LIKE_JWT = /^[\w-]+\.[\w-]+\.[\w-]+$/;
const DEADLINE_MS = 5_000;
const MAX_DECISIONS = 256;
/** JWTs that one address may have refused: verifying costs a public-key operation. */
const VAIN_PER_S = 1;
const VAIN_BURST = 20;

export interface TenantAccessParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly metrics: Metrics;
  readonly tenants: TenantsFile;
  readonly verifier?: JwtVerifier;
  readonly ledger: QuotaLedger;
  readonly owns_ledger: boolean;
  /** The tenants file, then the file of public keys where there is one. */
  readonly files: readonly WatchedFile[];
  readonly texts: readonly string[];
  readonly period_ms: number;
  readonly fixed_keys?: FixedKeys;
  readonly remote_keys?: RemoteKeys;
}

type Result = RefusalCode | "ok";

export class TenantAccess implements Access {
  readonly wants_token = true;
  readonly #watch: FileWatch;
  readonly #log: RateLimitedLog;
  readonly #vain: AddressBuckets;
  readonly #results: MetricFamily<MetricValue>;
  readonly #reloads: MetricFamily<MetricValue>;
  readonly #count: MetricValue;
  /** One per tenant of the file that ever connected: who comes again finds the debt it left. */
  readonly #shares = new Map<string, TenantShare>();
  readonly #listeners = new Set<(changed: Recheck) => void>();
  #tenants: Tenants;
  #texts: readonly string[];
  #deciding = 0;

  constructor(readonly parts: TenantAccessParts) {
    const { clock, log, metrics, files, texts, period_ms } = parts;
    this.#tenants = new Tenants(parts.tenants);
    this.#texts = texts;
    this.#log = new RateLimitedLog(log, clock);
    this.#vain = new AddressBuckets(clock, VAIN_PER_S, VAIN_BURST);
    this.#results = metrics.counter("access_authentications_total", "Tokens judged", ["result"]);
    this.#reloads = metrics.counter(
      "access_file_reloads_total",
      "Changes of the tenants file or of the file of public keys",
      ["result"],
    );
    this.#count = metrics.gauge("access_tenants", "Tenants in the tenants file").with();
    this.#count.value = this.#tenants.size;
    this.#watch = new FileWatch(files, texts, {
      clock,
      period_ms,
      onChange: (changed) => this.#reload(changed),
      onUnreadable: (reason) => this.#keepOld(reason),
    });
  }

  async authenticate(token: string, peer: Peer): Promise<Verdict<Grant>> {
    const verdict = await this.#decide(token, peer);
    this.#results.with(verdict.refusal?.code ?? "ok" satisfies Result).value++;
    return verdict;
  }
  async admit(grant: Grant): Promise<Verdict<Lease>> {
    const { tenant, limits } = grant;
    const { ledger, clock } = this.parts;
    // should the answer come too late, the place goes back
    let is_late = false;
    const asked = ledger.acquire(tenant, limits.max_connections);
    try {
      if (!await withDeadline(clock, DEADLINE_MS, "ask for a place", asked)) {
        return refusal("too_many_connections");
      }
    } catch (error) {
      is_late = true;
      this.#log.warn("ledger", "places of tenants cannot be counted", { tenant, reason: reasonOf(error) });
      return refusal("unavailable");
    } finally {
      if (is_late) asked.then((ok) => ok && ledger.release(tenant), () => {});
    }
    const share = this.#shareOf(grant);
    await withDeadline(clock, DEADLINE_MS, "ask for bytes", share.prepare()).catch(() => {});
    return { ok: this.#lease(tenant, share) };
  }
  renew(grant: Grant): Verdict<Grant> {
    if (!(grant instanceof TenantGrant)) return refusal("revoked");
    const verdict = this.#tenants.renew(grant);
    if (verdict.ok) {
      const share = this.#shares.get(grant.tenant);
      if (share) share.max_bytes_per_s = verdict.ok.limits.max_bytes_per_s;
    }
    return verdict;
  }
  onChange(listener: (changed: Recheck) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }
  /** Looks at the files now, as on SIGHUP. */
  async reload(): Promise<void> {
    await this.#watch.check();
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#listeners.clear();
    await this.#watch[Symbol.asyncDispose]();
    await this.parts.remote_keys?.[Symbol.asyncDispose]();
    if (this.parts.owns_ledger) await this.parts.ledger[Symbol.asyncDispose]();
  }

  async #decide(token: string, peer: Peer): Promise<Verdict<Grant>> {
    if (token.length === 0 || token.length > MAX_TOKEN_CHARS) return refusal("unauthorized");
    const by_key = this.#tenants.byKey(token);
    if (by_key) return by_key;
    const { verifier, clock } = this.parts;
    if (!verifier || !LOOKS_LIKE_JWT.test(token)) return refusal("unauthorized");
    const address = limitKey(peer.address);
    if (this.#deciding >= MAX_DECISIONS || this.#vain.isEmpty(address)) return refusal("unavailable");
    this.#deciding++;
    try {
      return await withDeadline(
        clock,
        DEADLINE_MS,
        "verify a token",
        this.#verify(verifier, token, address),
      );
    } catch {
      return refusal("unavailable");
    } finally {
      this.#deciding--;
    }
  }
  async #verify(verifier: JwtVerifier, token: string, address: string): Promise<Verdict<Grant>> {
    const verdict = await verifier.verify(token);
    if ("failed" in verdict) {
      const { failed, reason } = verdict;
      if (failed !== "unavailable") this.#vain.take(address);
      this.parts.log.debug("token refused", { address, reason });
      return refusal(failed);
    }
    return this.#tenants.byClaim(verdict.tenant, verdict.credential, verdict.lifetime);
  }

  #shareOf({ tenant, limits }: Grant): TenantShare {
    const { ledger, clock } = this.parts;
    let share = this.#shares.get(tenant);
    if (!share) {
      share = new TenantShare(tenant, ledger, clock, limits.max_bytes_per_s);
      this.#shares.set(tenant, share);
    }
    share.max_bytes_per_s = limits.max_bytes_per_s;
    return share;
  }
  #lease(tenant: string, share: TenantShare): Lease {
    let is_held = true;
    return {
      takeBytes: (bytes) => share.takeBytes(bytes),
      retry_after_ms: () => share.retry_after_ms(),
      release: () => {
        if (!is_held) return;
        is_held = false;
        this.parts.ledger.release(tenant);
      },
    };
  }

  async #reload(texts: readonly string[]): Promise<void> {
    const { files, fixed_keys, log } = this.parts;
    try {
      await checkTenantsMode(files[0].path);
      const next = texts[0] === this.#texts[0]
        ? undefined
        : new Tenants(parseTenants(files[0].path, texts[0]));
      if (texts[1] !== this.#texts[1]) fixed_keys?.replace(texts[1]);
      this.#texts = texts;
      this.#reloads.with("ok").value++;
      if (!next) return log.info("public keys read again");
      const before = this.#tenants;
      this.#tenants = next;
      this.#count.value = next.size;
      for (const id of this.#shares.keys()) if (!next.has(id)) this.#shares.delete(id);
      log.info("tenants read again", { tenants: next.size });
      if (next.differsFrom(before)) this.#tell();
    } catch (error) {
      this.#keepOld(reasonOf(error));
    }
  }
  #tell(): void {
    const recheck: Recheck = (grant) => this.renew(grant).refusal;
    for (const listener of [...this.#listeners]) {
      try {
        listener(recheck);
      } catch (error) {
        this.parts.log.error("a change of rights was not applied", { reason: reasonOf(error) });
      }
    }
  }
  #keepOld(reason: string): void {
    this.#reloads.with("failed").value++;
    this.parts.log.error("tenants or public keys not read again: the old ones stay in force", { reason });
  }
}
