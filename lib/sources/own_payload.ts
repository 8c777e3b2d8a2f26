/**
 * Our own payloads read back: `orderbook:{SYMBOL}` and `trades:{SYMBOL}` as wire/orderbook_json and wire/trade_json write
 * them, from Redis or from a peer. A book payload is a whole book of as many levels as it shows, never a delta. Numbers
 * with more digits than a double holds keep their text. Refuses what is not of that shape, in words.
 */
import { readDecimal } from "../base/decimal.ts";
import type { BookSnapshot, Trade } from "../market/event.ts";
import { LevelList } from "../market/level_list.ts";
import { readLevels } from "../feeds/level_scanner.ts";

/** Digits (and a point) in a row that may be more than a double holds. */
const LONG_NUMBER = /[\d.]{16}/;

/** The event that `text` tells of, or why it is none. `received_us`: Unix epoch, microseconds. */
export function readOwnPayload(
  text: string,
  venue: string,
  received_us: number,
): BookSnapshot | Trade | string {
  const fields = parseFields(text);
  if (typeof fields === "string") return fields;
  if (typeof fields.symbol !== "string" || fields.symbol === "") return "no symbol";
  if ("bids" in fields) return readBook(fields, fields.symbol, venue, received_us);
  if ("price" in fields) return readTrade(fields, fields.symbol, venue, received_us);
  return "neither a book nor a trade";
}

/** The object that `text` is, numbers that a double does not hold as texts; or why it is none. */
export function parseFields(text: string): Record<string, unknown> | string {
  try {
    const parsed: unknown = LONG_NUMBER.test(text) ? JSON.parse(text, keepLongNumber) : JSON.parse(text);
    if (typeof parsed !== "object" || parsed === null) return "not an object";
    return parsed as Record<string, unknown>;
  } catch {
    return "not JSON";
  }
}

/** A number stays a number only when the double gives its text back. */
function keepLongNumber(_key: string, value: unknown, context?: { source?: string }): unknown {
  const source = context?.source;
  if (typeof value !== "number" || source === undefined || String(value) === source) return value;
  return readDecimal(source)?.text === undefined ? value : source;
}

function readBook(
  fields: Record<string, unknown>,
  symbol: string,
  venue: string,
  received_us: number,
): BookSnapshot | string {
  const { last_update_id, timestamp } = fields;
  if (!isId(last_update_id)) return "no last_update_id";
  if (!isId(timestamp)) return "no timestamp";
  const sides = readSides(fields);
  if (sides === undefined) return "no list of [price, quantity]";
  return {
    kind: "book_snapshot",
    venue,
    symbol,
    received_us,
    sent_ms: timestamp,
    last_id: last_update_id,
    ...sides,
  };
}

/** The levels of a whole book of as many as it shows; undefined when they are none. */
export function readSides({ bids, asks }: Record<string, unknown>) {
  const lists = { bids: new LevelList(), asks: new LevelList() };
  if (!readLevels(bids, lists.bids) || !readLevels(asks, lists.asks)) return undefined;
  // A side that shows fewer than the other shows all there are.
  return { ...lists, depth_limit: Math.max(1, lists.bids.size, lists.asks.size) };
}

function readTrade(
  fields: Record<string, unknown>,
  symbol: string,
  venue: string,
  received_us: number,
): Trade | string {
  const { trade_id, timestamp, is_buyer_maker } = fields;
  const price = decimalOf(fields.price);
  const quantity = decimalOf(fields.quantity);
  if (!price || price.text !== undefined) return "no price";
  if (!quantity) return "no quantity";
  if (!isId(timestamp)) return "no timestamp";
  const trade: Trade = {
    kind: "trade",
    venue,
    symbol,
    received_us,
    exchange_ms: timestamp,
    price: price.value,
    quantity: quantity.value,
  };
  if (quantity.text !== undefined) trade.exact_quantity = quantity.text;
  if (isId(trade_id)) trade.trade_id = trade_id;
  else if (typeof trade_id === "string") trade.venue_trade_id = trade_id;
  else if (trade_id !== undefined) return "no trade_id that makes sense";
  if (typeof is_buyer_maker === "boolean") trade.aggressor = is_buyer_maker ? "sell" : "buy";
  return trade;
}

export function isId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** A JSON number, or its text where it is long. */
export function decimalOf(value: unknown): { value: number; text?: string } | undefined {
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const read = readDecimal(String(value));
  return read && read.value >= 0 ? read : undefined;
}
