/**
 * The order book of one instrument: absolute price levels, exact prices, and the honest bound of what is known.
 * It knows nothing of update ids or sync; flow/book_replica keeps those. Readers get `BookView` and must not keep it
 * across updates: the book changes in place.
 */
import { BookSide } from "./book_side.ts";
import type { LevelList } from "./level_list.ts";

/** The reading side of an order book. Prices and quantities are exact doubles; see base/decimal.ts. */
export interface BookView {
  readonly bids: BookSide;
  readonly asks: BookSide;
  /** Most digits after the point seen so far; what a printer needs to print exactly. */
  readonly price_decimals: number;
  readonly quantity_decimals: number;
  readonly best_bid: number | undefined;
  readonly best_ask: number | undefined;
  readonly spread: number | undefined;
  imbalance(depth: number): number | undefined;
}

export class OrderBook implements BookView {
  readonly bids = new BookSide(1);
  readonly asks = new BookSide(-1);
  price_decimals = 0;
  quantity_decimals = 0;

  get best_bid(): number | undefined {
    return this.bids.size > 0 ? this.bids.price(0) : undefined;
  }
  get best_ask(): number | undefined {
    return this.asks.size > 0 ? this.asks.price(0) : undefined;
  }
  /** Best ask minus best bid, rounded to the book's own decimals so that 61800.3 − 61800.2 is 0.1. */
  get spread(): number | undefined {
    const { best_bid, best_ask } = this;
    if (best_bid === undefined || best_ask === undefined) return undefined;
    return Number((best_ask - best_bid).toFixed(this.price_decimals));
  }
  /** Best bid at or above best ask: never true in a right book. */
  get crossed(): boolean {
    const { bids, asks } = this;
    return bids.size > 0 && asks.size > 0 && bids.best_key >= -asks.best_key;
  }
  /** (bid quantity − ask quantity) / (their sum) over the best `depth` levels: −1 … 1; undefined when both are empty. */
  imbalance(depth: number): number | undefined {
    const bid = sumOfBest(this.bids, depth);
    const ask = sumOfBest(this.asks, depth);
    return bid + ask > 0 ? (bid - ask) / (bid + ask) : undefined;
  }
  /** Applies absolute changes to both sides. */
  apply(bids: LevelList, asks: LevelList): void {
    this.noteDecimals(bids.price_decimals, bids.quantity_decimals);
    this.noteDecimals(asks.price_decimals, asks.quantity_decimals);
    if (bids.size > 0) this.bids.apply(bids);
    if (asks.size > 0) this.asks.apply(asks);
  }
  /**
   * Replaces the book. A side that came back full (`depth_limit` levels) ends at its last level: what lies beyond is
   * unknown until touched. A shorter side is wholly known. Without a limit both sides are wholly known.
   */
  replace(bids: LevelList, asks: LevelList, depth_limit?: number): void {
    this.clear();
    this.apply(bids, asks);
    if (depth_limit === undefined) return;
    if (bids.size >= depth_limit && this.bids.size > 0) {
      this.bids.bound_key = this.bids.key(this.bids.size - 1);
    }
    if (asks.size >= depth_limit && this.asks.size > 0) {
      this.asks.bound_key = this.asks.key(this.asks.size - 1);
    }
  }
  /** Keeps the best `count` levels a side; what is dropped is added to the changes as deletions. */
  keepBest(count: number, bid_changes: LevelList, ask_changes: LevelList): void {
    this.bids.keepBest(count, bid_changes);
    this.asks.keepBest(count, ask_changes);
  }
  clear(): void {
    this.bids.clear();
    this.asks.clear();
  }
  noteDecimals(price_decimals: number, quantity_decimals: number): void {
    if (price_decimals > this.price_decimals) this.price_decimals = price_decimals;
    if (quantity_decimals > this.quantity_decimals) this.quantity_decimals = quantity_decimals;
  }
}

function sumOfBest(side: BookSide, depth: number): number {
  let sum = 0;
  for (let i = 0, n = Math.min(depth, side.size); i < n; i++) sum += side.quantity(i);
  return sum;
}
