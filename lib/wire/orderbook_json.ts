/**
 * The `orderbook:{SYMBOL}` payload that consumers of the old service already read. Written straight into a `ByteWriter`:
 * no objects, no JSON.stringify, prices exact, never an exponent. Only levels inside the known depth are printed: beyond
 * it a level may be missing, and a wrong level is worse than a shorter book.
 */
import type { ByteWriter } from "./byte_writer.ts";

/** What the encoder reads of one side of a book; i = 0 is the best level. */
export interface JsonBookSide {
  /** Levels, counted from the best, of which none is missing. */
  readonly known: number;
  price(i: number): number;
  quantity(i: number): number;
  /** The quantity's text, where the double would not give it back. */
  exactQuantity(i: number): string | undefined;
}
export interface JsonBook {
  readonly bids: JsonBookSide;
  readonly asks: JsonBookSide;
  readonly price_decimals: number;
  readonly quantity_decimals: number;
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const HEAD = bytesOf('{"symbol":');
const BIDS = bytesOf(',"bids":[');
const ASKS = bytesOf('],"asks":[');
const LAST_UPDATE_ID = bytesOf('],"last_update_id":');
const TIMESTAMP = bytesOf(',"timestamp":');
const OPEN = "[".charCodeAt(0);
const CLOSE = "]".charCodeAt(0);
const COMMA = ",".charCodeAt(0);
const END = "}".charCodeAt(0);

/**
 * Appends `{"symbol","bids":[[price,qty],…],"asks":[[price,qty],…],"last_update_id","timestamp"}`: numbers, best first,
 * at most `depth` levels a side. `timestamp_ms`: Unix epoch, milliseconds.
 */
export function writeOrderbookJson(
  writer: ByteWriter,
  symbol: string,
  book: JsonBook,
  depth: number,
  last_update_id: number,
  timestamp_ms: number,
): void {
  const { price_decimals, quantity_decimals } = book;
  writer.raw(HEAD);
  writer.jsonString(symbol);
  writer.raw(BIDS);
  writeLevels(writer, book.bids, depth, price_decimals, quantity_decimals);
  writer.raw(ASKS);
  writeLevels(writer, book.asks, depth, price_decimals, quantity_decimals);
  writer.raw(LAST_UPDATE_ID);
  writer.integer(last_update_id);
  writer.raw(TIMESTAMP);
  writer.integer(timestamp_ms);
  writer.byte(END);
}

/** Appends `[price,quantity],…`, best first: at most `depth` levels, none beyond the known depth. */
export function writeLevels(
  writer: ByteWriter,
  side: JsonBookSide,
  depth: number,
  price_decimals: number,
  quantity_decimals: number,
): void {
  const count = Math.min(depth, side.known);
  for (let i = 0; i < count; i++) {
    if (i > 0) writer.byte(COMMA);
    writer.byte(OPEN);
    writer.decimal(side.price(i), price_decimals);
    writer.byte(COMMA);
    const exact = side.exactQuantity(i);
    if (exact === undefined) writer.decimal(side.quantity(i), quantity_decimals);
    else writer.text(exact);
    writer.byte(CLOSE);
  }
}
