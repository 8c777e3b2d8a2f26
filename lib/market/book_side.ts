/**
 * One side of an order book: sorted levels in leaves of at most `LEAF` levels, worst leaf first, best leaf last. An insert
 * or delete moves at most one leaf's levels, however deep the book; the search starts where the last level landed, because
 * venues send levels sorted. Keys are the price for bids, the negated price for asks: larger is better. All leaves lie in
 * one array, key beside quantity: a book that was not touched for some milliseconds is read from memory, not from caches.
 * Nothing is allocated per level; a leaf is split when full and given back when empty.
 */
import type { LevelList } from "./level_list.ts";

/** Levels of a leaf: of 16, 32, 64 and 128 the fastest on a futures book of 3,300 (deno task bench book). */
const LEAF = 32;
/** Numbers of a leaf: key, quantity, key, quantity … */
const WIDTH = 2 * LEAF;
/** A leaf this small joins its neighbour when both fit into half a leaf, so deletes do not leave crumbs. */
const SMALL = LEAF / 8;
const FIRST_LEAVES = 2;

export class BookSide {
  /** The leaves, each at a place of its own; a place's number times WIDTH is where it begins. */
  #levels = new Float64Array(FIRST_LEAVES * WIDTH);
  /** Levels of the leaf at a place. */
  #counts = new Uint8Array(FIRST_LEAVES);
  /** The places of the leaves, worst first. Never empty; only the sole leaf may have no level. */
  #places: number[] = [0];
  /** Places without a leaf, beyond those never used. */
  #free: number[] = [];
  #used_places = 1;
  /** The first key of each leaf, side by side: what the search over leaves reads. */
  #firsts = new Float64Array(FIRST_LEAVES);
  #size = 0;
  /** The leaf and position of the last change: the finger. */
  #leaf = 0;
  #at = 0;
  /** Rank access goes mostly in order: the leaf last read, and the rank of its best level. */
  #read_leaf = 0;
  #read_rank = 0;
  /** Levels with a key below this may be missing: the snapshot ended here. −Infinity: the whole side is known. */
  bound_key = -Infinity;
  /** Key → exact text, only for quantities with more than 15 significant digits. */
  exact_quantities: Map<number, string> | undefined;

  constructor(readonly sign: 1 | -1) {}

