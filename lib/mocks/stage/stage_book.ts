/**
 * The book that a mock venue itself keeps: levels as the exact texts of its market, best first. Deliberately naive and
 * apart from lib/market, so that tests have an independent oracle.
 */
import type { Level } from "../mock.ts";
import type { BookChange, Opening } from "./happening.ts";

export class StageBook {
  /** Id of the last single change inside. */
  last_id: number;
  /** When it last changed, Unix time, milliseconds. */
  at_ms: number;
  readonly #bids: Level[];
  readonly #asks: Level[];

  constructor(opening: Opening) {
    this.last_id = opening.last_id;
    this.at_ms = opening.at_ms;
    this.#bids = [...opening.bids];
    this.#asks = [...opening.asks];
  }
  /** Best first. */
  get bids(): readonly Level[] {
    return this.#bids;
  }
  get asks(): readonly Level[] {
    return this.#asks;
  }
  apply(change: BookChange): void {
    for (const level of change.bids) put(this.#bids, level, -1);
    for (const level of change.asks) put(this.#asks, level, 1);
    this.last_id = change.last_id;
    this.at_ms = change.at_ms;
  }
  /** The best `depth` levels a side. */
  top(depth: number): { bids: Level[]; asks: Level[] } {
    return { bids: this.#bids.slice(0, depth), asks: this.#asks.slice(0, depth) };
  }
}

export function isGone([, quantity]: Level): boolean {
  return Number(quantity) === 0;
}

/** @param direction 1: lowest price first; -1: highest first */
function put(side: Level[], level: Level, direction: 1 | -1): void {
  const key = direction * Number(level[0]);
  let low = 0;
  for (let high = side.length; low < high;) {
    const middle = (low + high) >> 1;
    if (direction * Number(side[middle][0]) < key) low = middle + 1;
    else high = middle;
  }
  const is_known = low < side.length && direction * Number(side[low][0]) === key;
  if (isGone(level)) {
    if (is_known) side.splice(low, 1);
  } else side.splice(low, is_known ? 1 : 0, level);
}
