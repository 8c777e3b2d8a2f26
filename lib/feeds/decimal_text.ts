/**
 * Decimals and integers that stand as plain digits in frame bytes, read without making a string. What the narrow form
 * does not cover (signs, exponents, more than 15 digits) goes through base/decimal.ts and keeps its text.
 */
import { EXACT_MANTISSA_LIMIT, POWERS_OF_TEN, readDecimal } from "../base/decimal.ts";

const ZERO = 48;
const NINE = 57;
const POINT = 46;
const LONGEST_DECIMAL = 64;
const LONGEST_INTEGER = 16;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class DecimalText {
  /** Of the last `read`: set only when the double would not give the text back. */
  exact_text: string | undefined;
  /** Of the last `read`: digits after the point. */
  decimals = 0;

  /** The decimal in bytes[start, end); NaN when it is none. */
  read(bytes: Uint8Array, start: number, end: number): number {
    this.exact_text = undefined;
    let p = start;
    let mantissa = 0;
    let code = 0;
    while (p < end && (code = bytes[p]) >= ZERO && code <= NINE) {
      mantissa = mantissa * 10 + (code - ZERO);
      p++;
    }
    if (p === start) return this.#readLong(bytes, start, end);
    const point = p;
    if (p < end && code === POINT) {
      p++;
      while (p < end && (code = bytes[p]) >= ZERO && code <= NINE) {
        mantissa = mantissa * 10 + (code - ZERO);
        p++;
      }
    }
    this.decimals = p > point ? p - point - 1 : 0;
    return p === end && this.decimals <= 22 && mantissa < EXACT_MANTISSA_LIMIT
      ? mantissa / POWERS_OF_TEN[this.decimals]
      : this.#readLong(bytes, start, end);
  }
  /** `decimals` without trailing zeros. Only right after `read` with the same end. */
  significantDecimals(bytes: Uint8Array, end: number): number {
    let used = this.decimals;
    for (let last = end - 1; used > 0 && bytes[last] === ZERO; last--) used--;
    return used;
  }

  #readLong(bytes: Uint8Array, start: number, end: number): number {
    this.decimals = 0;
    if (end - start > LONGEST_DECIMAL) return NaN;
    const read = readDecimal(decoder.decode(bytes.subarray(start, end)));
    if (read === undefined) return NaN;
    this.exact_text = read.text;
    this.decimals = Math.min(read.decimals, 22);
    return read.value;
  }
}

/** The integer below 2^53 in bytes[start, end); NaN when it is none. */
export function readInteger(bytes: Uint8Array, start: number, end: number): number {
  if (start >= end || end - start > LONGEST_INTEGER) return NaN;
  let value = 0;
  for (let p = start; p < end; p++) {
    const digit = bytes[p] - ZERO;
    if (digit < 0 || digit > 9) return NaN;
    value = value * 10 + digit;
  }
  return value <= Number.MAX_SAFE_INTEGER ? value : NaN;
}
