/**
 * How much of the resident set is free inside the process: let go of by clients, and not yet given back to the system
 * (garbage not collected, pages the allocator keeps). Without it the guard would evict again for memory that is already
 * free, since the resident set falls late or never. It only believes what was measured: what pools held and hold no
 * more. It goes down with the resident set, and with what is queued anew without the resident set growing. Pure.
 */

/** What was let go this recently is believed whole: garbage collection takes a while. */
const FRESH_MS = 3_000;
/** Older, it is believed up to this share of the budget: nobody knows whether it can be used again. */
const SETTLED_SHARE = 0.10;

export class FreeEstimate {
  #bytes = 0;
  #fresh: { at_ms: number; bytes: number }[] = [];
  #rss_bytes: number | undefined;
  #unique_bytes = 0;

  constructor(readonly budget_bytes: number) {}

  get bytes(): number {
    return this.#bytes;
  }
  /** Something was let go so recently that it may still be garbage. */
  get is_fresh(): boolean {
    return this.#fresh.length > 0 && this.#bytes > 0;
  }
  /** A new sample. `unique_bytes` is what pools hold now; what was freed by `freed` before is known already. */
  sample(rss_bytes: number, unique_bytes: number, now_ms: number): void {
    const rise = this.#rss_bytes === undefined ? 0 : rss_bytes - this.#rss_bytes;
    const growth = this.#rss_bytes === undefined ? 0 : unique_bytes - this.#unique_bytes;
    this.#rss_bytes = rss_bytes;
    this.#unique_bytes = unique_bytes;
    if (rise < 0) this.#bytes = Math.max(0, this.#bytes + rise);
    if (growth < 0) this.#add(-growth, now_ms);
    else this.#bytes = Math.max(0, this.#bytes - Math.max(0, growth - Math.max(0, rise)));
    this.#forget(now_ms);
  }
  /** Pools were just made to let go of this much, between two samples. */
  freed(bytes: number, now_ms: number): void {
    this.#unique_bytes = Math.max(0, this.#unique_bytes - bytes);
    this.#add(bytes, now_ms);
  }
  /** Free memory went back to the system: the resident set is what is in use. */
  given_back(): void {
    this.#bytes = 0;
    this.#fresh = [];
  }
  /** So much was just found to be garbage and is free inside the process; what was let go before is part of it. */
  collected(bytes: number, now_ms: number): void {
    this.#add(bytes - this.#bytes, now_ms);
  }
  #add(bytes: number, now_ms: number): void {
    if (bytes <= 0) return;
    this.#bytes += bytes;
    const last = this.#fresh.at(-1);
    if (last && now_ms - last.at_ms < 100) last.bytes += bytes;
    else this.#fresh.push({ at_ms: now_ms, bytes });
  }
  #forget(now_ms: number): void {
    this.#fresh = this.#fresh.filter((one) => now_ms - one.at_ms < FRESH_MS);
    const fresh_bytes = this.#fresh.reduce((sum, one) => sum + one.bytes, 0);
    const most_bytes = Math.max(fresh_bytes, SETTLED_SHARE * this.budget_bytes);
    this.#bytes = Math.min(this.#bytes, most_bytes, this.#rss_bytes ?? 0);
  }
}
