/** Deltas, snapshots, quotes and trades in a line, and an owner that writes down what a replica tells it. */
import type { BookDelta, BookSnapshot, Quote, Trade } from "../../../lib/market/event.ts";
import type { OutOfSync, ReplicaOwner } from "../../../lib/flow/book_replica.ts";
import { listOf } from "../market/level_lists.ts";

type Rows = [price: number, quantity: number, exact?: string][];
export interface Sides {
  bids?: Rows;
  asks?: Rows;
}

const head = { venue: "test", symbol: "BTCUSDT" };

/** Ids as the documents write them: U, u, pu. Without sides one far bid says which delta it was: price 1 is u. */
export function delta(U: number, u: number, pu?: number, sides?: Sides, received_us = u): BookDelta {
  const { bids = [], asks = [] } = sides ?? { bids: [[1, u]] as Rows };
  return {
    ...head,
    kind: "book_delta",
    received_us,
    first_id: U,
    last_id: u,
    previous_id: pu,
    bids: listOf(bids),
    asks: listOf(asks),
  };
}
export function snapshot(L: number, sides: Sides = {}, depth_limit?: number): BookSnapshot {
  const { bids = [[99, 1]], asks = [[101, 1]] } = sides;
  return {
    ...head,
    kind: "book_snapshot",
    received_us: L,
    last_id: L,
    depth_limit,
    bids: listOf(bids),
    asks: listOf(asks),
  };
}
export function quote(
  update_id: number,
  top: [bid: number, bid_qty: number, ask: number, ask_qty: number],
): Quote {
  const [bid, bid_quantity, ask, ask_quantity] = top;
  return { ...head, kind: "quote", received_us: update_id, update_id, bid, bid_quantity, ask, ask_quantity };
}
export function trade(trade_id: number, aggregate = true): Trade {
  const fills = aggregate ? { first_fill_id: trade_id, last_fill_id: trade_id } : {};
  return {
    ...head,
    kind: "trade",
    received_us: trade_id,
    trade_id,
    price: 100,
    quantity: 1,
    aggressor: "buy",
    ...fills,
  };
}

/** "want gap", "out gap 191-188", "in snapshot", "refreshed 0". */
export class WrittenOwner implements ReplicaOwner {
  told: string[] = [];
  needSnapshot(reason: string): void {
    this.told.push(`want ${reason}`);
  }
  synced(how: "snapshot" | "repair"): void {
    this.told.push(`in ${how}`);
  }
  unsynced(why: OutOfSync): void {
    const range = why.missing_from_id === undefined ? "" : ` ${why.missing_from_id}-${why.missing_to_id}`;
    this.told.push(`out ${why.reason}${range}`);
  }
  replaced(): void {
    this.told.push("replaced");
  }
  refreshed(differences: number): void {
    this.told.push(`refreshed ${differences}`);
  }
  /** What was told since the last call. */
  take(): string[] {
    const { told } = this;
    this.told = [];
    return told;
  }
}
