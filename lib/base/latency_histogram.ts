/**
 * Latencies in whole microseconds, kept in buckets that are at most 0.1 % wide (three significant digits, the HDR
 * scheme), so percentiles far out are as good as the median. Sparse: a histogram costs what its values differ by.
 */
const EXACT_BELOW = 2_048;
const PER_OCTAVE = EXACT_BELOW / 2;
const OCTAVE_BITS = 10;
/** About twelve days. Longer ones are counted as this. */
const MAX_US = 2 ** 40;

function bucketOf(us: number): number {
  if (us < EXACT_BELOW) return us;
  const shift = Math.floor(Math.log2(us)) - OCTAVE_BITS;
  return shift * PER_OCTAVE + Math.floor(us / 2 ** shift);
}
/** The highest value that the bucket holds. */
function topOf(bucket: number): number {
  if (bucket < EXACT_BELOW) return bucket;
  const shift = Math.floor(bucket / PER_OCTAVE) - 1;
  return (bucket - shift * PER_OCTAVE + 1) * 2 ** shift - 1;
}

export class LatencyHistogram {
  readonly #counts = new Map<number, number>();
  #count = 0;
  #max_us = 0;

  get count(): number {
    return this.#count;
  }
  /** Undefined when empty. */
  get max_us(): number | undefined {
    return this.#count === 0 ? undefined : this.#max_us;
  }
  record(latency_us: number): void {
    const us = Math.min(MAX_US, Math.max(0, Math.round(latency_us)));
    const bucket = bucketOf(us);
    this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + 1);
    this.#count++;
    this.#max_us = Math.max(this.#max_us, us);
  }
  add(other: LatencyHistogram): void {
    for (const [bucket, count] of other.#counts) {
      this.#counts.set(bucket, (this.#counts.get(bucket) ?? 0) + count);
    }
    this.#count += other.#count;
    this.#max_us = Math.max(this.#max_us, other.#max_us);
  }
  clear(): void {
    this.#counts.clear();
    this.#count = 0;
    this.#max_us = 0;
  }
  /** Values at these shares, `0.5` the median: no more than 0.1 % above the true ones. Undefined when empty. */
  quantiles_us(shares: readonly number[]): (number | undefined)[] {
    const sorted = [...this.#counts].sort(([one], [other]) => one - other);
    return shares.map((share) => {
      let rest = Math.max(1, Math.ceil(share * this.#count));
      for (const [bucket, count] of sorted) {
        rest -= count;
        if (rest <= 0) return Math.min(topOf(bucket), this.#max_us);
      }
      return this.max_us;
    });
  }
}
