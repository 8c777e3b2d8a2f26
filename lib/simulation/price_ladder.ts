/**
 * One side's price levels, sorted with the best last: reading the best is one array read, and because orders cluster at
 * the touch a search gallops from that end and an insertion moves few bytes. Keys are prices for bids and negated prices
 * for asks, so one code serves both. Sparse on purpose: a dense ladder would bound how far the price may wander.
 * Bound: as many levels as orders (order_store); a level without orders does not exist.
 */
import { grown } from "./grown.ts";
import { none, type OrderStore } from "./order_store.ts";
import { BID, type Side } from "./side.ts";

export class PriceLadder {
  /** Level columns, by level slot. */
  price_ticks = new Float64Array(64);
  quantity_lots = new Float64Array(64);
  order_count = new Int32Array(64);
  /** Oldest and youngest order slot of the level's queue. */
  head = new Int32Array(64);
  tail = new Int32Array(64);
  #keys = new Float64Array(64);
  #slots = new Int32Array(64);
  #size = 0;
  #free = new Int32Array(64);
  #free_size = 0;
  #used = 0;

  constructor(readonly side: Side, readonly orders: OrderStore) {}

  /** How many levels. */
  get size(): number {
    return this.#size;
  }
  /** The best level's slot, or -1 where the side is empty. */
  best(): number {
    return this.#size === 0 ? none : this.#slots[this.#size - 1];
  }
  /** The slot of the level `rank` places behind the best; 0 ≤ rank < size. */
  levelAt(rank: number): number {
    return this.#slots[this.#size - 1 - rank];
  }
  /** The level at this price, or -1. */
  find(price_ticks: number): number {
    const key = this.#keyOf(price_ticks);
    const at = this.#lowerBound(key);
    return at < this.#size && this.#keys[at] === key ? this.#slots[at] : none;
  }
  /** The level at this price, made where there is none. */
  findOrAdd(price_ticks: number): number {
    const key = this.#keyOf(price_ticks);
    const at = this.#lowerBound(key);
    if (at < this.#size && this.#keys[at] === key) return this.#slots[at];
    if (this.#size === this.#keys.length) this.#grow();
    // An insertion at the touch, the usual one, moves nothing.
    if (at < this.#size) {
      this.#keys.copyWithin(at + 1, at, this.#size);
      this.#slots.copyWithin(at + 1, at, this.#size);
    }
    const level = this.#free_size > 0 ? this.#free[--this.#free_size] : this.#used++;
    this.#keys[at] = key;
    this.#slots[at] = level;
    this.#size++;
    this.price_ticks[level] = price_ticks;
    this.quantity_lots[level] = 0;
    this.order_count[level] = 0;
    this.head[level] = none;
    this.tail[level] = none;
    return level;
  }
  /** Puts an order at the end of a level's queue. */
  append(level: number, order: number): void {
    const { orders } = this;
    const tail = this.tail[level];
    orders.level[order] = level;
    orders.previous[order] = tail;
    orders.next[order] = none;
    if (tail === none) this.head[level] = order;
    else orders.next[tail] = order;
    this.tail[level] = order;
    this.order_count[level]++;
    this.quantity_lots[level] += orders.quantity_lots[order];
  }
  /** Takes an order out of its queue; the level stays until `dropIfEmpty`. */
  detach(order: number): void {
    const { orders } = this;
    const level = orders.level[order];
    const previous = orders.previous[order];
    const next = orders.next[order];
    if (previous === none) this.head[level] = next;
    else orders.next[previous] = next;
    if (next === none) this.tail[level] = previous;
    else orders.previous[next] = previous;
    this.order_count[level]--;
    this.quantity_lots[level] -= orders.quantity_lots[order];
  }
  /** Removes the level if no order is left in it. */
  dropIfEmpty(level: number): void {
    if (this.order_count[level] > 0) return;
    const at = this.#lowerBound(this.#keyOf(this.price_ticks[level]));
    if (at < this.#size - 1) {
      this.#keys.copyWithin(at, at + 1, this.#size);
      this.#slots.copyWithin(at, at + 1, this.#size);
    }
    this.#size--;
    this.#free[this.#free_size++] = level;
  }

  #keyOf(price_ticks: number): number {
    return this.side === BID ? price_ticks : -price_ticks;
  }
  /** The first index whose key is ≥ `key`, searched in doubling strides from the best. */
  #lowerBound(key: number): number {
    const keys = this.#keys;
    let high = this.#size;
    let stride = 1;
    while (high >= stride && keys[high - stride] >= key) {
      high -= stride;
      stride *= 2;
    }
    let low = Math.max(0, high - stride);
    while (low < high) {
      const middle = (low + high) >> 1;
      if (keys[middle] < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  #grow(): void {
    const length = this.#keys.length * 2;
    this.price_ticks = grown(this.price_ticks, length);
    this.quantity_lots = grown(this.quantity_lots, length);
    this.order_count = grown(this.order_count, length);
    this.head = grown(this.head, length);
    this.tail = grown(this.tail, length);
    this.#keys = grown(this.#keys, length);
    this.#slots = grown(this.#slots, length);
    this.#free = grown(this.#free, length);
  }
}
