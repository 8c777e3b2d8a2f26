/**
 * YAML as lines that can be moved: a mapping is a list of entries, each with the lines above it and its own lines as they
 * were written, so merging files keeps spelling, quotes and comments byte by byte. All columns are relative to the
 * entry's key. A mapping's inner mappings are taken apart as well; sequences and scalars stay whole.
 */
import type { LocatedValue } from "../located.ts";
import type { SourceText } from "../source_text.ts";

/** Where an entry comes from: a place in a text, or a path when its key is a file or folder name. */
export type Place = { source: SourceText; offset: number } | { path: string };

export type Body =
  /** `rest` is what stands behind the key's colon: properties and a comment. */
  | { kind: "map"; rest: string; map: BlockMap }
  /** `lines` begin with the dash at column 2. */
  | { kind: "sequence"; rest: string; lines: string[]; value: LocatedValue }
  /** A scalar, alias or flow collection: its first line behind the colon, further ones at column 2 or more. */
  | { kind: "inline"; rest: string; lines: string[]; value: LocatedValue; open?: () => Opened }
  /** A layout that is not taken apart, key included: explicit keys, properties on a line of their own. */
  | { kind: "opaque"; lines: string[]; value: LocatedValue };

/** A flow collection in block layout. */
export type Opened = Extract<Body, { kind: "map" | "sequence" }>;

export interface BlockEntry {
  readonly key: string;
  /** The key as written, with its anchor and tag, without the colon. */
  head: string;
  /** Comments and blank lines above, without indentation. */
  lead: string[];
  body: Body;
  place: Place;
}

export class BlockMap {
  readonly entries = new Map<string, BlockEntry>();
  /** Comments and blank lines behind the last entry, without indentation. */
  tail: string[] = [];

  get size(): number {
    return this.entries.size;
  }
}

export const INDENT = 2;

/** The number of spaces that the line begins with. */
export function columnOf(line: string): number {
  let column = 0;
  while (line.charCodeAt(column) === 32) column++;
  return column;
}

/** Blank or only a comment. */
export function isTrivia(line: string): boolean {
  return /^[ \t]*(#|$)/.test(line);
}

/** Without the blanks (space, tab: no others to YAML) around it; an escaped one at the end stays. */
export function trimmed(text: string): string {
  return text.replace(/^[ \t]+|(?<!\\|[ \t])[ \t]+$/g, "");
}

/** The anchor and tag that a value's first line begins with. */
export function propertiesOf(rest: string): string {
  return trimmed(/^(?:[&!]\S*(?:[ \t]+|$))*/.exec(rest)![0]);
}

/** The line with `delta` more (or fewer) leading spaces, at least `least`; an empty line stays empty. */
export function moved(line: string, delta: number, least = 0): string {
  if (line === "") return "";
  const column = columnOf(line);
  return " ".repeat(Math.max(least, column + delta)) + line.slice(column);
}

/** The lines of an entry, its lead included, the key at `column`. */
export function* entryLines(entry: BlockEntry, column: number): Generator<string> {
  const { body } = entry;
  const pad = " ".repeat(column);
  for (const line of entry.lead) yield line === "" ? "" : pad + line;
  if (body.kind !== "opaque") yield `${pad}${entry.head}:${body.rest === "" ? "" : ` ${body.rest}`}`;
  if (body.kind === "map") yield* mapLines(body.map, column + INDENT);
  else for (const line of body.lines) yield moved(line, column);
}

export function* mapLines(map: BlockMap, column: number): Generator<string> {
  for (const entry of map.entries.values()) yield* entryLines(entry, column);
  for (const line of map.tail) yield line === "" ? "" : " ".repeat(column) + line;
}

/** Without the blank lines at its beginning. */
export function withoutFirstBlanks(lines: readonly string[]): string[] {
  const first = lines.findIndex((line) => trimmed(line) !== "");
  return lines.slice(first < 0 ? lines.length : first);
}

/** Without the blank lines at its end. */
export function withoutLastBlanks(lines: readonly string[]): string[] {
  let end = lines.length;
  while (end > 0 && trimmed(lines[end - 1]) === "") end--;
  return lines.slice(0, end);
}
