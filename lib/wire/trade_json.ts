/**
 * The `trades:{SYMBOL}` payload that consumers of the old service already read, written straight into a `ByteWriter`.
 * A quantity with more digits than a double holds prints the venue's own text; it is still a JSON number.
 */
import type { ByteWriter } from "./byte_writer.ts";

/** A hint only: a number with more is printed exactly too. */
const USUAL_DECIMALS = 8;

/** What the encoder reads of a trade. */
export interface JsonTrade {
  readonly symbol: string;
  readonly trade_id?: number;
  /** The venue's id where it is no number. */
  readonly venue_trade_id?: string;
  readonly price: number;
  readonly quantity: number;
  /** The quantity's text, where the double would not give it back. */
  readonly exact_quantity?: string;
  /** The side that took liquidity: the buyer was the maker when the aggressor sold. */
  readonly aggressor?: "buy" | "sell";
}

const bytesOf = (text: string) => new TextEncoder().encode(text);
const HEAD = bytesOf('{"symbol":');
const TRADE_ID = bytesOf(',"trade_id":');
const PRICE = bytesOf(',"price":');
const QUANTITY = bytesOf(',"quantity":');
const TIMESTAMP = bytesOf(',"timestamp":');
const BUYER_IS_MAKER = bytesOf(',"is_buyer_maker":true}');
const SELLER_IS_MAKER = bytesOf(',"is_buyer_maker":false}');
const END = bytesOf("}");

/**
 * Appends `{"symbol","trade_id","price","quantity","timestamp","is_buyer_maker"}`. An id that is no number is a string;
 * an id or a side that the venue does not give is left out.
 * `timestamp_ms`: Unix epoch, milliseconds.
 */
export function writeTradeJson(writer: ByteWriter, trade: JsonTrade, timestamp_ms: number): void {
  writer.raw(HEAD);
  writer.jsonString(trade.symbol);
  if (trade.trade_id !== undefined) {
    writer.raw(TRADE_ID);
    writer.integer(trade.trade_id);
  } else if (trade.venue_trade_id !== undefined) {
    writer.raw(TRADE_ID);
    writer.jsonString(trade.venue_trade_id);
  }
  writer.raw(PRICE);
  writer.decimal(trade.price, USUAL_DECIMALS);
  writer.raw(QUANTITY);
  if (trade.exact_quantity === undefined) writer.decimal(trade.quantity, USUAL_DECIMALS);
  else writer.text(trade.exact_quantity);
  writer.raw(TIMESTAMP);
  writer.integer(timestamp_ms);
  if (trade.aggressor === undefined) writer.raw(END);
  else writer.raw(trade.aggressor === "sell" ? BUYER_IS_MAKER : SELLER_IS_MAKER);
}
