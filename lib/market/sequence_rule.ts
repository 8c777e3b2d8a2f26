/**
 * How a venue chains its book deltas: the one thing book keeping must know of a venue. Each feed brings its rule as two
 * pure functions with the venue document cited beside them; flow/book_replica does the rest.
 */
import type { BookDelta, BookPrecision } from "./event.ts";
import type { BookView } from "./order_book.ts";

/**
 * - `stale`: older than what the book holds; drop it (it is counted, never a fault).
 * - `next`: continues the chain; apply it.
 * - `gap`: something before it is missing.
 */
export type SequenceVerdict = "stale" | "next" | "gap";

export interface SequenceRule {
  /**
   * Snapshots come inside the stream, in order: each replaces the book at once and needs no splice; a new subscription
   * brings another.
   */
  in_band_snapshots?: true;
  /** The ids don't show a loss; something else does. Without it `afterDelta` must tell a gap. */
  losses_shown_by?: "checksum" | "connection";
  /**
   * The venue's checksum over the book as it stands after an event that carries one; a different value is a wrong book.
   * `precision` is the event's.
   */
  checksum?(book: BookView, precision: BookPrecision | undefined): number;
  /** For the first delta after a snapshot with id `snapshot_id`. `gap`: the snapshot is too old, fetch another. */
  afterSnapshot(delta: BookDelta, snapshot_id: number): SequenceVerdict;
  /** For every later delta; `last_id` is the id of the last applied one. */
  afterDelta(delta: BookDelta, last_id: number): SequenceVerdict;
}

/** For sources that keep no books: whatever looks like one is refused. */
export const NO_BOOKS: SequenceRule = {
  in_band_snapshots: true,
  afterSnapshot: () => "gap",
  afterDelta: () => "gap",
};

/** For sources whose every book is whole: there is no chain that could break unseen; the connection shows a loss. */
export const WHOLE_BOOKS: SequenceRule = {
  in_band_snapshots: true,
  losses_shown_by: "connection",
  afterSnapshot: () => "gap",
  afterDelta: () => "gap",
};
