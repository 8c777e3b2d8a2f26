/** Rows to a LevelList and a BookSide to rows, for tests. */
import type { BookSide } from "../../../lib/market/book_side.ts";
import { LevelList } from "../../../lib/market/level_list.ts";
import { readLevels } from "../../../lib/feeds/level_scanner.ts";
import type { Row } from "./naive_side.ts";

export function listOf(
  rows: readonly (readonly [price: number, quantity: number, exact?: string])[],
): LevelList {
  const list = new LevelList(1);
  rows.forEach(([price, quantity, exact], i) => {
    if (exact !== undefined) (list.exact_quantities ??= new Map()).set(i, exact);
    list.push(price, quantity);
  });
  return list;
}

/** From texts, as the feeds read them: decimals noted. */
export function listOfTexts(rows: readonly (readonly [price: string, quantity: string])[]): LevelList {
  const list = new LevelList(1);
  if (!readLevels(rows, list)) throw new Error(`no levels: ${JSON.stringify(rows)}`);
  return list;
}

/** Best first. */
export function rowsOf(side: BookSide): Row[] {
  return Array.from(
    { length: side.size },
    (_, i) => [side.price(i), side.quantity(i), side.exactQuantity(i)],
  );
}
