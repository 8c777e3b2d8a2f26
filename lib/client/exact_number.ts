/**
 * Numbers of messages as they were written: a decimal of up to 15 significant digits is a double, a longer one keeps
 * its text beside it (base/decimal.ts says why that is exact).
 */
import { EXACT_MANTISSA_LIMIT, formatDecimal, POWERS_OF_TEN, readDecimal } from "../base/decimal.ts";

/** A number of more than 15 significant digits. */
export class LongNumber {
  constructor(readonly value: number, readonly text: string) {}
}
export type ExactNumber = number | LongNumber;

export const valueOf = (number: ExactNumber) => typeof number === "number" ? number : number.value;
/** Undefined where the double says it all. */
export const textOf = (number: ExactNumber) => typeof number === "number" ? undefined : number.text;

export function isNumber(value: unknown): value is ExactNumber {
  return typeof value === "number" || value instanceof LongNumber;
}
/** Undefined when the text is no finite decimal. */
export function exactNumber(text: string): ExactNumber | undefined {
  const read = readDecimal(text);
  if (read === undefined) return undefined;
  return read.text === undefined ? read.value : new LongNumber(read.value, read.text);
}
/** units / 10^decimals; undefined where that is too near to 0 for a double. `units` is a safe integer. */
export function scaled(units: number, decimals: number): ExactNumber | undefined {
  // `+ 0`: a negative zero is none.
  if (Math.abs(units) < EXACT_MANTISSA_LIMIT && decimals < POWERS_OF_TEN.length) {
    return units / POWERS_OF_TEN[decimals] + 0;
  }
  return exactNumber(`${units}e-${decimals}`);
}
/** Digits after the point, trailing zeros not counted. */
export function decimalsOf(value: number): number {
  if (Number.isInteger(value)) return 0;
  const text = formatDecimal(value);
  return text.length - text.indexOf(".") - 1;
}
