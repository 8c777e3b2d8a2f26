/**
 * What a mock venue plays: items in the order they happened, from a recording or a generator. The player paces them, the
 * venue takes each into its state and the stage hands it to the subscriptions that carry its kind.
 */

/** The least that the stage must know of an item; a venue adds what it says. */
export interface StageItem {
  /** What sort of happening: subscriptions name the kinds they carry. */
  readonly kind: string;
  /** As the venue writes it in payloads. */
  readonly symbol: string;
  /** When, microseconds of Unix time. */
  readonly at_us: number;
}

/** Decimals that a symbol's texts show; instrument metadata states tick and step from them. */
export interface SymbolGrid {
  price_decimals: number;
  quantity_decimals: number;
}

export interface Tape<Item extends StageItem> {
  readonly symbols: ReadonlyMap<string, SymbolGrid>;
  /** Items in all; absent: not known beforehand, or endless. */
  readonly total?: number;
  /** A finite tape waits for whom to play to; an endless market runs anyway. */
  readonly waits_for_subscriber: boolean;
  /** How much of it is over when this item comes, 0 … 1; 0 for ever on an endless tape. */
  progress(item: Item, position: number): number;
  /** Items in order; each call begins anew. Memory is bounded by one batch. */
  batches(): AsyncIterable<Item[]>;
}
