/**
 * A histogram of positive values over twelve orders of magnitude in fixed memory: 32 buckets per doubling, so a quantile
 * is right to about 2 percent. Fast enough for every update of a hot path; for reports, where metrics are too coarse.
 */

const PER_DOUBLING = 32;
/** Values below 2^-3 count as that. */
const LOWEST_EXPONENT = -3;
const DOUBLINGS = 44;

export class LogHistogram {
  readonly #counts = new Float64Array(PER_DOUBLING * DOUBLINGS);
  count = 0;
  max = 0;

  observe(value: number): void {
    const place = Math.floor((Math.log2(value) - LOWEST_EXPONENT) * PER_DOUBLING);
    this.#counts[place >= 0 ? Math.min(place, this.#counts.length - 1) : 0]++;
    this.count++;
    if (value > this.max) this.max = value;
  }
  /** The upper end of the bucket that holds quantile `q`, at most the greatest value; undefined when empty. */
  quantile(q: number): number | undefined {
    if (this.count === 0) return undefined;
    let rest = Math.max(1, Math.ceil(q * this.count));
    for (let i = 0; i < this.#counts.length; i++) {
      rest -= this.#counts[i];
      if (rest <= 0) return Math.min(2 ** ((i + 1) / PER_DOUBLING + LOWEST_EXPONENT), this.max);
    }
    return this.max;
  }
  clear(): void {
    this.#counts.fill(0);
    this.count = this.max = 0;
  }
}
