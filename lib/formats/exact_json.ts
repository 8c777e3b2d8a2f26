/**
 * Plain values as compact JSON with exact numbers: never an exponent, and a number that a double would not give back is
 * printed from its text. What is undefined is left out.
 */
import { formatDecimal } from "../base/decimal.ts";

/** A number by its digits. */
export class ExactNumber {
  constructor(readonly text: string) {}
}

export type ExactValue =
  | number
  | string
  | boolean
  | ExactNumber
  | readonly ExactValue[]
  | { readonly [name: string]: ExactValue | undefined };

export function exactJson(value: ExactValue): string {
  if (typeof value === "number") return formatDecimal(value);
  if (typeof value !== "object") return JSON.stringify(value);
  if (value instanceof ExactNumber) return value.text;
  if (Array.isArray(value)) return `[${value.map(exactJson).join(",")}]`;
  const fields = Object.entries(value as { [name: string]: ExactValue | undefined })
    .flatMap(([name, one]) => one === undefined ? [] : [`${JSON.stringify(name)}:${exactJson(one)}`]);
  return `{${fields.join(",")}}`;
}
