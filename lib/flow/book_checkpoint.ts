/** A live book as a checkpoint: what of it is known, in exact texts. */
import { formatDecimal } from "../base/decimal.ts";
import type { BookState } from "./hub.ts";
import type { Checkpoint } from "../formats/recording/mark.ts";
import type { BookSide } from "../market/book_side.ts";

/** Undefined while the book is out of sync: then there is nothing that could be relied on. */
export function checkpointOf(source: string, state: BookState): Checkpoint | undefined {
  if (!state.keeps_book || !state.in_sync) return undefined;
  const { symbol, book: { bids, asks }, last_update_id, exchange_ms, sent_ms } = state;
  return {
    source,
    symbol,
    last_id: last_update_id,
    exchange_ms,
    sent_ms,
    whole: [bids, asks].every((side) => side.bound_key === -Infinity),
    bids: knownLevels(bids),
    asks: knownLevels(asks),
  };
}

function knownLevels(side: BookSide): [string, string][] {
  return Array.from(
    { length: side.known },
    (_, i) => [formatDecimal(side.price(i)), side.exactQuantity(i) ?? formatDecimal(side.quantity(i))],
  );
}
