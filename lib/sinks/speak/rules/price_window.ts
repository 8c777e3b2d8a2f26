/**
 * The lowest and the highest price of a sliding window in bounded memory: so many buckets, whatever the rate. What is
 * older than the window by less than a bucket may still be in it.
 */
const BUCKETS = 60;

export interface Extreme {
  price: number;
  at_ms: number;
}
interface Bucket {
  number: number;
  low: Extreme;
  high: Extreme;
}

export class PriceWindow {
  readonly #bucket_ms: number;
  /** Oldest first, at most BUCKETS + 1. */
  #buckets: Bucket[] = [];

  constructor(within_ms: number) {
    this.#bucket_ms = within_ms / BUCKETS;
  }
  add(price: number, now_ms: number): void {
    const number = Math.floor(now_ms / this.#bucket_ms);
    while (this.#buckets.length > 0 && this.#buckets[0].number < number - BUCKETS) this.#buckets.shift();
    const last = this.#buckets.at(-1);
    const extreme = { price, at_ms: now_ms };
    // a clock that was set back finds itself in the newest bucket
    if (!last || last.number < number) this.#buckets.push({ number, low: extreme, high: extreme });
    else {
      if (price < last.low.price) last.low = extreme;
      if (price > last.high.price) last.high = extreme;
    }
  }
  low(): Extreme | undefined {
    let best: Extreme | undefined;
    for (const { low } of this.#buckets) if (!best || low.price < best.price) best = low;
    return best;
  }
  high(): Extreme | undefined {
    let best: Extreme | undefined;
    for (const { high } of this.#buckets) if (!best || high.price > best.price) best = high;
    return best;
  }
  clear(): void {
    this.#buckets = [];
  }
}
