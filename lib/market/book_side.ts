/**
 * One side of an order book: sorted levels in leaves of at most `LEAF` entries, worst leaf first, best leaf last. An
 * insert or delete moves at most one leaf's entries, however deep the book; the search starts where the last level
 * landed, because venues send levels sorted. Keys are the price for bids, the negated price for asks: larger is better.
 * Nothing is allocated per level; a leaf is split when full and dropped when empty.
 */
import type { LevelList } from "./level_list.ts";

/** Measured on a 5,000-level futures book: 64, 128 and 256 are alike (deno task bench). */
const LEAF = 128;
/** A leaf this small joins its neighbour when both fit into half a leaf, so deletes do not leave crumbs. */
const SMALL = LEAF / 8;
/** Below this many elements a loop beats the call overhead of `copyWithin`. */
const SHORT_MOVE = 12;

interface Leaf {
  readonly keys: Float64Array;
  readonly quantities: Float64Array;
  count: number;
}

export class BookSide {
  /** Never empty; only the sole leaf may have no entry. */
  #leaves: Leaf[] = [newLeaf()];
  /** The first key of each leaf, side by side: what the search over leaves reads. */
  #firsts = new Float64Array(16);
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
    const leaf = this.#leaves[this.#leaves.length - 1];
    return leaf.count > 0 ? leaf.keys[leaf.count - 1] : -Infinity;
  }
  clear(): void {
    this.#leaves = [newLeaf()];
    this.#size = 0;
    this.#leaf = this.#at = 0;
    this.#forgetRank();
    this.bound_key = -Infinity;
    this.exact_quantities = undefined;
  }
  /** Key of the i-th best level, 0 the best. The caller checks `i < size`. */
  key(i: number): number {
    const leaf = this.#leafOfRank(i);
    return leaf.keys[leaf.count - 1 - (i - this.#read_rank)];
  }
  /** Price of the i-th best level. */
  price(i: number): number {
    return this.sign * this.key(i);
  }
  /** Quantity of the i-th best level. */
  quantity(i: number): number {
    const leaf = this.#leafOfRank(i);
    return leaf.quantities[leaf.count - 1 - (i - this.#read_rank)];
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
    for (let i = this.#leaves.length - 1; i >= 0; i--) {
      const leaf = this.#leaves[i];
      if (leaf.count > 0 && leaf.keys[0] >= key) {
        count += leaf.count;
        continue;
      }
      return count + leaf.count - lowerBound(leaf.keys, 0, leaf.count, key);
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
    this.bound_key = this.#size >= count && count > 0 ? this.#leaves[0].keys[0] : -Infinity;
  }
  /** Replaces everything by `count` levels whose keys rise strictly, worst first. */
  load(keys: Float64Array, quantities: Float64Array, count: number): void {
    const leaves: Leaf[] = [];
    for (let from = 0; from < count; from += LEAF / 2) {
      const to = Math.min(count, from + LEAF / 2);
      const leaf = newLeaf();
      leaf.keys.set(keys.subarray(from, to));
      leaf.quantities.set(quantities.subarray(from, to));
      leaf.count = to - from;
      leaves.push(leaf);
    }
    this.#leaves = leaves.length > 0 ? leaves : [newLeaf()];
    this.#size = count;
    this.#leaf = this.#leaves.length - 1;
    this.#at = 0;
    this.#noteFirsts();
    this.#forgetRank();
  }

  #dropWorst(excess: number, changes: LevelList): void {
    this.#size -= excess;
    while (excess > 0) {
      const leaf = this.#leaves[0];
      const gone = Math.min(excess, leaf.count);
      for (let i = 0; i < gone; i++) {
        changes.push(this.sign * leaf.keys[i], 0);
        this.exact_quantities?.delete(leaf.keys[i]);
      }
      excess -= gone;
      if (gone === leaf.count && this.#leaves.length > 1) this.#leaves.shift();
      else {
        leaf.keys.copyWithin(0, gone, leaf.count);
        leaf.quantities.copyWithin(0, gone, leaf.count);
        leaf.count -= gone;
      }
    }
    this.#leaf = this.#leaves.length - 1;
    this.#at = 0;
    this.#noteFirsts();
    this.#forgetRank();
  }
  #set(key: number, quantity: number): void {
    const leaf = this.#seek(key);
    const at = this.#at;
    const { keys, quantities, count } = leaf;
    if (at < count && keys[at] === key) {
      if (quantity !== 0) quantities[at] = quantity;
      else this.#removeAt(leaf, at);
    } else if (quantity !== 0) {
      if (count === LEAF) this.#splitAndInsert(key, quantity);
      else {
        insertAt(leaf, at, key, quantity);
        if (at === 0) this.#firsts[this.#leaf] = key;
      }
      this.#size++;
    }
  }
  /** Moves the finger to where `key` is or belongs: its leaf, and the first position whose key is not below it. */
  #seek(key: number): Leaf {
    const firsts = this.#firsts;
    const last = this.#leaves.length - 1;
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
      const leaf = this.#leaves[index];
      this.#at = lowerBound(leaf.keys, 0, leaf.count, key);
      return leaf;
    }
    const leaf = this.#leaves[index];
    const { keys, count } = leaf;
    const at = this.#at;
    if (at < count && keys[at] < key) this.#at = lowerBound(keys, at + 1, count, key);
    else this.#at = lowerBound(keys, 0, at < count ? at : count, key);
    return leaf;
  }
  #removeAt(leaf: Leaf, at: number): void {
    const { keys, quantities } = leaf;
    const count = --leaf.count;
    this.#size--;
    if (count - at < SHORT_MOVE) {
      for (let i = at; i < count; i++) {
        keys[i] = keys[i + 1];
        quantities[i] = quantities[i + 1];
      }
    } else {
      keys.copyWithin(at, at + 1, count + 1);
      quantities.copyWithin(at, at + 1, count + 1);
    }
    if (at === 0) this.#firsts[this.#leaf] = keys[0];
    if (count <= SMALL && this.#leaves.length > 1) this.#shrink(leaf);
  }
  /** Drops an empty leaf; joins a small one to a neighbour that has room. */
  #shrink(leaf: Leaf): void {
    const leaves = this.#leaves;
    const index = this.#leaf;
    const neighbour = index > 0 ? index - 1 : index + 1;
    const other = leaves[neighbour];
    if (leaf.count > 0) {
      if (leaf.count + other.count > LEAF / 2) return;
      const [lower, upper] = neighbour < index ? [other, leaf] : [leaf, other];
      lower.keys.set(upper.keys.subarray(0, upper.count), lower.count);
      lower.quantities.set(upper.quantities.subarray(0, upper.count), lower.count);
      lower.count += upper.count;
      leaves.splice(Math.max(index, neighbour), 1);
    } else leaves.splice(index, 1);
    this.#leaf = Math.min(Math.min(index, neighbour), leaves.length - 1);
    this.#at = 0;
    this.#noteFirsts();
  }
  #splitAndInsert(key: number, quantity: number): void {
    const index = this.#leaf;
    const lower = this.#leaves[index];
    const upper = newLeaf();
    const half = LEAF / 2;
    upper.keys.set(lower.keys.subarray(half));
    upper.quantities.set(lower.quantities.subarray(half));
    upper.count = LEAF - half;
    lower.count = half;
    this.#leaves.splice(index + 1, 0, upper);
    if (this.#at <= half) insertAt(lower, this.#at, key, quantity);
    else {
      this.#leaf = index + 1;
      this.#at -= half;
      insertAt(upper, this.#at, key, quantity);
    }
    this.#noteFirsts();
  }
  /** After leaves came or went, which is rare. */
  #noteFirsts(): void {
    const leaves = this.#leaves;
    if (leaves.length > this.#firsts.length) this.#firsts = new Float64Array(leaves.length * 2);
    for (let i = 0; i < leaves.length; i++) this.#firsts[i] = leaves[i].keys[0];
  }
  #leafOfRank(i: number): Leaf {
    const leaves = this.#leaves;
    let index = this.#read_leaf;
    let rank = this.#read_rank;
    if (i < rank) {
      index = leaves.length - 1;
      rank = 0;
    }
    while (i - rank >= leaves[index].count && index > 0) rank += leaves[index--].count;
    this.#read_leaf = index;
    this.#read_rank = rank;
    return leaves[index];
  }
  #forgetRank(): void {
    this.#read_leaf = this.#leaves.length - 1;
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

function newLeaf(): Leaf {
  return { keys: new Float64Array(LEAF), quantities: new Float64Array(LEAF), count: 0 };
}

function insertAt(leaf: Leaf, at: number, key: number, quantity: number): void {
  const { keys, quantities } = leaf;
  const count = leaf.count++;
  if (count - at < SHORT_MOVE) {
    for (let i = count; i > at; i--) {
      keys[i] = keys[i - 1];
      quantities[i] = quantities[i - 1];
    }
  } else {
    keys.copyWithin(at + 1, at, count);
    quantities.copyWithin(at + 1, at, count);
  }
  keys[at] = key;
  quantities[at] = quantity;
}

/** First position in [low, high) whose key is not below `key`, else `high`. */
function lowerBound(keys: Float64Array, low: number, high: number, key: number): number {
  while (low < high) {
    const middle = (low + high) >> 1;
    if (keys[middle] < key) low = middle + 1;
    else high = middle;
  }
  return low;
}
