/**
 * Messages of the WebSocket protocol, version 1 (servers/restream/README.md), as JSON values whose numbers are exact: a
 * number that a double would not give back keeps its text beside it. Pure reading; what a message means is decided by
 * its owner.
 */
import { formatDecimal, readDecimal } from "../../base/decimal.ts";
import type { LevelList } from "../../market/level_list.ts";

/** A number of more than 15 significant digits. */
export class LongNumber {
  constructor(readonly value: number, readonly text: string) {}
}
export type JsonNumber = number | LongNumber;
export type Level = readonly [JsonNumber, JsonNumber];

/** Fields of all messages together; which of them are there depends on `type`. */
export interface Message {
  readonly type: string;
  readonly venue?: string;
  readonly symbol?: string;
  readonly channel?: string;
  readonly seq?: number;
  readonly [field: string]: unknown;
}

/** Such a run of digits may be a number that a double does not hold; anything shorter surely is not. */
const LONG_DIGITS = /\d[\d.]{15}/;
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
const keepLong: Reviver = (_key, value, { source }) => {
  if (typeof value !== "number" || source === undefined || source.length < 16) return value;
  // Ids have sixteen digits too, and a double holds those.
  if (Number.isSafeInteger(value) && /^-?\d+$/.test(source)) return value;
  const read = readDecimal(source);
  return read?.text === undefined ? value : new LongNumber(value, read.text);
};

/** @throws an Error that says what is wrong with the text */
export function readMessage(text: string): Message {
  const value: unknown = LONG_DIGITS.test(text)
    ? JSON.parse(text, keepLong as (key: string, value: unknown) => unknown)
    : JSON.parse(text);
  if (typeof value !== "object" || value === null || typeof (value as Message).type !== "string") {
    throw new Error("no object with a type");
  }
  return value as Message;
}

export const valueOf = (number: JsonNumber) => typeof number === "number" ? number : number.value;
export const textOf = (number: JsonNumber) => typeof number === "number" ? undefined : number.text;

/** @throws an Error when a level is no pair of numbers */
export function readLevels(levels: unknown, list: LevelList): void {
  if (!Array.isArray(levels)) throw new Error("levels are no list");
  let price_decimals = 0;
  let quantity_decimals = 0;
  for (const level of levels) {
    const [price, quantity] = level as Level;
    if (!isNumber(price) || !isNumber(quantity)) throw new Error("a level is no pair of numbers");
    const text = textOf(quantity);
    if (text !== undefined) (list.exact_quantities ??= new Map()).set(list.size, text);
    list.push(valueOf(price), valueOf(quantity));
    price_decimals = Math.max(price_decimals, decimalsOf(valueOf(price)));
    quantity_decimals = Math.max(quantity_decimals, decimalsOf(valueOf(quantity)));
  }
  list.noteDecimals(price_decimals, quantity_decimals);
}

export function isNumber(value: unknown): value is JsonNumber {
  return typeof value === "number" || value instanceof LongNumber;
}

function decimalsOf(value: number): number {
  if (Number.isInteger(value)) return 0;
  const text = formatDecimal(value);
  return text.length - text.indexOf(".") - 1;
}
