/**
 * A bucket per client address, for a bounded number of addresses: past the bound the one that asked least recently is
 * forgotten, which makes it fresh again. A flood of made-up addresses therefore gains nothing it would not have anyway; the
 * caps on all connections together are what holds then.
 */
import type { Clock } from "../../base/clock.ts";
import { RateBucket } from "./rate_bucket.ts";

export const MAX_ADDRESSES = 65_536;

export class AddressBuckets {
  /** In order of use, the least recent first. */
  readonly #buckets = new Map<string, RateBucket>();
  /** Goes on where it was: a new one would first step over all that was forgotten. What it passes is gone. */
  readonly #oldest = this.#buckets.keys();

  constructor(
    readonly clock: Clock,
    readonly per_second: number,
    readonly burst: number,
    readonly max_addresses = MAX_ADDRESSES,
  ) {}
  get size(): number {
    return this.#buckets.size;
  }
  take(address: string): boolean {
    let bucket = this.#buckets.get(address);
    if (bucket) this.#buckets.delete(address);
    else {
      if (this.#buckets.size >= this.max_addresses) {
        this.#buckets.delete(this.#oldest.next().value!);
      }
      bucket = new RateBucket(this.clock, this.per_second, this.burst);
    }
    this.#buckets.set(address, bucket);
    return bucket.take();
  }
  /** Nothing left at the moment; takes nothing, remembers nobody. */
  isEmpty(address: string): boolean {
    return (this.#buckets.get(address)?.retry_after_ms() ?? 0) > 0;
  }
}
