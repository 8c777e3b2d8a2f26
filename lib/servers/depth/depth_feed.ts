/**
 * One symbol as the depth server publishes it, wherever its orders come from: a simulated market, or a book by orders
 * that somebody else keeps.
 */
import type { ByteWriter } from "../../wire/byte_writer.ts";
import type { BookChanges } from "./book_changes.ts";
import type { TapeTrade, TradeTape } from "./trade_tape.ts";

export interface DepthFeed {
  readonly symbol: string;
  /** The time whose book this is, microseconds. */
  readonly at_us: number;
  /** Told of trades. Bound: one per publication phase. */
  readonly tapes: Set<TradeTape>;
  /** One slice of work towards `to_us`; true when there. */
  advance(to_us: number): boolean;
  /** Up to `max_levels` levels a side. */
  writeMbp(writer: ByteWriter, max_levels: number): void;
  /** The orders of up to `max_levels` levels a side. */
  writeMbo(writer: ByteWriter, max_levels: number): void;
  writeTrades(writer: ByteWriter, trades: readonly TapeTrade[]): void;
  /** What changes between publications; undefined where only whole books are told. */
  changes(data_type: "MBP" | "MBO", max_levels: number): BookChanges | undefined;
  /** What GET /health says of it. */
  describe(): Record<string, unknown>;
}
