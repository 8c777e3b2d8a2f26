/**
 * Storage of resting orders as columns: a slot per order, a free list through `next`, and per side a dense list of live
 * slots, so a uniformly random order of one side is one array read. Queue links belong to the price level (price_ladder).
 * Bound: max_orders slots; `take` then answers -1 and the book refuses.
 */
import { grown } from "./grown.ts";
import { ASK, BID, type Side } from "./side.ts";

/** No slot. */
export const none = -1;

export class OrderStore {
  id: Float64Array;
  /** Open quantity, integer lots. */
  quantity_lots: Float64Array;
  /** When the order got its present place in the queue. */
  time_ms: Float64Array;
  side: Uint8Array;
  /** The price level's slot in that side's ladder. */
  level: Int32Array;
  /** Neighbours in the level's queue; `next` also chains free slots. */
  next: Int32Array;
  previous: Int32Array;
  /** Where the slot stands in its side's live list. */
  #live_at: Int32Array;
  readonly #live: [Int32Array, Int32Array];
  readonly #live_size: [number, number] = [0, 0];
  #free = none;
  #used = 0;

  constructor(readonly max_orders: number) {
    const capacity = Math.min(max_orders, 256);
    this.id = new Float64Array(capacity);
    this.quantity_lots = new Float64Array(capacity);
    this.time_ms = new Float64Array(capacity);
    this.side = new Uint8Array(capacity);
    this.level = new Int32Array(capacity);
    this.next = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.#live_at = new Int32Array(capacity);
    this.#live = [new Int32Array(capacity), new Int32Array(capacity)];
  }
  /** Resting orders of one side. */
  count(side: Side): number {
    return this.#live_size[side];
  }
  get full(): boolean {
    return this.#live_size[BID] + this.#live_size[ASK] >= this.max_orders;
  }
  /** The n-th live slot of a side, in no particular order; 0 ≤ n < count(side). */
  liveSlot(side: Side, n: number): number {
    return this.#live[side][n];
  }
  /** A slot for a new order, or -1 at the bound. */
  take(side: Side): number {
    let slot = this.#free;
    if (slot !== none) {
      this.#free = this.next[slot];
    } else {
      if (this.#used === this.max_orders) return none;
      if (this.#used === this.id.length) this.#grow();
      slot = this.#used++;
    }
    this.side[slot] = side;
    const at = this.#live_size[side]++;
    this.#live[side][at] = slot;
    this.#live_at[slot] = at;
    return slot;
  }
  /** Gives a slot back. */
  release(slot: number): void {
    const side = this.side[slot] as Side;
    const live = this.#live[side];
    const last = live[--this.#live_size[side]];
    const at = this.#live_at[slot];
    live[at] = last;
    this.#live_at[last] = at;
    this.next[slot] = this.#free;
    this.#free = slot;
  }
  #grow(): void {
    const length = Math.min(this.max_orders, this.id.length * 2);
    this.id = grown(this.id, length);
    this.quantity_lots = grown(this.quantity_lots, length);
    this.time_ms = grown(this.time_ms, length);
    this.side = grown(this.side, length);
    this.level = grown(this.level, length);
    this.next = grown(this.next, length);
    this.previous = grown(this.previous, length);
    this.#live_at = grown(this.#live_at, length);
    this.#live[BID] = grown(this.#live[BID], length);
    this.#live[ASK] = grown(this.#live[ASK], length);
  }
}
