/**
 * What one subscriber of a book cut at `depth` levels holds, and what he must be told so that his book stays the best
 * `depth` levels: changed levels, levels that came up from below, levels that are gone. A level pushed out by better ones
 * is deleted in words at some venues; at others the subscriber cuts his book himself.
 */
import type { Level } from "../mock.ts";
import type { StageBook } from "./stage_book.ts";

export class DepthView {
  #bids: readonly Level[] = [];
  #asks: readonly Level[] = [];

  /** @param pushed_out what is said of a level that still stands and is no longer among the best */
  constructor(readonly book: StageBook, readonly depth: number, readonly pushed_out: "deleted" | "untold") {}

  /** The best levels now; changes are told from here. */
  snapshot(): { bids: readonly Level[]; asks: readonly Level[] } {
    const { bids, asks } = this.book.top(this.depth);
    this.#bids = bids;
    this.#asks = asks;
    return { bids, asks };
  }
  /** What changed since the last call, best first, deletions ("0") before; both empty: nothing that he can see. */
  changes(): { bids: Level[]; asks: Level[] } {
    const before = { bids: this.#bids, asks: this.#asks };
    const now = this.snapshot();
    return {
      bids: this.#difference(before.bids, now.bids, this.book.bids),
      asks: this.#difference(before.asks, now.asks, this.book.asks),
    };
  }

  #difference(before: readonly Level[], now: readonly Level[], whole: readonly Level[]): Level[] {
    const known = new Map(before);
    const changed = now.filter(([price, quantity]) => known.get(price) !== quantity);
    const kept = new Set(now.map(([price]) => price));
    const standing = this.pushed_out === "untold" ? new Set(whole.map(([price]) => price)) : undefined;
    const gone = before.filter(([price]) => !kept.has(price) && !standing?.has(price));
    return [...gone.map(([price]): Level => [price, "0"]), ...changed];
  }
}
