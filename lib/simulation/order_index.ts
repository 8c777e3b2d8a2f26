/**
 * Order id → storage slot: open addressing with linear probing and backward-shift deletion, so there are no tombstones
 * and a book that churns for days never rehashes. A Map would allocate for ids past 2^30 and rehash under churn.
 * Bound: grows with the number of resting orders, which the order store bounds.
 */

const empty = -1;

export class OrderIndex {
  #ids: Float64Array;
  #slots: Int32Array;
  #mask: number;
  #size = 0;

  constructor(first_capacity = 512) {
    this.#ids = new Float64Array(first_capacity);
    this.#slots = new Int32Array(first_capacity).fill(empty);
    this.#mask = first_capacity - 1;
  }
  get size(): number {
    return this.#size;
  }
  /** The slot, or -1 for an id that is not here. */
  get(id: number): number {
    for (let at = this.#home(id);; at = (at + 1) & this.#mask) {
      const slot = this.#slots[at];
      if (slot === empty || this.#ids[at] === id) return slot;
    }
  }
  /** Adds an id that is not here yet. */
  set(id: number, slot: number): void {
    // Half full at most: probes stay short even where sequential ids collide.
    if ((this.#size + 1) * 2 > this.#slots.length) this.#grow();
    this.#place(id, slot);
    this.#size++;
  }
  /** Removes an id that is here; throws for one that is not, for then the book has lost count of its orders. */
  delete(id: number): void {
    let at = this.#home(id);
    while (this.#slots[at] !== empty && this.#ids[at] !== id) at = (at + 1) & this.#mask;
    if (this.#slots[at] === empty) throw new Error(`remove order ${id} from the index: absent, want present`);
    this.#size--;
    for (let next = (at + 1) & this.#mask; this.#slots[next] !== empty; next = (next + 1) & this.#mask) {
      const home = this.#home(this.#ids[next]);
      // Move `next` back only if its home does not lie cyclically between the hole and itself.
      if (((next - home) & this.#mask) >= ((next - at) & this.#mask)) {
        this.#ids[at] = this.#ids[next];
        this.#slots[at] = this.#slots[next];
        at = next;
      }
    }
    this.#slots[at] = empty;
  }

  #home(id: number): number {
    // Ids are handed out in sequence: the low bits alone spread them evenly. `&` takes any integer modulo 2^32.
    return id & this.#mask;
  }
  #place(id: number, slot: number): void {
    let at = this.#home(id);
    while (this.#slots[at] !== empty) at = (at + 1) & this.#mask;
    this.#ids[at] = id;
    this.#slots[at] = slot;
  }
  #grow(): void {
    const ids = this.#ids;
    const slots = this.#slots;
    this.#ids = new Float64Array(ids.length * 2);
    this.#slots = new Int32Array(ids.length * 2).fill(empty);
    this.#mask = this.#ids.length - 1;
    for (let at = 0; at < slots.length; at++) {
      if (slots[at] !== empty) this.#place(ids[at], slots[at]);
    }
  }
}
