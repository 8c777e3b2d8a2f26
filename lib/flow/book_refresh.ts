/**
 * Widens what a live book knows without pausing it: a fresh snapshot plus the deltas since is built beside the live
 * book and laid over it at the same update id. Levels past the new snapshot's end keep what was known before.
 * As a side gift every refresh audits the live book: levels that differ where both claim to know are counted.
 */
import type { BookSnapshot } from "../market/event.ts";
import { BookSide } from "../market/book_side.ts";
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
  return layOver(book.bids, fresh.bids) + layOver(book.asks, fresh.asks);
}

/** `side` becomes `fresh` where fresh knows, and stays as it was below. Returns the differences where both knew. */
function layOver(side: BookSide, fresh: BookSide): number {
  const differences = countDifferences(side, fresh, Math.max(side.bound_key, fresh.bound_key));
  const below = side.indexOf(fresh.bound_key);
  const from = fresh.indexOf(fresh.bound_key);
  const merged = new BookSide(side.sign, below + fresh.size - from);
  merged.keys.set(side.keys.subarray(0, below));
  merged.quantities.set(side.quantities.subarray(0, below));
  merged.keys.set(fresh.keys.subarray(from, fresh.size), below);
  merged.quantities.set(fresh.quantities.subarray(from, fresh.size), below);
  merged.size = below + fresh.size - from;
  merged.bound_key = Math.min(side.bound_key, fresh.bound_key);
  merged.exact_quantities = mergeExact(side, fresh);
  side.copyFrom(merged);
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
  let i = one.indexOf(bound_key);
  let j = other.indexOf(bound_key);
  let differences = 0;
  while (i < one.size || j < other.size) {
    const key = i < one.size ? one.keys[i] : Infinity;
    const other_key = j < other.size ? other.keys[j] : Infinity;
    if (key === other_key) {
      if (one.quantities[i++] !== other.quantities[j++]) differences++;
    } else {
      differences++;
      if (key < other_key) i++;
      else j++;
    }
  }
  return differences;
}
