/** The last so many of something: at the bound the oldest is overwritten, which is what a record of the latest is for. */
export class RecentRing<T> {
  readonly #slots: T[] = [];
  #next = 0;

  constructor(readonly capacity: number) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`ring capacity: ${capacity}, want ≥ 1`);
    }
  }
  get size(): number {
    return this.#slots.length;
  }
  push(item: T): void {
    this.#slots[this.#next] = item;
    this.#next = (this.#next + 1) % this.capacity;
  }
  /** At most `limit`, newest first. */
  latest(limit: number): T[] {
    const found: T[] = [];
    const count = Math.min(Math.max(0, limit), this.#slots.length);
    for (let i = 1; i <= count; i++) {
      found.push(this.#slots[(this.#next - i + this.capacity) % this.capacity]);
    }
    return found;
  }
}
