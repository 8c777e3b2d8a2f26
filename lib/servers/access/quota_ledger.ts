/**
 * Where places and bytes of tenants are accounted for. One contract, three keepers: this process (`LocalLedger`), all nodes
 * together (`RedisLedger`), whoever is behind a message port (`portLedger`). Limits come with each call, since they belong
 * to the tenants' file, not to the ledger.
 */
import type { Clock } from "../../base/clock.ts";
import { RateBucket } from "./rate_bucket.ts";

/** What was given of a tenant's bytes. */
export interface Drawn {
  readonly bytes: number;
  /** When it may be worth asking again; 0 when all that was wanted was given. */
  readonly retry_after_ms: number;
}

export interface QuotaLedger extends AsyncDisposable {
  /** A place among the tenant's connections; false: all taken. Rejects when nobody can say. */
  acquire(tenant: string, max_connections: number): Promise<boolean>;
  /** Gives one place back. */
  release(tenant: string): void;
  /** Up to `want_bytes` of what the tenant may send now. Rejects when nobody can say. */
  draw(tenant: string, want_bytes: number, max_bytes_per_s: number): Promise<Drawn>;
  /** The same at once, where nobody else needs to be asked. */
  drawNow?(tenant: string, want_bytes: number, max_bytes_per_s: number): Drawn;
}

/** So many tenants are remembered; past it those that use nothing are forgotten. */
const MAX_ENTRIES = 20_000;

interface Entry {
  connections: number;
  /** From the first bytes on. */
  bucket: RateBucket | undefined;
}

/** This process alone, exact and synchronous. */
export class LocalLedger implements QuotaLedger {
  readonly #entries = new Map<string, Entry>();

  constructor(readonly clock: Clock) {}

  acquire(tenant: string, max_connections: number): Promise<boolean> {
    const entry = this.#entry(tenant);
    if (entry.connections >= max_connections) return Promise.resolve(false);
    entry.connections++;
    return Promise.resolve(true);
  }
  release(tenant: string): void {
    const entry = this.#entries.get(tenant);
    if (entry && entry.connections > 0) entry.connections--;
  }
  draw(tenant: string, want_bytes: number, max_bytes_per_s: number): Promise<Drawn> {
    return Promise.resolve(this.drawNow(tenant, want_bytes, max_bytes_per_s));
  }
  drawNow(tenant: string, want_bytes: number, max_bytes_per_s: number): Drawn {
    const bucket = this.#bucket(tenant, max_bytes_per_s);
    const bytes = bucket.draw(want_bytes);
    const retry_after_ms = bytes < want_bytes ? bucket.retry_after_ms(want_bytes - bytes) : 0;
    return { bytes, retry_after_ms };
  }
  [Symbol.asyncDispose](): Promise<void> {
    this.#entries.clear();
    return Promise.resolve();
  }

  #bucket(tenant: string, max_bytes_per_s: number): RateBucket {
    const entry = this.#entry(tenant);
    const bucket = entry.bucket ??= new RateBucket(this.clock, max_bytes_per_s, max_bytes_per_s);
    bucket.per_second = max_bytes_per_s;
    bucket.burst = max_bytes_per_s;
    return bucket;
  }
  #entry(tenant: string): Entry {
    let entry = this.#entries.get(tenant);
    if (!entry) {
      if (this.#entries.size >= MAX_ENTRIES) this.#forgetIdle();
      entry = { connections: 0, bucket: undefined };
      this.#entries.set(tenant, entry);
    }
    return entry;
  }
  #forgetIdle(): void {
    for (const [tenant, { connections, bucket }] of this.#entries) {
      if (connections === 0 && (bucket?.is_full ?? true)) this.#entries.delete(tenant);
    }
  }
}
