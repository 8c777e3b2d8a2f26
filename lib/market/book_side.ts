/**
 * One side of an order book: two sorted Float64Arrays, worst level first and best level last, so changes near the touch
 * move few elements. Keys are the price for bids and the negated price for asks: one code for both, larger is better.
 * A finger search starts where the last level landed, because venues send levels sorted. Nothing is allocated per level.
 */
import type { LevelList } from "./level_list.ts";

/** Below this many elements a loop beats the call overhead of `copyWithin` (measured: deno task bench). */
const SHORT_MOVE = 24;

export class BookSide {
  /** Sorted ascending; `keys[size - 1]` is the best level. */
  keys: Float64Array;
  quantities: Float64Array;
  size = 0;
  /** Levels with a key below this may be missing: the snapshot ended here. -Infinity: the whole side is known. */
  bound_key = -Infinity;
  /** Key → exact text, only for quantities with more than 15 significant digits. */
  exact_quantities: Map<number, string> | undefined;

  constructor(readonly sign: 1 | -1, capacity = 1024) {
    this.keys = new Float64Array(capacity);
    this.quantities = new Float64Array(capacity);
  }
  clear(): void {
    this.size = 0;
    this.bound_key = -Infinity;
    this.exact_quantities = undefined;
  }
  /** The i-th best price, 0 the best. The caller checks `i < size`. */
  price(i: number): number {
    return this.sign * this.keys[this.size - 1 - i];
  }
  /** The i-th best quantity, 0 the best. */
  quantity(i: number): number {
    return this.quantities[this.size - 1 - i];
  }
  /** Exact text of the i-th best quantity, when the double alone would not give it back. */
  exactQuantity(i: number): string | undefined {
    return this.exact_quantities?.get(this.keys[this.size - 1 - i]);
  }
  /** How many levels, counted from the best, lie inside the known bound. */
  get known(): number {
    return this.size - this.indexOf(this.bound_key);
  }
  /** First index whose key is not below `key`. */
  indexOf(key: number): number {
    let low = 0;
    let high = this.size;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.keys[middle] < key) low = middle + 1;
      else high = middle;
    }
    return low;
  }
  /** Sets each level's absolute quantity; 0 removes it. Removing an unknown level is normal and does nothing. */
  apply(list: LevelList): void {
    const { prices, quantities: wanted, size: count } = list;
    if (this.size + count > this.keys.length) this.#grow(this.size + count);
    const { keys, quantities, sign } = this;
    let size = this.size;
    let at = size;
    for (let i = 0; i < count; i++) {
      const key = sign * prices[i];
      const quantity = wanted[i];
      at = search(keys, size, at, key);
      if (at < size && keys[at] === key) {
        if (quantity !== 0) quantities[at] = quantity;
        else {
          size--;
          if (size - at < SHORT_MOVE) {
            for (let j = at; j < size; j++) {
              keys[j] = keys[j + 1];
              quantities[j] = quantities[j + 1];
            }
          } else {
            keys.copyWithin(at, at + 1, size + 1);
            quantities.copyWithin(at, at + 1, size + 1);
          }
        }
      } else if (quantity !== 0) {
        if (size - at < SHORT_MOVE) {
          for (let j = size; j > at; j--) {
            keys[j] = keys[j - 1];
            quantities[j] = quantities[j - 1];
          }
        } else {
          keys.copyWithin(at + 1, at, size);
          quantities.copyWithin(at + 1, at, size);
        }
        keys[at] = key;
        quantities[at] = quantity;
        size++;
      }
    }
    this.size = size;
    if (this.exact_quantities || list.exact_quantities) this.#applyExact(list);
  }
  /** Copies the other side's levels and bound. */
  copyFrom(other: BookSide): void {
    if (other.size > this.keys.length) this.#grow(other.size);
    this.keys.set(other.keys.subarray(0, other.size));
    this.quantities.set(other.quantities.subarray(0, other.size));
    this.size = other.size;
    this.bound_key = other.bound_key;
    this.exact_quantities = other.exact_quantities && new Map(other.exact_quantities);
  }
  #applyExact(list: LevelList): void {
    const exact = this.exact_quantities ??= new Map();
    for (let i = 0; i < list.size; i++) {
      const text = list.exact_quantities?.get(i);
      const key = this.sign * list.prices[i];
      if (text !== undefined && list.quantities[i] !== 0) exact.set(key, text);
      else exact.delete(key);
    }
    if (exact.size === 0) this.exact_quantities = undefined;
  }
  #grow(needed: number): void {
    const length = Math.max(needed, this.keys.length * 2);
    const keys = new Float64Array(length);
    const quantities = new Float64Array(length);
    keys.set(this.keys.subarray(0, this.size));
    quantities.set(this.quantities.subarray(0, this.size));
    this.keys = keys;
    this.quantities = quantities;
  }
}

/** First index in [0, size) with keys[index] ≥ key, galloping from `from`; cheap when the answer is near. */
function search(keys: Float64Array, size: number, from: number, key: number): number {
  let low = 0;
  let high = size;
  let step = 1;
  if (from < size && keys[from] < key) {
    low = from + 1;
    let probe = low;
    while (probe < size && keys[probe] < key) {
      low = probe + 1;
      probe += step;
      step <<= 1;
    }
    if (probe < size) high = probe;
  } else {
    if (from < size) high = from;
    let probe = high - 1;
    while (probe >= 0 && keys[probe] >= key) {
      high = probe;
      probe -= step;
      step <<= 1;
    }
    if (probe >= 0) low = probe + 1;
  }
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
