/**
 * A venue in a few lines: a true book that changes one level at a time, each change with its id; deltas that gather some
 * changes, quotes at every change of the top, and the book as it was at any id. Ids chain as on futures (`pu`, ids jump)
 * or as on spot (+1).
 */
import type { Random } from "../../../lib/base/random.ts";
import type { BookDelta, BookSnapshot, Quote } from "../../../lib/market/event.ts";
import { listOf } from "../market/level_lists.ts";
import type { Levels } from "./strict_consumer.ts";

export type StreamEvent = BookDelta | Quote;
interface State {
  bids: Levels;
  asks: Levels;
}

const MIDDLE = 1_000;

export class VenueModel {
  readonly events: StreamEvent[] = [];
  /** Ids of changes, rising; `states[i]` is the book after `ids[i]`. */
  readonly ids: number[] = [];
  readonly #states = new Map<number, State>();
  readonly #bids = new Map<number, number>();
  readonly #asks = new Map<number, number>();
  #id = 5_000;
  #last_sent_id = 5_000;
  #now_us = 1_000_000;

  constructor(readonly random: Random, readonly is_futures: boolean, deltas: number) {
    for (let i = 1; i <= 12; i++) {
      this.#bids.set(MIDDLE - i, i);
      this.#asks.set(MIDDLE + i, i);
    }
    this.#remember();
    for (let i = 0; i < deltas; i++) this.#interval();
  }
  stateAt(id: number): State | undefined {
    return this.#states.get(id);
  }
  /** The book as of `ids[index]`, best first, at most `depth_limit` levels a side. */
  snapshot(index: number, depth_limit?: number): BookSnapshot {
    const id = this.ids[Math.max(0, Math.min(index, this.ids.length - 1))];
    const state = this.#states.get(id)!;
    const rows = (levels: Levels, sign: number) =>
      listOf([...levels].sort((one, other) => sign * (one[0] - other[0])).slice(0, depth_limit));
    return {
      ...this.#head(),
      kind: "book_snapshot",
      last_id: id,
      depth_limit,
      bids: rows(state.bids, -1),
      asks: rows(state.asks, 1),
    };
  }

  #head() {
    return { venue: "model", symbol: "BTCUSDT", received_us: this.#now_us };
  }
  #interval(): void {
    const first_id = this.#nextId();
    const bids = new Set<number>();
    const asks = new Set<number>();
    const changes = this.random.integer(1, 6);
    for (let i = 0; i < changes; i++) {
      if (i > 0) this.#nextId();
      this.#change(bids, asks);
      this.#remember();
    }
    this.#now_us += 100_000;
    const rows = (prices: Set<number>, levels: Levels) =>
      listOf([...prices].map((price) => [price, levels.get(price) ?? 0]));
    this.events.push({
      ...this.#head(),
      kind: "book_delta",
      sent_ms: this.#now_us / 1000,
      first_id,
      last_id: this.#id,
      previous_id: this.is_futures ? this.#last_sent_id : undefined,
      bids: rows(bids, this.#bids),
      asks: rows(asks, this.#asks),
    });
    this.#last_sent_id = this.#id;
  }
  #nextId(): number {
    return this.#id += this.is_futures ? this.random.integer(1, 9) : 1;
  }
  #change(bids: Set<number>, asks: Set<number>): void {
    const { random } = this;
    const is_bid = random.chance(0.5);
    const [levels, others, changed] = is_bid
      ? [this.#bids, this.#asks, bids]
      : [this.#asks, this.#bids, asks];
    const inward = is_bid ? 1 : -1;
    const best = (side: Levels, sign: number) =>
      sign * Math.max(...[...side.keys()].map((price) => sign * price));
    const before = this.#top();
    let price = best(levels, inward) - inward * random.integer(-2, 12);
    if (inward * (best(others, -inward) - price) <= 0) price = best(levels, inward);
    if (random.chance(0.45) && levels.size > 6) levels.delete(price);
    else levels.set(price, random.integer(1, 50));
    changed.add(price);
    if (this.#top() !== before) {
      const [bid, ask] = [best(this.#bids, 1), best(this.#asks, -1)];
      const quantities = { bid_quantity: this.#bids.get(bid)!, ask_quantity: this.#asks.get(ask)! };
      this.events.push({ ...this.#head(), kind: "quote", update_id: this.#id, bid, ask, ...quantities });
    }
  }
  #top(): string {
    const [bid, ask] = [Math.max(...this.#bids.keys()), Math.min(...this.#asks.keys())];
    return [bid, this.#bids.get(bid), ask, this.#asks.get(ask)].join();
  }
  #remember(): void {
    this.ids.push(this.#id);
    this.#states.set(this.#id, { bids: new Map(this.#bids), asks: new Map(this.#asks) });
  }
}
