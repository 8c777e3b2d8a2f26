/**
 * Updates as rows of the tables that the sink keeps. A row is complete when it is made: what it came from may change
 * afterwards. What is not known has no column in the row.
 */
import type { Candle, Quote, Ticker, Trade } from "../../market/event.ts";
import type { BookUpdate, MarketUpdate } from "../../market/update.ts";

export interface Row {
  readonly table: TableName;
  /** Indexed texts, in the order written. */
  readonly symbols: readonly (readonly [string, string])[];
  readonly floats: readonly (readonly [string, number])[];
  readonly integers: readonly (readonly [string, number])[];
  readonly texts: readonly (readonly [string, string])[];
  readonly flags: readonly (readonly [string, boolean])[];
  /** When we received it, Unix epoch, whole microseconds. */
  readonly received_us: number;
  /** The designated timestamp, Unix epoch, whole microseconds; written in ns. */
  readonly at_us: number;
}

export type TableName = "trades" | "quotes" | "book_tops" | "book_levels" | "candles" | "tickers";

/** Columns by type as SQL knows them, and the keys by which a repeated row replaces the first. */
interface Table {
  readonly columns: Readonly<Record<string, string>>;
  readonly keys: readonly string[];
}

const typed = (type: string, ...names: string[]) => Object.fromEntries(names.map((name) => [name, type]));
const HEAD = { timestamp: "TIMESTAMP", ...typed("SYMBOL", "venue", "symbol") };
const TICKER_FLOATS = [
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
const TICKER_INTEGERS = [
  "open_time_ms",
  "close_time_ms",
  "first_trade_id",
  "last_trade_id",
  "trade_count",
] as const;
const QUOTE_FLOATS = ["bid", "bid_quantity", "ask", "ask_quantity"] as const;
const CANDLE_FLOATS = ["open", "high", "low", "close", "volume", "quote_volume"] as const;

export const TABLES: Readonly<Record<TableName, Table>> = {
  trades: {
    columns: {
      ...HEAD,
      side: "SYMBOL",
      ...typed("DOUBLE", "price", "quantity"),
      trade_id: "LONG",
      ...typed("VARCHAR", "trade_key", "exact_quantity"),
      received: "TIMESTAMP",
    },
    keys: ["timestamp", "venue", "symbol", "trade_id", "trade_key"],
  },
  quotes: {
    columns: { ...HEAD, ...typed("DOUBLE", ...QUOTE_FLOATS), update_id: "LONG", received: "TIMESTAMP" },
    keys: ["timestamp", "venue", "symbol", "update_id"],
  },
  book_tops: {
    columns: { ...HEAD, ...typed("DOUBLE", ...QUOTE_FLOATS), last_update_id: "LONG", received: "TIMESTAMP" },
    keys: ["timestamp", "venue", "symbol", "last_update_id"],
  },
  book_levels: {
    columns: {
      ...HEAD,
      side: "SYMBOL",
      ...typed("DOUBLE", "price", "quantity"),
      ...typed("LONG", "level", "last_update_id"),
      exact_quantity: "VARCHAR",
      received: "TIMESTAMP",
    },
    keys: ["timestamp", "venue", "symbol", "last_update_id", "side", "level"],
  },
  candles: {
    columns: {
      ...HEAD,
      interval: "SYMBOL",
      ...typed("DOUBLE", ...CANDLE_FLOATS),
      ...typed("LONG", "close_time_ms", "trade_count"),
      closed: "BOOLEAN",
      received: "TIMESTAMP",
    },
    keys: ["timestamp", "venue", "symbol", "interval"],
  },
  tickers: {
    columns: {
      ...HEAD,
      ...typed("DOUBLE", ...TICKER_FLOATS),
      ...typed("LONG", ...TICKER_INTEGERS),
      received: "TIMESTAMP",
    },
    keys: ["timestamp", "venue", "symbol"],
  },
};

/** The statement that makes a table unless it is there. */
export function createTable(name: TableName, prefix: string): string {
  const { columns, keys } = TABLES[name];
  const list = Object.entries(columns).map(([column, type]) => `"${column}" ${type}`).join(", ");
  return `CREATE TABLE IF NOT EXISTS "${prefix}${name}" (${list}) ` +
    `TIMESTAMP("timestamp") PARTITION BY DAY WAL DEDUP UPSERT KEYS(${
      keys.map((key) => `"${key}"`).join(", ")
    })`;
}

interface RowParts {
  symbols?: Row["symbols"];
  floats?: Row["floats"];
  integers?: Row["integers"];
  texts?: Row["texts"];
  flags?: Row["flags"];
  time_ms?: number;
}

function row(table: TableName, update: MarketUpdate, parts: RowParts): Row {
  const { venue, symbol, received_us } = update;
  const { symbols = [], floats = [], integers = [], texts = [], flags = [], time_ms } = parts;
  const known_ms = time_ms ?? ("exchange_ms" in update ? update.exchange_ms : undefined) ??
    ("sent_ms" in update ? update.sent_ms : undefined);
  return {
    table,
    symbols: [["venue", venue], ["symbol", symbol], ...symbols],
    floats,
    integers,
    texts,
    flags,
    received_us: Math.floor(received_us),
    at_us: known_ms === undefined ? Math.floor(received_us) : Math.round(known_ms * 1_000),
  };
}

/** Those of the named fields that are known. */
function known<From extends MarketUpdate>(
  from: From,
  names: readonly (keyof From & string)[],
): [string, number][] {
  const found: [string, number][] = [];
  for (const name of names) {
    const value = from[name];
    if (typeof value === "number") found.push([name, value]);
  }
  return found;
}

/** `unnumbered_key` names a trade that its venue does not number, unlike any other. */
export function tradeRow(trade: Trade, unnumbered_key: () => string): Row {
  const { aggressor, trade_id, exact_quantity } = trade;
  const texts: [string, string][] = [];
  if (trade_id === undefined) texts.push(["trade_key", trade.venue_trade_id ?? unnumbered_key()]);
  if (exact_quantity !== undefined) texts.push(["exact_quantity", exact_quantity]);
  return row("trades", trade, {
    symbols: aggressor === undefined ? [] : [["side", aggressor]],
    floats: known(trade, ["price", "quantity"]),
    integers: known(trade, ["trade_id"]),
    texts,
  });
}

/** Undefined for a quote without any side. */
export function quoteRow(quote: Quote): Row | undefined {
  const floats = known(quote, QUOTE_FLOATS);
  return floats.length === 0
    ? undefined
    : row("quotes", quote, { floats, integers: known(quote, ["update_id"]) });
}

export function bookTopRow(update: BookUpdate): Row {
  const { bids, asks } = update.book;
  const floats: [string, number][] = [];
  if (bids.known > 0) floats.push(["bid", bids.price(0)], ["bid_quantity", bids.quantity(0)]);
  if (asks.known > 0) floats.push(["ask", asks.price(0)], ["ask_quantity", asks.quantity(0)]);
  return row("book_tops", update, { floats, integers: known(update, ["last_update_id"]) });
}

/** One row a level, best first, none beyond the known depth; `level` 0 is the best. */
export function bookLevelRows(update: BookUpdate, depth: number): Row[] {
  const rows: Row[] = [];
  for (const side_name of ["bid", "ask"] as const) {
    const side = side_name === "bid" ? update.book.bids : update.book.asks;
    for (let level = 0, count = Math.min(depth, side.known); level < count; level++) {
      const exact = side.exactQuantity(level);
      rows.push(row("book_levels", update, {
        symbols: [["side", side_name]],
        floats: [["price", side.price(level)], ["quantity", side.quantity(level)]],
        integers: [["level", level], ["last_update_id", update.last_update_id]],
        texts: exact === undefined ? [] : [["exact_quantity", exact]],
      }));
    }
  }
  return rows;
}

/** A forming candle is written again and again under its opening time: the last state stays. */
export function candleRow(candle: Candle): Row {
  return row("candles", candle, {
    symbols: [["interval", candle.interval]],
    floats: known(candle, CANDLE_FLOATS),
    integers: known(candle, ["close_time_ms", "trade_count"]),
    flags: [["closed", candle.closed]],
    time_ms: candle.open_time_ms,
  });
}

export function tickerRow(ticker: Ticker): Row {
  return row("tickers", ticker, {
    floats: known(ticker, TICKER_FLOATS),
    integers: known(ticker, TICKER_INTEGERS),
  });
}
