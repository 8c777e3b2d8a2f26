/**
 * A consumer that keeps its own book from what an instrument publishes and throws at the first broken promise: published
 * while out of sync, crossed, a sequence number missing, deltas that do not add up to the book, not the truth at its id.
 */
import assert from "node:assert/strict";
import type { BookSide } from "../../../lib/market/book_side.ts";
import type { LevelList } from "../../../lib/market/level_list.ts";
import type { BookStatus, BookUpdate, MarketUpdate } from "../../../lib/market/update.ts";

export type Levels = ReadonlyMap<number, number>;
export type Truth = (update_id: number) => { bids: Levels; asks: Levels } | undefined;

export class StrictConsumer {
  in_sync = false;
  updates = 0;
  whole_books = 0;
  sequence = 0;
  last_update_id = -1;
  readonly statuses: BookStatus[] = [];
  readonly others: MarketUpdate[] = [];
  #bids = new Map<number, number>();
  #asks = new Map<number, number>();

  /** `truth`: the venue's own book at an id, to compare inside the known depth; none: not compared. */
  constructor(readonly truth: Truth = () => undefined) {}

  readonly offer = (update: MarketUpdate): void => {
    if (update.kind === "book") this.#book(update);
    else if (update.kind === "book_status") {
      this.statuses.push({ ...update });
      this.in_sync = update.in_sync;
    } else this.others.push(update);
  };

  #book(update: BookUpdate): void {
    const { bids, asks } = update.book;
    assert.ok(this.in_sync, "published while out of sync");
    assert.equal(update.sequence, this.sequence + 1, "sequence");
    assert.ok(bids.best_key < -asks.best_key, "crossed");
    this.sequence = update.sequence;
    this.last_update_id = update.last_update_id;
    this.updates++;
    if (update.delta === undefined) {
      this.whole_books++;
      this.#bids = levelsOf(bids);
      this.#asks = levelsOf(asks);
    } else {
      applyTo(this.#bids, update.delta.bids);
      applyTo(this.#asks, update.delta.asks);
    }
    assert.deepEqual(this.#bids, levelsOf(bids), "bids by deltas");
    assert.deepEqual(this.#asks, levelsOf(asks), "asks by deltas");
    const truth = this.truth(update.last_update_id);
    if (!truth) return;
    assert.deepEqual(knownLevels(bids), within(truth.bids, bids), `bids at ${update.last_update_id}`);
    assert.deepEqual(knownLevels(asks), within(truth.asks, asks), `asks at ${update.last_update_id}`);
  }
}

function applyTo(levels: Map<number, number>, list: LevelList): void {
  for (let i = 0; i < list.size; i++) {
    if (list.quantities[i] === 0) levels.delete(list.prices[i]);
    else levels.set(list.prices[i], list.quantities[i]);
  }
}
function levelsOf(side: BookSide): Map<number, number> {
  return new Map(Array.from({ length: side.size }, (_, i) => [side.price(i), side.quantity(i)]));
}
function knownLevels(side: BookSide): Map<number, number> {
  return new Map([...levelsOf(side)].slice(0, side.known));
}
/** The true levels inside the bound of `side`. */
function within(levels: Levels, side: BookSide): Map<number, number> {
  return new Map([...levels].filter(([price]) => side.sign * price >= side.bound_key));
}
