/**
 * Kraken's book checksum: CRC-32 over the ten best asks, then the ten best bids, best first; each level is its price and
 * its quantity fixed to the instrument's decimals, without the point and without leading zeros.
 * Source: Kraken WebSocket v2 guide "Book checksum"; vectors in tests/lib/feeds/kraken/checksum_test.ts.
 */
import { EXACT_MANTISSA_LIMIT, formatDecimal, POWERS_OF_TEN } from "../../base/decimal.ts";
import { crc32 } from "../../formats/crc32.ts";
import type { BookSide } from "../../market/book_side.ts";
import type { BookPrecision } from "../../market/event.ts";
import type { BookView } from "../../market/order_book.ts";

const LEVELS = 10;
const ZERO = 48;
/** Two sides of ten levels of two numbers; a double has at most 309 digits before the point and we print 22 after it. */
const text = new Uint8Array(2 * LEVELS * 2 * 340);

/** Unsigned; NaN without precision, which fits nothing. */
export function krakenChecksum(book: BookView, precision: BookPrecision | undefined): number {
  if (precision === undefined) return NaN;
  return crc32(text, writeSide(book.bids, precision, writeSide(book.asks, precision, 0)));
}

function writeSide(side: BookSide, { price_decimals, quantity_decimals }: BookPrecision, at: number): number {
  for (let i = 0, count = Math.min(LEVELS, side.size); i < count; i++) {
    at = writeDigits(side.price(i), undefined, price_decimals, at);
    at = writeDigits(side.quantity(i), side.exactQuantity(i), quantity_decimals, at);
  }
  return at;
}

/** The digits of `value` × 10^decimals; returns the position after them. */
function writeDigits(value: number, exact: string | undefined, decimals: number, at: number): number {
  // Up to 15 digits: the product is off by less than a half, so rounding gives the very integer.
  const mantissa = Math.round(value * POWERS_OF_TEN[decimals]);
  if (exact !== undefined || !(mantissa < EXACT_MANTISSA_LIMIT)) return writeLong(value, exact, decimals, at);
  const high = Math.floor(mantissa / 1e8);
  if (high === 0) return writeSmall(mantissa, at);
  at = writeSmall(high, at);
  let low = mantissa - high * 1e8;
  for (let i = at + 7; i >= at; i--) {
    text[i] = ZERO + low % 10;
    low = (low / 10) | 0;
  }
  return at + 8;
}

/** A positive integer below 2^31, without leading zeros; nothing for 0. */
function writeSmall(value: number, at: number): number {
  let end = at;
  for (let rest = value; rest > 0; rest = (rest / 10) | 0) end++;
  for (let i = end - 1; value > 0; i--) {
    text[i] = ZERO + value % 10;
    value = (value / 10) | 0;
  }
  return end;
}

function writeLong(value: number, exact: string | undefined, decimals: number, at: number): number {
  const [whole, fraction = ""] = (exact ?? formatDecimal(value)).split(".");
  const digits = (whole + fraction.padEnd(decimals, "0").slice(0, decimals)).replace(/^0+/, "");
  for (let i = 0; i < digits.length && at < text.length; i++) text[at++] = digits.charCodeAt(i);
  return at;
}
