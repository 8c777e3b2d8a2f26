/**
 * Seeded randomness: sfc32, small, fast and of good quality (PractRand-clean; C. Doty-Humphrey). Every choice that a
 * test may want to repeat takes a `Random`. Refuses: secrets — use Web Crypto for those.
 */

export class Random {
  #a: number;
  #b: number;
  #c: number;
  #counter: number;

  constructor(seed: number | string) {
    let hash = 0x811c9dc5;
    for (const char of String(seed)) hash = Math.imul(hash ^ char.codePointAt(0)!, 0x01000193);
    this.#a = hash | 0;
    this.#b = Math.imul(hash, 0x9e3779b1) | 0;
    this.#c = hash ^ 0x5bd1e995;
    this.#counter = 1;
    for (let i = 0; i < 16; i++) this.uint32();
  }
  /** The next 32 random bits, as an unsigned integer. */
  uint32(): number {
    const sum = (((this.#a + this.#b) | 0) + this.#counter) | 0;
    this.#counter = (this.#counter + 1) | 0;
    this.#a = this.#b ^ (this.#b >>> 9);
    this.#b = (this.#c + (this.#c << 3)) | 0;
    this.#c = ((this.#c << 21) | (this.#c >>> 11)) + sum | 0;
    return sum >>> 0;
  }
  /** Uniform in [0, 1). */
  unit(): number {
    return this.uint32() / 0x1_0000_0000;
  }
  /** A uniform integer in [low, high], both included. */
  integer(low: number, high: number): number {
    return low + Math.floor(this.unit() * (high - low + 1));
  }
  /** True with the given probability. */
  chance(probability: number): boolean {
    return this.unit() < probability;
  }
  /** One element; the array must not be empty. */
  pick<T>(from: readonly T[]): T {
    return from[this.integer(0, from.length - 1)];
  }
  /** Standard normal (Box–Muller). */
  normal(): number {
    return Math.sqrt(-2 * Math.log(1 - this.unit())) * Math.cos(2 * Math.PI * this.unit());
  }
  /** Exponential with the given mean. */
  exponential(mean: number): number {
    return -mean * Math.log(1 - this.unit());
  }
  /** An independent stream for a named part, so that adding a draw in one part does not move the others. */
  fork(name: string): Random {
    return new Random(`${this.uint32()}:${name}`);
  }
}
