/**
 * Book levels from a scanned frame into a LevelList: rows `["price","quantity",…]` or objects with named fields, numbers
 * or texts. Prices are keys and must survive a double; quantities of more than 15 digits keep their text.
 */
import type { LevelList } from "../../market/level_list.ts";
import { MAX_LEVELS } from "../level_scanner.ts";
import { ARRAY, type JsonTape } from "./tape.ts";

/** Which two values of a row are the level; counted from 0. */
export interface LevelColumns {
  price: number;
  quantity: number;
}
export const PRICE_FIRST: LevelColumns = { price: 0, quantity: 1 };

/** Rows of arrays. False when `node` is no list of such rows. */
export function readRows(tape: JsonTape, node: number, list: LevelList, columns = PRICE_FIRST): boolean {
  list.clear();
  if (tape.kind(node) !== ARRAY) return false;
  const { price, quantity } = columns;
  // Values without parts are one node each, so a column is a distance; `pushLevel` refuses any other value there.
  const shortest = 1 + Math.max(price, quantity);
  for (let row = node + 1, end = tape.next(node); row < end; row = tape.next(row)) {
    if (tape.kind(row) !== ARRAY || tape.next(row) - row <= shortest) return false;
    if (!pushLevel(tape, row + 1 + price, row + 1 + quantity, list)) return false;
  }
  return true;
}

/** Rows of objects; the names tell which fields are the level. */
export function readNamedRows(
  tape: JsonTape,
  node: number,
  list: LevelList,
  price_name: string,
  quantity_name: string,
): boolean {
  list.clear();
  if (tape.kind(node) !== ARRAY) return false;
  for (let row = node + 1, end = tape.next(node); row < end; row = tape.next(row)) {
    // Two fields in the usual order, key and value each: no need to search.
    const in_order = tape.next(row) - row === 5 && tape.is(row + 1, price_name) &&
      tape.is(row + 3, quantity_name);
    const price = in_order ? row + 2 : tape.field(row, price_name);
    const quantity = in_order ? row + 4 : tape.field(row, quantity_name);
    if (!pushLevel(tape, price, quantity, list)) return false;
  }
  return true;
}

/** Appends one level; false when one of the two is no decimal of at least 0, or the price one that a double would bend. */
export function pushLevel(
  tape: JsonTape,
  price_node: number,
  quantity_node: number,
  list: LevelList,
): boolean {
  const price = tape.decimal(price_node);
  if (!(price >= 0) || tape.exact_text !== undefined || list.size >= MAX_LEVELS) return false;
  if (tape.decimals > list.price_decimals) list.noteDecimals(tape.significantDecimals(price_node), 0);
  const quantity = tape.decimal(quantity_node);
  if (!(quantity >= 0)) return false;
  if (tape.decimals > list.quantity_decimals) list.noteDecimals(0, tape.significantDecimals(quantity_node));
  if (tape.exact_text !== undefined) (list.exact_quantities ??= new Map()).set(list.size, tape.exact_text);
  list.push(price, quantity);
  return true;
}
