/**
 * The two sides of a simulated book, as the small integers that index typed arrays. Lives apart so that the store, the
 * ladder and the book need not import each other for it.
 */

export const BID = 0;
export const ASK = 1;
export type Side = typeof BID | typeof ASK;

/** The side an order of `side` trades against. */
export function oppositeOf(side: Side): Side {
  return side === BID ? ASK : BID;
}
