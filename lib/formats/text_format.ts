/**
 * Which text format a file has, told by its extension alone, in any case. Contents are never guessed at.
 */
import type { Dialect } from "./json5/lexer.ts";

export type TextFormat = "yaml" | Dialect;

const FORMATS: Readonly<Record<string, TextFormat>> = {
  ".yaml": "yaml",
  ".yml": "yaml",
  ".json5": "json5",
  ".j5": "json5",
  ".jsonc": "jsonc",
  ".json": "json",
};

/** The dot and what follows in the last name of a path; empty without one. */
export function extensionOf(path: string): string {
  return /\.[^./\\]*$/.exec(path)?.[0] ?? "";
}

export function textFormatOf(path: string): TextFormat | undefined {
  return FORMATS[extensionOf(path).toLowerCase()];
}
