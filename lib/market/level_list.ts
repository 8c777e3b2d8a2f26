/**
 * One side of a delta or a snapshot as the venue sent it: price and absolute quantity pairs in two flat arrays that are
 * reused from frame to frame, so a level costs no allocation. A quantity of 0 deletes. Order is the venue's.
 */

export class LevelList {
  prices: Float64Array;
  quantities: Float64Array;
  size = 0;
  /** Most digits after the point among the prices and quantities, trailing zeros not counted. */
  price_decimals = 0;
  quantity_decimals = 0;
  /** Index → exact text, only for quantities with more than 15 significant digits. */
  exact_quantities: Map<number, string> | undefined;

  constructor(capacity = 16) {
    this.prices = new Float64Array(capacity);
    this.quantities = new Float64Array(capacity);
  }
  clear(): void {
    this.size = 0;
    this.price_decimals = 0;
    this.quantity_decimals = 0;
    this.exact_quantities = undefined;
  }
  /** Makes room for at least `capacity` levels, keeping what is there. */
  reserve(capacity: number): void {
    if (capacity <= this.prices.length) return;
    const length = Math.max(capacity, this.prices.length * 2);
    const prices = new Float64Array(length);
    const quantities = new Float64Array(length);
    prices.set(this.prices.subarray(0, this.size));
    quantities.set(this.quantities.subarray(0, this.size));
    this.prices = prices;
    this.quantities = quantities;
  }
  push(price: number, quantity: number): void {
    if (this.size === this.prices.length) this.reserve(this.size + 1);
    this.prices[this.size] = price;
    this.quantities[this.size] = quantity;
    this.size++;
  }
  noteDecimals(price_decimals: number, quantity_decimals: number): void {
    if (price_decimals > this.price_decimals) this.price_decimals = price_decimals;
    if (quantity_decimals > this.quantity_decimals) this.quantity_decimals = quantity_decimals;
  }
  /** Becomes a copy of `other`, reusing its own arrays. */
  copyFrom(other: LevelList): void {
    this.size = 0;
    this.reserve(other.size);
    this.prices.set(other.prices.subarray(0, other.size));
    this.quantities.set(other.quantities.subarray(0, other.size));
    this.size = other.size;
    this.price_decimals = other.price_decimals;
    this.quantity_decimals = other.quantity_decimals;
    this.exact_quantities = other.exact_quantities && new Map(other.exact_quantities);
  }
}