  get size(): number {
    return this.#size;
  }
  /** −Infinity when empty. */
  get best_key(): number {
    if (this.#size === 0) return -Infinity;
    const place = this.#places[this.#places.length - 1];
    return this.#levels[place * WIDTH + 2 * (this.#counts[place] - 1)];
  }
  clear(): void {
    this.#dropLeaves();
    this.#newLeaf(0);
    this.#leaf = this.#at = 0;
    this.#forgetRank();
    this.bound_key = -Infinity;
    this.exact_quantities = undefined;
  }
  /** Key of the i-th best level, 0 the best. The caller checks `i < size`. */
  key(i: number): number {
    return this.#levels[this.#indexOfRank(i)];
  }
  /** Price of the i-th best level. */
  price(i: number): number {
    return this.sign * this.key(i);
  }
  /** Quantity of the i-th best level. */
  quantity(i: number): number {
    return this.#levels[this.#indexOfRank(i) + 1];
  }
  /** Exact text of the i-th best quantity, when the double alone would not give it back. */
  exactQuantity(i: number): string | undefined {
    return this.exact_quantities?.get(this.key(i));
  }
  /** How many levels, counted from the best, lie inside the known bound. */
  get known(): number {
    return this.countFrom(this.bound_key);
  }
  /** How many levels have a key at or above `key`. */
  countFrom(key: number): number {
    let count = 0;
    for (let i = this.#places.length - 1; i >= 0; i--) {
      const place = this.#places[i];
      const in_leaf = this.#counts[place];
      const start = place * WIDTH;
      if (in_leaf > 0 && this.#levels[start] >= key) {
        count += in_leaf;
        continue;
      }
      return count + in_leaf - lowerBound(this.#levels, start, 0, in_leaf, key);
    }
    return count;
  }
  /** The quantity at a price, 0 where there is no level. */
  quantityAt(price: number): number {
    const key = this.sign * price;
    const rank = this.countFrom(key) - 1;
    return rank >= 0 && this.key(rank) === key ? this.quantity(rank) : 0;
  }

  /** Sets each level's absolute quantity; 0 removes it. Removing an unknown level is normal and does nothing. */
  apply(list: LevelList): void {
    const { prices, quantities, size } = list;
    const { sign } = this;
    for (let i = 0; i < size; i++) this.#set(sign * prices[i], quantities[i]);
    this.#forgetRank();
    if (this.exact_quantities || list.exact_quantities) this.#applyExact(list);
  }
  /**
   * The venue keeps its best `count` levels: drops what lies beyond, noting each dropped level as a deletion in `changes`,
   * and knows the side down to the last one kept.
   */
  keepBest(count: number, changes: LevelList): void {
    if (this.#size > count) this.#dropWorst(this.#size - count, changes);
    this.bound_key = this.#size >= count && count > 0 ? this.#firsts[0] : -Infinity;
  }
  /** Replaces everything by `count` levels whose keys rise strictly, worst first. */
  load(keys: Float64Array, quantities: Float64Array, count: number): void {
    this.#dropLeaves();
    for (let from = 0; from < count; from += LEAF / 2) {
      const to = Math.min(count, from + LEAF / 2);
      const place = this.#newLeaf(this.#places.length);
      let index = place * WIDTH;
      for (let i = from; i < to; i++) {
        this.#levels[index++] = keys[i];
        this.#levels[index++] = quantities[i];
      }
      this.#counts[place] = to - from;
    }
    if (count === 0) this.#newLeaf(0);
    this.#size = count;
    this.#leaf = this.#places.length - 1;
    this.#at = 0;
    this.#noteFirsts();
    this.#forgetRank();
  }

  #dropWorst(excess: number, changes: LevelList): void {
    const levels = this.#levels;
    this.#size -= excess;
    while (excess > 0) {
      const place = this.#places[0];
      const start = place * WIDTH;
      const count = this.#counts[place];
      const gone = Math.min(excess, count);
      for (let i = 0; i < gone; i++) {
        const key = levels[start + 2 * i];
        changes.push(this.sign * key, 0);
        this.exact_quantities?.delete(key);
      }
      excess -= gone;
      if (gone === count && this.#places.length > 1) this.#dropLeaf(0);
      else {
        levels.copyWithin(start, start + 2 * gone, start + 2 * count);
        this.#counts[place] = count - gone;
      }
    }
    this.#leaf = this.#places.length - 1;
    this.#at = 0;
    this.#noteFirsts();
    this.#forgetRank();
  }
  #set(key: number, quantity: number): void {
    const place = this.#seek(key);
    const at = this.#at;
    const count = this.#counts[place];
    const index = place * WIDTH + 2 * at;
    if (at < count && this.#levels[index] === key) {
      if (quantity !== 0) this.#levels[index + 1] = quantity;
      else this.#removeAt(place, at);
    } else if (quantity !== 0) {
      if (count === LEAF) this.#splitAndInsert(key, quantity);
      else {
        this.#insertAt(place, at, key, quantity);
        if (at === 0) this.#firsts[this.#leaf] = key;
      }
      this.#size++;
    }
  }
  /** Moves the finger to where `key` is or belongs: its leaf, and the first position whose key is not below it. */
  #seek(key: number): number {
    const firsts = this.#firsts;
    const last = this.#places.length - 1;
    let index = this.#leaf;
    // A key between two leaves belongs to the end of the lower one; the first leaf takes all below.
    if ((index > 0 && key < firsts[index]) || (index < last && key >= firsts[index + 1])) {
      let low = 0;
      let high = last;
      if (key >= firsts[index]) low = index + 1;
      else high = index - 1;
      while (low < high) {
        const middle = (low + high + 1) >> 1;
        if (firsts[middle] <= key) low = middle;
        else high = middle - 1;
      }
      this.#leaf = index = low;
      const place = this.#places[index];
      this.#at = lowerBound(this.#levels, place * WIDTH, 0, this.#counts[place], key);
      return place;
    }
    const place = this.#places[index];
    const levels = this.#levels;
    const start = place * WIDTH;
    const count = this.#counts[place];
    const at = this.#at;
    if (at < count && levels[start + 2 * at] < key) {
      this.#at = lowerBound(levels, start, at + 1, count, key);
    } else this.#at = lowerBound(levels, start, 0, at < count ? at : count, key);
    return place;
  }
  #insertAt(place: number, at: number, key: number, quantity: number): void {
    const levels = this.#levels;
    const index = place * WIDTH + 2 * at;
    const end = place * WIDTH + 2 * this.#counts[place]++;
    // So few that a loop is faster than `copyWithin`.
    for (let i = end + 1; i > index + 1; i--) levels[i] = levels[i - 2];
    levels[index] = key;
    levels[index + 1] = quantity;
  }
  #removeAt(place: number, at: number): void {
    const levels = this.#levels;
    const start = place * WIDTH;
    const count = --this.#counts[place];
    const index = start + 2 * at;
    const end = start + 2 * count;
    this.#size--;
    for (let i = index; i < end; i++) levels[i] = levels[i + 2];
    if (at === 0) this.#firsts[this.#leaf] = levels[start];
    if (count <= SMALL && this.#places.length > 1) this.#shrink(count);
  }
  /** Drops the finger's leaf when it is empty; joins a small one to a neighbour that has room. */
  #shrink(count: number): void {
    const index = this.#leaf;
    const neighbour = index > 0 ? index - 1 : index + 1;
    if (count > 0) {
      if (count + this.#counts[this.#places[neighbour]] > LEAF / 2) return;
      const [lower, upper] = [Math.min(index, neighbour), Math.max(index, neighbour)];
      this.#moveLevels(this.#places[upper], 0, this.#places[lower]);
      this.#dropLeaf(upper);
    } else this.#dropLeaf(index);
    this.#leaf = Math.min(index, neighbour, this.#places.length - 1);
    this.#at = 0;
    this.#noteFirsts();
  }
  #splitAndInsert(key: number, quantity: number): void {
    const index = this.#leaf;
    const half = LEAF / 2;
    const upper = this.#newLeaf(index + 1);
    const lower = this.#places[index];
    this.#moveLevels(lower, half, upper);
    if (this.#at <= half) this.#insertAt(lower, this.#at, key, quantity);
    else {
      this.#leaf = index + 1;
      this.#at -= half;
      this.#insertAt(upper, this.#at, key, quantity);
    }
    this.#noteFirsts();
  }
  /** The levels of one leaf from a position on go to the end of another. */
  #moveLevels(from_place: number, from: number, to_place: number): void {
    const count = this.#counts[from_place];
    const start = from_place * WIDTH;
    const to = this.#counts[to_place];
    this.#levels.copyWithin(to_place * WIDTH + 2 * to, start + 2 * from, start + 2 * count);
    this.#counts[to_place] = to + count - from;
    this.#counts[from_place] = from;
  }
  /** An empty leaf, at `index` among the others. */
  #newLeaf(index: number): number {
    const place = this.#free.pop() ?? this.#used_places++;
    if (place === this.#counts.length) this.#grow();
    this.#counts[place] = 0;
    this.#places.splice(index, 0, place);
    return place;
  }
  #dropLeaf(index: number): void {
    this.#free.push(...this.#places.splice(index, 1));
  }
  #dropLeaves(): void {
    this.#places.length =
      this.#free.length =
      this.#used_places =
      this.#size =
        0;
  }
  #grow(): void {
    const levels = new Float64Array(2 * this.#levels.length);
    levels.set(this.#levels);
    this.#levels = levels;
    const counts = new Uint8Array(2 * this.#counts.length);
    counts.set(this.#counts);
    this.#counts = counts;
  }
  /** After leaves came or went, which is rare. */
  #noteFirsts(): void {
    const places = this.#places;
    if (places.length > this.#firsts.length) this.#firsts = new Float64Array(places.length * 2);
    for (let i = 0; i < places.length; i++) this.#firsts[i] = this.#levels[places[i] * WIDTH];
  }
  /** Where the i-th best level stands in `#levels`. */
  #indexOfRank(i: number): number {
    const places = this.#places;
    let leaf = this.#read_leaf;
    let rank = this.#read_rank;
    if (i < rank) {
      leaf = places.length - 1;
      rank = 0;
    }
    while (i - rank >= this.#counts[places[leaf]] && leaf > 0) rank += this.#counts[places[leaf--]];
    this.#read_leaf = leaf;
    this.#read_rank = rank;
    const place = places[leaf];
    return place * WIDTH + 2 * (this.#counts[place] - 1 - (i - rank));
  }
  #forgetRank(): void {
    this.#read_leaf = this.#places.length - 1;
    this.#read_rank = 0;
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
}

/** First position in [low, high) of the leaf at `start` whose key is not below `key`, else `high`. */
function lowerBound(levels: Float64Array, start: number, low: number, high: number, key: number): number {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (levels[start + 2 * middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
