/**
 * A first-in first-out ring with a written bound. At the bound `push` refuses or the oldest goes, as the owner chose;
 * either way the loss is counted in `dropped`. The ring never grows and never shifts.
 */

/** What happens to a push at the bound. */
export type OverflowPolicy = "refuse_new" | "drop_oldest";

export class BoundedQueue<T> {
  readonly #slots: (T | undefined)[];
  #head = 0;
  #size = 0;
  /** Items lost at the bound since birth. */
  dropped = 0;

  constructor(readonly capacity: number, readonly policy: OverflowPolicy) {
    if (!Number.isInteger(capacity) || capacity < 1) {
      throw new RangeError(`queue capacity: ${capacity}, want ≥ 1`);
    }
    this.#slots = new Array(capacity);
  }
  get size(): number {
    return this.#size;
  }
  /** False when the item (or, under `drop_oldest`, an older one) was lost. */
  push(item: T): boolean {
    if (this.#size < this.capacity) {
      this.#slots[(this.#head + this.#size) % this.capacity] = item;
      this.#size++;
      return true;
    }
    this.dropped++;
    if (this.policy === "refuse_new") return false;
    this.#slots[this.#head] = item;
    this.#head = (this.#head + 1) % this.capacity;
    return false;
  }
  /** Puts an item back before the oldest; false (and counted) at the bound, whatever the policy. */
  unshift(item: T): boolean {
    if (this.#size === this.capacity) {
      this.dropped++;
      return false;
    }
    this.#head = (this.#head + this.capacity - 1) % this.capacity;
    this.#slots[this.#head] = item;
    this.#size++;
    return true;
  }
  shift(): T | undefined {
    if (this.#size === 0) return undefined;
    const item = this.#slots[this.#head];
    this.#slots[this.#head] = undefined;
    this.#head = (this.#head + 1) % this.capacity;
    this.#size--;
    return item;
  }
  peek(): T | undefined {
    return this.#size === 0 ? undefined : this.#slots[this.#head];
  }
  clear(): void {
    this.#slots.fill(undefined);
    this.#head = 0;
    this.#size = 0;
  }
}
