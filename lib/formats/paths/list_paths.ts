/**
 * Every place of a located document, in document order, and the one at a given path. Null and false are values like
 * any other. Works on its own stack; YAML aliases are walked as often as they stand there (the reader has bounded that).
 */
import { quoted, UserError } from "../../base/errors.ts";
import { entryOf, type LocatedValue } from "../located.ts";
import { jqOf, type Path } from "./notation.ts";

export interface PathEntry {
  path: Path;
  value: LocatedValue;
  type: "object" | "array" | "string" | "number" | "boolean" | "null";
}

export function* listPaths(root: LocatedValue): Generator<PathEntry> {
  const pending: { path: Path; value: LocatedValue }[] = [{ path: [], value: root }];
  for (let next = pending.pop(); next; next = pending.pop()) {
    const { path, value } = next;
    yield { path, value, type: typeOf(value) };
    if (value.kind === "sequence") {
      for (let i = value.items.length - 1; i >= 0; i--) {
        pending.push({ path: [...path, i], value: value.items[i] });
      }
    } else if (value.kind === "mapping") {
      for (let i = value.entries.length - 1; i >= 0; i--) {
        const { key, value: inner } = value.entries[i];
        pending.push({ path: [...path, key], value: inner });
      }
    }
  }
}

export function typeOf(value: LocatedValue): PathEntry["type"] {
  if (value.kind === "mapping") return "object";
  if (value.kind === "sequence") return "array";
  if (value.value === null) return "null";
  const type = typeof value.value;
  return type === "bigint" ? "number" : type as "string" | "number" | "boolean";
}

/** The value at `path`; a UserError says which step fails. A negative index counts from the end, as in jq. */
export function resolvePath(root: LocatedValue, path: Path): LocatedValue {
  let value = root;
  path.forEach((step, i) => {
    const next = childOf(value, step);
    if (next === undefined) {
      const held = value.kind === "sequence" ? `array of ${value.items.length}` : typeOf(value);
      throw new UserError(
        `get ${quoted(jqOf(path), 200)}: no ${quoted(String(step))} in the ${held} at ${
          quoted(jqOf(path.slice(0, i)), 200)
        }`,
      );
    }
    value = next;
  });
  return value;
}

function childOf(value: LocatedValue, step: string | number): LocatedValue | undefined {
  if (value.kind === "mapping") return entryOf(value, String(step))?.value;
  if (value.kind !== "sequence") return undefined;
  if (typeof step === "number") return value.items.at(step);
  return /^(0|[1-9]\d*)$/.test(step) ? value.items[Number(step)] : undefined;
}

/** A value as one line of JSON; big integers keep their digits, what JSON lacks is shown by its YAML/JSON5 word. */
export function compactJson(root: LocatedValue): string {
  const parts: string[] = [];
  const pending: (string | LocatedValue)[] = [root];
  for (let next = pending.pop(); next !== undefined; next = pending.pop()) {
    if (typeof next === "string") parts.push(next);
    else if (next.kind === "scalar") {
      parts.push(typeof next.value === "string" ? JSON.stringify(next.value) : numberText(next.value));
    } else if (next.kind === "sequence") {
      pending.push("]");
      for (let i = next.items.length - 1; i >= 0; i--) pending.push(next.items[i], i > 0 ? "," : "");
      pending.push("[");
    } else {
      pending.push("}");
      for (let i = next.entries.length - 1; i >= 0; i--) {
        const { key, value } = next.entries[i];
        pending.push(value, `${i > 0 ? "," : ""}${JSON.stringify(key)}:`);
      }
      pending.push("{");
    }
  }
  return parts.join("");
}

function numberText(value: number | bigint | boolean | null): string {
  return Object.is(value, -0) ? "-0" : String(value);
}
