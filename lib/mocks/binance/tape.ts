/**
 * What a mock venue plays: market items in the order they happened, from a capture or a generator. The player paces them,
 * the venue keeps its books from them and serves them under the names that clients subscribed to.
 */

/** `other`: served only under the very name it was captured with. */
export type ItemKind = "depth" | "quote" | "trade" | "aggregate_trade" | "snapshot" | "other";

export interface TapeItem {
  kind: ItemKind;
  /** Upper case; empty for a REST snapshot, which names none. */
  symbol: string;
  /** The part of the stream's name behind the symbol, as captured: "depth@100ms"; empty for a snapshot. */
  suffix: string;
  /** When, microseconds of Unix time. */
  at_us: number;
  /** The event's JSON text, without the combined wrapper. */
  data: string;
}

/** Decimals that a symbol's texts show; exchangeInfo states tick and step from them. */
export interface SymbolGrid {
  price_decimals: number;
  quantity_decimals: number;
}

export interface Tape {
  readonly symbols: ReadonlyMap<string, SymbolGrid>;
  /** Items in all; absent: endless. */
  readonly total?: number;
  /** A recording waits for whom to play to; a generated market runs anyway. */
  readonly waits_for_subscriber: boolean;
  /** Items in order; each call begins anew. Memory is bounded by one batch. */
  batches(): AsyncIterable<TapeItem[]>;
}
