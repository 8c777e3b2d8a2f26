/**
 * The mock's own book: price text → quantity text, kept from the tape's snapshot and diffs as the venue's documents say.
 * Deliberately naive and apart from lib/market, so that tests have an independent oracle.
 * Bound: diffs that wait for the first snapshot are at most `MAX_WAITING`; the oldest go first.
 */

import type { MarketState } from "../mock.ts";

const MAX_WAITING = 20_000;

interface Diff {
  E?: number;
  T?: number;
  U: number;
  u: number;
  pu?: number;
  b: [string, string][];
  a: [string, string][];
}

export class TextBook {
  readonly bids = new Map<string, string>();
  readonly asks = new Map<string, string>();
  /** `u` of the last diff applied, or the snapshot's id; 0 before the first snapshot. */
  last_update_id = 0;
  /** Breaks in the chain of ids; each makes the book wait for the next snapshot. */
  gaps = 0;
  #event_ms: number | undefined;
  #trade_ms: number | undefined;
  #synced = false;
  #first_after_snapshot = false;
  readonly #waiting: Diff[] = [];
  #ready = Promise.withResolvers<void>();
  readonly #served = Promise.withResolvers<void>();

  constructor(readonly symbol: string, readonly chains_by_previous_id: boolean) {}

  get synced(): boolean {
    return this.#synced;
  }
  /** How far `snapshot_id` is from what this book waits for; Infinity when it waits for nothing. */
  distance(snapshot_id: number): number {
    const last = this.#waiting.at(-1);
    if (this.#synced) return Infinity;
    return last ? Math.abs(last.u - snapshot_id) : Number.MAX_SAFE_INTEGER;
  }
  /** Resolves at the first snapshot (or the next one after a gap). */
  whenSynced(): Promise<void> {
    return this.#ready.promise;
  }
  /** Resolves at the first depth answer. */
  whenServed(): Promise<void> {
    return this.#served.promise;
  }

  applySnapshot(text: string): void {
    const { lastUpdateId, E, T, bids, asks } = JSON.parse(text);
    this.bids.clear();
    this.asks.clear();
    write(this.bids, bids);
    write(this.asks, asks);
    this.last_update_id = lastUpdateId;
    this.#event_ms = E;
    this.#trade_ms = T;
    this.#synced = this.#first_after_snapshot = true;
    for (const diff of this.#waiting.splice(0)) this.#apply(diff);
    if (this.#synced) this.#ready.resolve();
  }

  applyDiff(text: string): void {
    this.#apply(JSON.parse(text));
  }

  /** The best `limit` levels a side as the venue's REST answer. */
  depthAnswer(limit: number): string {
    this.#served.resolve();
    return JSON.stringify({
      lastUpdateId: this.last_update_id,
      E: this.#event_ms,
      T: this.#trade_ms,
      bids: best(this.bids, -1, limit),
      asks: best(this.asks, 1, limit),
    });
  }

  state(): MarketState {
    const { bids, asks, last_update_id } = this;
    return { last_id: last_update_id, bids: best(bids, -1, Infinity), asks: best(asks, 1, Infinity) };
  }

  #apply(diff: Diff): void {
    if (!this.#synced) {
      if (this.#waiting.length === MAX_WAITING) this.#waiting.shift();
      this.#waiting.push(diff);
      return;
    }
    const stale = this.chains_by_previous_id && this.#first_after_snapshot
      ? diff.u < this.last_update_id
      : diff.u <= this.last_update_id;
    if (stale) return;
    if (!this.#follows(diff)) {
      this.gaps++;
      this.#synced = false;
      this.#ready = Promise.withResolvers<void>();
      this.#waiting.push(diff);
      return;
    }
    this.#first_after_snapshot = false;
    write(this.bids, diff.b);
    write(this.asks, diff.a);
    this.last_update_id = diff.u;
    this.#event_ms = this.chains_by_previous_id ? diff.E : undefined;
    this.#trade_ms = diff.T;
  }

  /** Futures: `pu` is the last `u` (at the splice: `U` or `pu` reaches back to it). Spot: `U` is at most one further. */
  #follows(diff: Diff): boolean {
    if (!this.chains_by_previous_id) return diff.U <= this.last_update_id + 1;
    if (!this.#first_after_snapshot) return diff.pu === this.last_update_id;
    return diff.U <= this.last_update_id || diff.pu! <= this.last_update_id;
  }
}

function write(side: Map<string, string>, levels: readonly [string, string][]): void {
  for (const [price, quantity] of levels) {
    if (Number(quantity) === 0) side.delete(price);
    else side.set(price, quantity);
  }
}

/** @param direction 1: lowest price first; -1: highest first */
function best(side: ReadonlyMap<string, string>, direction: 1 | -1, limit: number): [string, string][] {
  return [...side].sort(([a], [b]) => direction * (Number(a) - Number(b))).slice(0, limit);
}
