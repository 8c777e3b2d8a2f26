/**
 * Widens what a live book knows without pausing it: a fresh snapshot plus the deltas since is built beside the live
 * book and laid over it at the same update id. Levels past the new snapshot's end keep what was known before.
 * As a side gift every refresh audits the live book: levels that differ where both claim to know are counted.
 */
import type { BookSnapshot } from "../market/event.ts";
import type { BookSide } from "../market/book_side.ts";
import { OrderBook } from "../market/order_book.ts";
import type { SequenceRule } from "../market/sequence_rule.ts";
import type { DeltaLog } from "./delta_log.ts";

/**
 * Lays `snapshot` and the logged deltas over `book`, which stands at `last_id`. Returns how many levels differed inside
 * the depth that both knew, or undefined when the log does not reach back to the snapshot (fetch a newer one).
 */
export function mergeRefresh(
  book: OrderBook,
  last_id: number,
  snapshot: BookSnapshot,
  log: DeltaLog,
  rule: SequenceRule,
): number | undefined {
  const fresh = new OrderBook();
  fresh.replace(snapshot.bids, snapshot.asks, snapshot.depth_limit);
  let reached_id = snapshot.last_id;
  let chained = false;
  for (let i = 0; i < log.size; i++) {
    const delta = log.at(i);
    const verdict = chained
      ? rule.afterDelta(delta, reached_id)
      : rule.afterSnapshot(delta, snapshot.last_id);
    if (verdict === "stale") continue;
    if (verdict === "gap") return undefined;
    fresh.apply(delta.bids, delta.asks);
    reached_id = delta.last_id;
    chained = true;
  }
  if (reached_id !== last_id) return undefined;
  book.noteDecimals(fresh.price_decimals, fresh.quantity_decimals);
  return layOver(book.bids, fresh.bids) + layOver(book.asks, fresh.asks);
}

/** `side` becomes `fresh` where fresh knows, and stays as it was below. Returns the differences where both knew. */
function layOver(side: BookSide, fresh: BookSide): number {
  const differences = countDifferences(side, fresh, Math.max(side.bound_key, fresh.bound_key));
  const kept = side.size - side.countFrom(fresh.bound_key);
  const taken = fresh.countFrom(fresh.bound_key);
  const keys = new Float64Array(kept + taken);
  const quantities = new Float64Array(kept + taken);
  for (let i = 0; i < kept; i++) {
    keys[i] = side.key(side.size - 1 - i);
    quantities[i] = side.quantity(side.size - 1 - i);
  }
  for (let i = 0; i < taken; i++) {
    keys[kept + i] = fresh.key(taken - 1 - i);
    quantities[kept + i] = fresh.quantity(taken - 1 - i);
  }
  const exact_quantities = mergeExact(side, fresh);
  side.load(keys, quantities, kept + taken);
  side.bound_key = Math.min(side.bound_key, fresh.bound_key);
  side.exact_quantities = exact_quantities;
  return differences;
}

function mergeExact(side: BookSide, fresh: BookSide): Map<number, string> | undefined {
  if (!side.exact_quantities && !fresh.exact_quantities) return undefined;
  const merged = new Map<number, string>();
  for (const [key, text] of side.exact_quantities ?? []) if (key < fresh.bound_key) merged.set(key, text);
  for (const [key, text] of fresh.exact_quantities ?? []) if (key >= fresh.bound_key) merged.set(key, text);
  return merged.size > 0 ? merged : undefined;
}

/** Levels at or above `bound_key` that are in only one of the two, or with another quantity. */
export function countDifferences(one: BookSide, other: BookSide, bound_key: number): number {
  const size = one.countFrom(bound_key);
  const other_size = other.countFrom(bound_key);
  let i = 0;
  let j = 0;
  let differences = 0;
  while (i < size || j < other_size) {
    const key = i < size ? one.key(i) : -Infinity;
    const other_key = j < other_size ? other.key(j) : -Infinity;
    if (key === other_key) {
      if (one.quantity(i++) !== other.quantity(j++)) differences++;
    } else {
      differences++;
      if (key > other_key) i++;
      else j++;
    }
  }
  return differences;
}
