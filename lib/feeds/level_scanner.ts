/**
 * Reads `[["price","quantity"],…]` straight from frame bytes into a LevelList: no string, no object per level. Digits are
 * gathered as an exact integer and divided once by a power of ten, which rounds correctly (base/decimal.ts).
 * What the narrow form does not cover (white space, exponents, long numbers, extra columns) goes through JSON.parse once.
 */
import { EXACT_MANTISSA_LIMIT, POWERS_OF_TEN, readDecimal } from "../base/decimal.ts";
import type { LevelList } from "../market/level_list.ts";

const QUOTE = 34;
const COMMA = 44;
const POINT = 46;
const OPEN = 91;
const CLOSE = 93;

/** More levels than any venue sends in one message; a hostile frame must not cost memory without end. */
export const MAX_LEVELS = 100_000;

/** `at` is the position of `[`. Returns the position after the closing `]`, or −1 when the form is not the narrow one. */
export function scanLevels(frame: Uint8Array, at: number, end: number, list: LevelList): number {
  list.clear();
  if (frame[at] !== OPEN) return -1;
  let p = at + 1;
  if (frame[p] === CLOSE) return p + 1;
  let { prices, quantities } = list;
  let price_decimals = 0;
  let quantity_decimals = 0;
  let size = 0;
  for (;;) {
    if (frame[p] !== OPEN || frame[p + 1] !== QUOTE || size >= MAX_LEVELS) return -1;
    p += 2;
    let mantissa = 0;
    let decimals = 0;
    let first = p;
    let code = frame[p];
    while (code >= 48 && code <= 57) {
      mantissa = mantissa * 10 + (code - 48);
      code = frame[++p];
    }
    if (p === first) return -1;
    if (code === POINT) {
      first = ++p;
      code = frame[p];
      while (code >= 48 && code <= 57) {
        mantissa = mantissa * 10 + (code - 48);
        code = frame[++p];
      }
      decimals = p - first;
    }
    if (code !== QUOTE || mantissa >= EXACT_MANTISSA_LIMIT || decimals > 22) return -1;
    if (decimals > price_decimals) {
      let last = p - 1;
      let used = decimals;
      while (used > 0 && frame[last] === 48) {
        used--;
        last--;
      }
      if (used > price_decimals) price_decimals = used;
    }
    const price = mantissa / POWERS_OF_TEN[decimals];
    if (frame[p + 1] !== COMMA || frame[p + 2] !== QUOTE) return -1;
    p += 3;
    mantissa = 0;
    decimals = 0;
    first = p;
    code = frame[p];
    while (code >= 48 && code <= 57) {
      mantissa = mantissa * 10 + (code - 48);
      code = frame[++p];
    }
    if (p === first) return -1;
    if (code === POINT) {
      first = ++p;
      code = frame[p];
      while (code >= 48 && code <= 57) {
        mantissa = mantissa * 10 + (code - 48);
        code = frame[++p];
      }
      decimals = p - first;
    }
    if (code !== QUOTE || mantissa >= EXACT_MANTISSA_LIMIT || decimals > 22) return -1;
    if (decimals > quantity_decimals) {
      let last = p - 1;
      let used = decimals;
      while (used > 0 && frame[last] === 48) {
        used--;
        last--;
      }
      if (used > quantity_decimals) quantity_decimals = used;
    }
    if (frame[p + 1] !== CLOSE || p + 2 >= end) return -1;
    if (size === prices.length) {
      list.size = size;
      list.reserve(size + 1);
      ({ prices, quantities } = list);
    }
    prices[size] = price;
    quantities[size] = mantissa / POWERS_OF_TEN[decimals];
    size++;
    code = frame[p + 2];
    p += 3;
    if (code === COMMA) continue;
    if (code !== CLOSE) return -1;
    list.size = size;
    list.price_decimals = price_decimals;
    list.quantity_decimals = quantity_decimals;
    return p;
  }
}

/** The same from a parsed value of any legal JSON form. False when it is no list of [price, quantity, …] rows. */
export function readLevels(value: unknown, list: LevelList): boolean {
  list.clear();
  if (!Array.isArray(value) || value.length > MAX_LEVELS) return false;
  for (const row of value) {
    if (!Array.isArray(row) || row.length < 2) return false;
    const price = readQuantity(row[0]);
    const quantity = readQuantity(row[1]);
    // A price that a double cannot give back would be a lossy key: refuse the frame rather than merge two levels.
    if (!price || !quantity || price.text !== undefined || price.value < 0 || quantity.value < 0) {
      return false;
    }
    if (quantity.text !== undefined) (list.exact_quantities ??= new Map()).set(list.size, quantity.text);
    list.push(price.value, quantity.value);
    list.noteDecimals(Math.min(price.decimals, 22), Math.min(quantity.decimals, 22));
  }
  return true;
}

function readQuantity(value: unknown): { value: number; decimals: number; text?: string } | undefined {
  if (typeof value === "string") return readDecimal(value);
  return typeof value === "number" ? readDecimal(String(value)) : undefined;
}
