/**
 * Updates as rows of tables: trades, quotes, and books as changes of levels (a book told whole is rows of a snapshot).
 * Prices and quantities are the nearest doubles; a quantity with more digits has its text beside it.
 */
import type { Cell, TableShape } from "../formats/tables/table.ts";
import type { BookSide } from "../market/book_side.ts";
import type { LevelList } from "../market/level_list.ts";
import type { BookUpdate, MarketUpdate } from "../market/update.ts";

const HEAD = [
  { name: "venue", type: "text" },
  { name: "symbol", type: "text" },
  { name: "received_ns", type: "integer" },
  { name: "exchange_ms", type: "number" },
] as const;

export const TRADES: TableShape = {
  name: "trades",
  columns: [
    ...HEAD,
    { name: "trade_id", type: "text" },
    { name: "price", type: "number" },
    { name: "quantity", type: "number" },
    { name: "exact_quantity", type: "text" },
    { name: "aggressor", type: "text" },
  ],
};
export const QUOTES: TableShape = {
  name: "quotes",
  columns: [
    ...HEAD,
    { name: "update_id", type: "integer" },
    { name: "bid", type: "number" },
    { name: "bid_quantity", type: "number" },
    { name: "ask", type: "number" },
    { name: "ask_quantity", type: "number" },
  ],
};
export const BOOKS: TableShape = {
  name: "books",
  columns: [
    ...HEAD,
    { name: "update_id", type: "integer" },
    { name: "is_snapshot", type: "boolean" },
    { name: "side", type: "text" },
    { name: "price", type: "number" },
    { name: "quantity", type: "number" },
    { name: "exact_quantity", type: "text" },
  ],
};
export const TABLES: readonly TableShape[] = [TRADES, QUOTES, BOOKS];

/** Hands `add` the rows of an update; what belongs to no table has none. */
export function updateRows(
  update: MarketUpdate,
  add: (table: TableShape, cells: readonly Cell[]) => void,
): void {
  if (update.kind !== "trade" && update.kind !== "quote" && update.kind !== "book") return;
  const head = [update.venue, update.symbol, nanoseconds(update.received_us), update.exchange_ms];
  if (update.kind === "trade") {
    const { trade_id, venue_trade_id, price, quantity, exact_quantity, aggressor } = update;
    const id = trade_id === undefined ? venue_trade_id : String(trade_id);
    return add(TRADES, [...head, id, price, quantity, exact_quantity, aggressor]);
  }
  if (update.kind === "quote") {
    const { update_id, bid, bid_quantity, ask, ask_quantity } = update;
    return add(QUOTES, [...head, update_id, bid, bid_quantity, ask, ask_quantity]);
  }
  bookRows(update, head, add);
}

function bookRows(
  { book, delta, last_update_id }: BookUpdate,
  head: readonly Cell[],
  add: (table: TableShape, cells: readonly Cell[]) => void,
): void {
  const sides = [["bid", book.bids, delta?.bids], ["ask", book.asks, delta?.asks]] as const;
  for (const [name, side, changes] of sides) {
    const is_snapshot = changes === undefined;
    const { size } = changes ?? side;
    for (let i = 0; i < size; i++) {
      const [price, quantity, exact] = changes ? changeOf(changes, i) : levelOf(side, i);
      add(BOOKS, [...head, last_update_id, is_snapshot, name, price, quantity, exact]);
    }
  }
}
function changeOf(list: LevelList, i: number): [number, number, string | undefined] {
  return [list.prices[i], list.quantities[i], list.exact_quantities?.get(i)];
}
function levelOf(side: BookSide, i: number): [number, number, string | undefined] {
  return [side.price(i), side.quantity(i), side.exactQuantity(i)];
}
function nanoseconds(at_us: number): bigint {
  const whole = Math.floor(at_us);
  return BigInt(whole) * 1_000n + BigInt(Math.round((at_us - whole) * 1_000));
}
