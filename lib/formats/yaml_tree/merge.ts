/**
 * Entries of several files in one mapping. What two of a key become is the rules' to say; without rules it is a fault
 * that names both places. A replaced entry keeps its position and the comments above it.
 */
import { quoted, UserError } from "../../base/errors.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { type BlockEntry, BlockMap, type Body, type Place, propertiesOf, trimmed } from "./block_tree.ts";

export type Outcome = "refuse" | "replace" | "merge" | "append" | "remove";
/** `path` holds the keys above. */
export type MergeRules = (earlier: BlockEntry, later: BlockEntry, path: readonly string[]) => Outcome;

export const refuseTwice: MergeRules = () => "refuse";
export const replaceWhole: MergeRules = () => "replace";
/** Mappings merge key by key; of anything else the later one wins. */
export const mergeDeep: MergeRules = (earlier, later) =>
  isMapping(earlier.body) && isMapping(later.body) ? "merge" : "replace";

export function isMapping(body: Body): boolean {
  return body.kind === "map" || body.value.kind === "mapping";
}
export function isSequence(body: Body): boolean {
  return body.kind !== "map" && body.value.kind === "sequence";
}

/** Adds `entry`; the rules decide when its key is there already. */
export function insert(
  map: BlockMap,
  entry: BlockEntry,
  rules: MergeRules,
  path: readonly string[] = [],
): void {
  const earlier = map.entries.get(entry.key);
  if (earlier === undefined) {
    map.entries.set(entry.key, entry);
    return;
  }
  switch (rules(earlier, entry, path)) {
    case "refuse":
      return refuseTogether(earlier, entry);
    case "replace":
      earlier.body = entry.body;
      earlier.head = entry.head;
      earlier.place = entry.place;
      break;
    case "merge":
      mergeBodies(earlier, entry, rules, [...path, entry.key]);
      break;
    case "append":
      appendBodies(earlier, entry);
      break;
    case "remove":
      map.entries.delete(entry.key);
      return;
  }
  earlier.lead.push(...entry.lead.filter((line) => line !== ""));
}

function mergeBodies(
  earlier: BlockEntry,
  later: BlockEntry,
  rules: MergeRules,
  path: readonly string[],
): void {
  const [into, from] = [openMap(earlier), openMap(later)];
  if (from.map.size === 0) {
    earlier.lead.push(...[from.rest, ...from.map.tail].filter((line) => line !== ""));
    return;
  }
  let pending = into.map.tail;
  into.map.tail = [];
  for (const entry of from.map.entries.values()) {
    if (pending.length > 0) entry.lead.unshift(...pending);
    pending = [];
    insert(into.map, entry, rules, path);
  }
  into.map.tail = [...pending, ...from.map.tail];
  into.rest = joinedRest(into.rest, from.rest, later);
  earlier.body = into;
}

/**
 * What stands behind the key of two mappings or lists that become one: one tag, one anchor, both comments. An alias to
 * the anchor that goes is found when the result is read back.
 */
function joinedRest(into: string, from: string, later: BlockEntry): string {
  const [mine, theirs] = [into, from].map((rest) => {
    const properties = propertiesOf(rest);
    const words = properties.split(/[ \t]+/);
    const wordWith = (mark: string) => words.find((word) => word.startsWith(mark)) ?? "";
    return { tag: wordWith("!"), anchor: wordWith("&"), comment: trimmed(rest.slice(properties.length)) };
  });
  if (mine.tag !== "" && theirs.tag !== "" && mine.tag !== theirs.tag) {
    const reason = `${quoted(theirs.tag)} cannot become one with ${quoted(mine.tag)}, want the same tag`;
    return refuse(later.place, `key ${quoted(later.key)}: ${reason}`);
  }
  const parts = [mine.anchor || theirs.anchor, mine.tag || theirs.tag, mine.comment, theirs.comment];
  return parts.filter((part) => part !== "").join(" ");
}

function appendBodies(earlier: BlockEntry, later: BlockEntry): void {
  const [into, from] = [openSequence(earlier), openSequence(later)];
  if (into.value.kind !== "sequence" || from.value.kind !== "sequence" || from.value.items.length === 0) {
    return;
  }
  const items = [...into.value.items, ...from.value.items];
  earlier.body = {
    kind: "sequence",
    rest: joinedRest(into.rest, from.rest, later),
    lines: [...into.lines, ...from.lines],
    value: { ...into.value, items },
  };
}

function openMap(entry: BlockEntry): Extract<Body, { kind: "map" }> {
  const { body } = entry;
  if (body.kind === "map") return body;
  const opened = body.kind === "inline" ? body.open?.() : undefined;
  if (opened?.kind === "map") return opened;
  if (body.kind === "inline" && body.value.kind === "mapping" && body.value.entries.length === 0) {
    return { kind: "map", rest: body.rest.replace(/^\{\s*\}\s*/, ""), map: new BlockMap() };
  }
  return refuse(
    entry.place,
    `key ${quoted(entry.key)}: an alias or explicit key cannot merge, want its mapping written out`,
  );
}

/** The list of an entry in block layout; a fault when it has none. */
export function openSequence(entry: BlockEntry): Extract<Body, { kind: "sequence" }> {
  const { body } = entry;
  if (body.kind === "sequence") return body;
  const opened = body.kind === "inline" ? body.open?.() : undefined;
  if (opened?.kind === "sequence") return opened;
  if (body.kind === "inline" && body.value.kind === "sequence" && body.value.items.length === 0) {
    return { kind: "sequence", rest: body.rest.replace(/^\[\s*\]\s*/, ""), lines: [], value: body.value };
  }
  return refuse(
    entry.place,
    `key ${quoted(entry.key)}: an alias cannot be appended, want its list written out`,
  );
}

function refuseTogether(earlier: BlockEntry, later: BlockEntry): never {
  const reason = `key ${quoted(later.key)} is in ${placeText(earlier.place)} already, want it once`;
  return refuse(later.place, reason);
}

/** A fault at the place, or at the path of what is a key by its name. */
export function refuse(place: Place, reason: string): never {
  if ("source" in place) throw new SyntaxFault(place.source, place.offset, reason);
  throw new UserError(`${place.path}: ${reason}`);
}

/** `file:line:column`, or the path of what is a key by its name. */
function placeText(place: Place): string {
  if ("path" in place) return place.path;
  const { line, column } = place.source.positionAt(place.offset);
  return `${place.source.name}:${line}:${column}`;
}
