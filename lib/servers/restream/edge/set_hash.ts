/** A hash of a set of numbers that does not depend on their order and changes in constant time; equal sets hash alike. */
export class SetHash {
  #sum = 0;
  #xor = 0;

  /** Puts the number in, or takes it out. Taking out must follow putting in. */
  toggle(value: number): void {
    const mixed = mix(value);
    // Exclusive or undoes itself; the square keeps a second, independent view of the same members.
    this.#xor = (this.#xor ^ mixed) >>> 0;
    this.#sum = (this.#sum ^ Math.imul(mixed, mixed ^ 0x9e3779b9)) >>> 0;
  }
  get text(): string {
    return `${this.#sum.toString(36)} ${this.#xor.toString(36)}`;
  }
}

/** The finalizer of MurmurHash3 over both halves of the number. */
function mix(value: number): number {
  let hash = (value >>> 0) ^ Math.imul(Math.floor(value / 0x1_0000_0000), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
