/** What feeds read from REST answers: parsed once, then looked at with care; a missing field is absent. */
import { formatDecimal, readDecimal } from "../base/decimal.ts";

export type JsonObject = Record<string, unknown>;

/** The one object that the body is; an error text when it is none. */
export function restObject(body: Uint8Array, what: string): JsonObject | string {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(body));
  } catch {
    return `${what}: not JSON`;
  }
  return isObject(value) ? value : `${what}: not an object`;
}
export function isObject(value: unknown): value is JsonObject {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
/** The objects of a list; empty when it is none. */
export function objects(value: unknown): JsonObject[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
export function textOf(value: unknown): string | undefined {
  return typeof value === "string" && value !== "" ? value : undefined;
}
/** An exact decimal of more than 0 as the venue writes it, as text or number. */
export function decimalTextOf(value: unknown): string | undefined {
  const text = typeof value === "number" ? formatDecimal(value) : textOf(value);
  const read = text === undefined ? undefined : readDecimal(text);
  return read && read.value > 0 ? text : undefined;
}
