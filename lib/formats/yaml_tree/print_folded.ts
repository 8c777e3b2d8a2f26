/**
 * A folded mapping as YAML text that has been read back: what was meant is compared with what a reader finds, so no text
 * leaves that means something else. Sections of the root stand apart by one blank line.
 */
import { UserError } from "../../base/errors.ts";
import type { LocatedValue } from "../located.ts";
import { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { composeYaml } from "../yaml/compose.ts";
import { locateDocument } from "../yaml/locate.ts";
import {
  type BlockEntry,
  BlockMap,
  entryLines,
  mapLines,
  withoutFirstBlanks,
  withoutLastBlanks,
} from "./block_tree.ts";
import { refuse } from "./merge.ts";

export function printFolded(map: BlockMap): string {
  spaceSections(map);
  protectKept(map);
  const lines = Array.from(mapLines(map, 0));
  if (map.size === 0) lines.push("{}");
  const text = `${lines.join("\n")}\n`;
  const source = new SourceText("<folded>", text);
  const difference = differenceTo(map, read(source, map), undefined);
  if (difference) {
    const reason =
      "this value means something else among the other files, as an alias does behind another anchor";
    refuse(difference.place, `${reason}: want it written out`);
  }
  return text;
}

function read(source: SourceText, map: BlockMap): LocatedValue {
  try {
    return locateDocument(source, composeYaml(source, { keep_tags: true }), { keep_tags: true });
  } catch (error) {
    if (!(error instanceof SyntaxFault)) throw error;
    const entry = entryAtLine(map, error.position.line);
    if (entry) return refuse(entry.place, `this value cannot be read behind the others: ${error.reason}`);
    throw new UserError(`fold: the result cannot be read back: ${error.reason}`, { cause: error });
  }
}

/** The innermost entry that printed this line, from 1; the last one for what is told at the end of the text. */
function entryAtLine(map: BlockMap, line: number): BlockEntry | undefined {
  let at = 1;
  const last = Array.from(map.entries.values()).at(-1);
  for (const entry of map.entries.values()) {
    const count = Array.from(entryLines(entry, 0)).length;
    if (line >= at + count && entry !== last) {
      at += count;
      continue;
    }
    const inner = entry.body.kind === "map"
      ? entryAtLine(entry.body.map, line - at - entry.lead.length)
      : undefined;
    return inner ?? entry;
  }
  return undefined;
}

/** An entry of several lines has one blank line above and below; others keep what stood there. */
function spaceSections(map: BlockMap): void {
  let before: BlockEntry | undefined;
  for (const entry of map.entries.values()) {
    const bare = withoutFirstBlanks(entry.lead);
    if (before === undefined) entry.lead = bare;
    else if (isSection(before) || isSection(entry)) entry.lead = ["", ...bare];
    before = entry;
  }
  map.tail = withoutLastBlanks(map.tail);
  if (before === undefined || isSection(before)) map.tail = withoutFirstBlanks(map.tail);
  if (before && isSection(before) && map.tail.length > 0) map.tail.unshift("");
}

function isSection({ body }: BlockEntry): boolean {
  return body.kind === "map" || body.lines.length > 0;
}

/** Blank lines behind a block scalar that keeps them would become part of it. */
function protectKept(map: BlockMap): boolean {
  let keeps = false;
  const protect = (lines: string[]) => (keeps ? withoutFirstBlanks(lines) : lines);
  for (const entry of map.entries.values()) {
    entry.lead = protect(entry.lead);
    const { body } = entry;
    if (body.kind === "map") keeps = protectKept(body.map);
    else {
      const texts = body.kind === "opaque" ? body.lines : [body.rest, ...body.lines];
      keeps = texts.some((line) => /[|>](?:\d?\+|\+\d)/.test(line));
    }
  }
  map.tail = protect(map.tail);
  return keeps && map.tail.length === 0;
}

/** The first entry whose value is not what was read; `undefined` when all are. */
function differenceTo(
  map: BlockMap,
  found: LocatedValue,
  parent: BlockEntry | undefined,
): BlockEntry | undefined {
  const entries = Array.from(map.entries.values());
  if (found.kind !== "mapping" || found.entries.length !== entries.length) return parent ?? entries[0];
  for (const [i, entry] of entries.entries()) {
    const { key, value } = found.entries[i];
    if (key !== entry.key) return entry;
    const { body } = entry;
    if (body.kind === "map") {
      const inner = differenceTo(body.map, value, entry);
      if (inner) return inner;
    } else if (!sameValue(body.value, value)) return entry;
  }
  return undefined;
}

export function sameValue(a: LocatedValue, b: LocatedValue): boolean {
  if (a.kind === "scalar" || b.kind === "scalar") {
    return a.kind === b.kind && Object.is(scalarOf(a), scalarOf(b));
  }
  if (a.kind === "sequence" || b.kind === "sequence") {
    if (a.kind !== b.kind) return false;
    const [left, right] = [itemsOf(a), itemsOf(b)];
    return left.length === right.length && left.every((item, i) => sameValue(item, right[i]));
  }
  return a.entries.length === b.entries.length &&
    a.entries.every(({ key, value }, i) => key === b.entries[i].key && sameValue(value, b.entries[i].value));
}

function scalarOf(value: LocatedValue): unknown {
  return value.kind === "scalar" ? value.value : undefined;
}
function itemsOf(value: LocatedValue): readonly LocatedValue[] {
  return value.kind === "sequence" ? value.items : [];
}
