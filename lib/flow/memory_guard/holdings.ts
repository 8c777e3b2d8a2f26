/**
 * What each client of a pool holds, kept so that "who is biggest" costs nothing to ask: clients stand in buckets by
 * power of two of their bytes, per class. A change moves a client only when it crosses a power of two. The sums over
 * all clients and over each tenant are kept along. Pure; one per pool.
 */
import type { GuardedClient } from "../memory_guard.ts";

export const MAX_PRIORITY = 15;
/** Bucket 0 holds who holds nothing, 1 up to 4 KiB, then powers of two up to 1 TiB. */
const BUCKETS = 30;

export interface HoldingClient {
  readonly id: string;
  readonly priority: number;
  readonly tenant: string;
  evict(): void;
}

interface TenantSum {
  bytes: number;
  clients: number;
}

/** One client's place. Keep it with the client: `set` is for the hot path. */
export class Holding implements GuardedClient {
  held_bytes = 0;
  bucket = 0;

  constructor(
    readonly client: HoldingClient,
    readonly priority: number,
    readonly owner: Holdings,
    readonly sum: TenantSum,
  ) {}

  get id(): string {
    return this.client.id;
  }
  get tenant(): string {
    return this.client.tenant;
  }
  evict(): void {
    this.client.evict();
  }
  /** It holds this much now. */
  set(bytes: number): void {
    this.owner.change(this, bytes);
  }
}

export class Holdings {
  readonly #classes: (Set<Holding>[] | undefined)[] = new Array(MAX_PRIORITY + 1).fill(undefined);
  readonly #tenants = new Map<string, TenantSum>();
  #client_bytes = 0;
  #clients = 0;

  get client_bytes(): number {
    return this.#client_bytes;
  }
  get clients(): number {
    return this.#clients;
  }
  add(client: HoldingClient): Holding {
    const { tenant } = client;
    const sum = this.#tenants.get(tenant) ?? { bytes: 0, clients: 0 };
    this.#tenants.set(tenant, sum);
    sum.clients++;
    const priority = Math.min(MAX_PRIORITY, Math.max(0, Math.trunc(client.priority)));
    const holding = new Holding(client, priority, this, sum);
    this.#buckets(priority)[0].add(holding);
    this.#clients++;
    return holding;
  }
  /** It is gone. Idempotent. */
  remove(holding: Holding): void {
    this.change(holding, 0);
    if (!this.#buckets(holding.priority)[0].delete(holding)) return;
    this.#clients--;
    if (--holding.sum.clients === 0) this.#tenants.delete(holding.tenant);
  }
  change(holding: Holding, bytes: number): void {
    const before = holding.bucket;
    const after = bucketOf(bytes);
    if (before !== after) {
      const buckets = this.#buckets(holding.priority);
      // Removed already: a late word of a client that is gone counts nowhere.
      if (!buckets[before].delete(holding)) return;
      buckets[after].add(holding);
      holding.bucket = after;
    } else if (before === 0) return;
    const more = bytes - holding.held_bytes;
    holding.held_bytes = bytes;
    holding.sum.bytes += more;
    this.#client_bytes += more;
  }
  /** Of each class up to `limit_per_class` holders, largest bucket first: exact to a factor of two, like the buckets. */
  candidates(limit_per_class: number): GuardedClient[] {
    const found: GuardedClient[] = [];
    for (const buckets of this.#classes) {
      if (buckets === undefined) continue;
      let room = limit_per_class;
      for (let bucket = BUCKETS - 1; bucket > 0 && room > 0; bucket--) {
        for (const holding of buckets[bucket]) {
          found.push(holding);
          if (--room === 0) break;
        }
      }
    }
    return found;
  }
  tenantBytes(): Map<string, number> {
    return new Map([...this.#tenants].map(([tenant, { bytes }]) => [tenant, bytes]));
  }
  #buckets(priority: number): Set<Holding>[] {
    return this.#classes[priority] ??= Array.from({ length: BUCKETS }, () => new Set<Holding>());
  }
}

/** 0 → 0, 1 … 4095 → 1, 4096 … 8191 → 2, each next power of two one more. */
export function bucketOf(bytes: number): number {
  return bytes <= 0 ? 0 : Math.min(BUCKETS - 1, 33 - Math.clz32(Math.min(bytes / 4_096, 2 ** 31)));
}
