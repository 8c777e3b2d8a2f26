/**
 * The tables, once for every database: columns in the order of a row's text, and the natural key that makes a row that
 * comes twice the same row. `time` comes first in each: the day of a row is the first ten characters of its text.
 * Prices and quantities are decimals, kept digit for digit.
 */

/** `decimal`: exact, any length. `levels`: `{{price,quantity},…}` best first, decimals. `time`: microseconds, UTC. */
export type ColumnType = "time" | "text" | "integer" | "decimal" | "boolean" | "levels";

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  /** Absent in the source is NULL here, never 0. */
  readonly optional?: true;
}

/** What may be lost first when there is no room: states that soon are replaced, before facts that never come again. */
export type Priority = "state" | "fact";

export interface Table {
  readonly name: TableName;
  readonly columns: readonly Column[];
  /** Begins with what queries ask for; `time` is part of it, as partitions need. */
  readonly key: readonly string[];
  readonly priority: Priority;
}

export const TABLE_NAMES = ["trades", "candles", "book_status", "quotes", "tickers", "books"] as const;
export type TableName = typeof TABLE_NAMES[number];

const column = (type: ColumnType) => (name: string): Column => ({ name, type });
const optional = (type: ColumnType) => (name: string): Column => ({ name, type, optional: true });
const time = column("time");
const text = column("text");
const integer = column("integer");
const decimal = column("decimal");
const HEAD: readonly Column[] = [time("time"), text("venue"), text("symbol")];
const RECEIVED = time("received_time");
/** The venue's id as text; where it gives none, what tells rows of one time apart. */
const ROW_KEY = text("row_key");

const ticker_decimals = [
  "price_change",
  "price_change_percent",
  "weighted_average_price",
  "last_price",
  "last_quantity",
  "bid_price",
  "bid_quantity",
  "ask_price",
  "ask_quantity",
  "open_price",
  "high_price",
  "low_price",
  "volume",
  "quote_volume",
] as const;
const ticker_integers = ["first_trade_id", "last_trade_id", "trade_count"] as const;
export const TICKER_COLUMNS = { decimals: ticker_decimals, integers: ticker_integers };

const table = (
  name: TableName,
  priority: Priority,
  key: readonly string[],
  columns: readonly Column[],
): Table => ({ name, priority, key, columns: [...HEAD, ...columns, RECEIVED] });

export const TABLES: readonly Table[] = [
  table("trades", "fact", ["venue", "symbol", "time", "row_key"], [
    optional("integer")("trade_id"),
    optional("text")("venue_trade_id"),
    decimal("price"),
    decimal("quantity"),
    optional("text")("aggressor"),
    optional("integer")("first_fill_id"),
    optional("integer")("last_fill_id"),
    optional("time")("sent_time"),
    ROW_KEY,
  ]),
  table("candles", "fact", ["venue", "symbol", "interval", "time"], [
    text("interval"),
    time("close_time"),
    decimal("open"),
    decimal("high"),
    decimal("low"),
    decimal("close"),
    decimal("volume"),
    optional("decimal")("quote_volume"),
    optional("integer")("trade_count"),
  ]),
  table("book_status", "fact", ["venue", "symbol", "time", "in_sync"], [
    column("boolean")("in_sync"),
    text("reason"),
    optional("integer")("missing_from_id"),
    optional("integer")("missing_to_id"),
    optional("decimal")("out_of_sync_ms"),
  ]),
  table("quotes", "state", ["venue", "symbol", "time", "row_key"], [
    optional("integer")("update_id"),
    optional("decimal")("bid"),
    optional("decimal")("bid_quantity"),
    optional("decimal")("ask"),
    optional("decimal")("ask_quantity"),
    ROW_KEY,
  ]),
  table("tickers", "state", ["venue", "symbol", "time"], [
    ...ticker_decimals.map(optional("decimal")),
    optional("time")("open_time"),
    optional("time")("close_time"),
    ...ticker_integers.map(optional("integer")),
  ]),
  table("books", "state", ["venue", "symbol", "time", "last_update_id"], [
    integer("last_update_id"),
    column("levels")("bids"),
    column("levels")("asks"),
  ]),
];

/** The table of this name, which must be one. */
export function tableOf(name: string): Table {
  const found = TABLES.find((one) => one.name === name);
  if (!found) throw new RangeError(`find table "${name}": unknown, want one of ${TABLE_NAMES.join(", ")}`);
  return found;
}
