/**
 * How two values of a key meet in Docker Compose files (docs.docker.com, "Merge Compose files"): mappings merge, lists
 * append, commands are replaced, items with the same target or variable as well; `!reset` removes, `!override` replaces.
 * An item in long form replaces one of the same target whole.
 */
import type { LocatedScalar, LocatedValue } from "../located.ts";
import { yamlString } from "../yaml/scalar_text.ts";
import { type BlockEntry, BlockMap, type Body, trimmed } from "./block_tree.ts";
import { isMapping, isSequence, type MergeRules, openSequence } from "./merge.ts";

/** Lists of `NAME=value` that may be written as mappings, too. */
const VARIABLES = ["environment", "labels", "annotations", "args", "sysctls"];
const COMMANDS = ["command", "entrypoint"];

export const composeRules: MergeRules = (earlier, later, path) => {
  const { key } = later;
  if (hasTag(later.body, "!reset")) return "remove";
  if (hasTag(later.body, "!override")) {
    untag(later.body);
    return "replace";
  }
  if (VARIABLES.includes(key) && isMapping(earlier.body) !== isMapping(later.body)) {
    for (const entry of [earlier, later]) entry.body = variablesAsMap(entry) ?? entry.body;
  }
  if (isMapping(earlier.body) && isMapping(later.body)) return "merge";
  if (!isSequence(earlier.body) || !isSequence(later.body)) return "replace";
  const is_command = COMMANDS.includes(key) || (key === "test" && path.at(-1) === "healthcheck");
  if (is_command) return "replace";
  dropReplaced(earlier, later);
  return "append";
};

/** Texts are no templates: each `$` is written so that Compose leaves it alone. */
export function composeText(text: string): string {
  return text.replaceAll("$", "$$$$");
}

/** Ports `HOST:CONTAINER` in quotes: YAML 1.1 readers take `22:22` for a number of base 60. */
export function quotePorts(map: BlockMap): void {
  for (const entry of map.entries.values()) {
    const { body } = entry;
    if (body.kind === "map") {
      quotePorts(body.map);
      continue;
    }
    if (entry.key !== "ports" || !isSequence(body)) continue;
    const opened = body.kind === "inline" && body.open && /\d:\d/.test(body.rest + body.lines.join(" "))
      ? openSequence(entry)
      : body;
    if (opened.kind !== "sequence") continue;
    entry.body = { ...opened, lines: opened.lines.map((line) => line.replace(PORT_ITEM, '$1"$2"$3')) };
  }
}
const PORT_ITEM = /^( {2}- +)([\d.:-]*\d:\d[\d-]*(?:\/\w+)?)(\s+#.*|\s*)$/;

function hasTag(body: Body, tag: string): boolean {
  return body.kind !== "opaque" && body.rest.split(/\s+/, 2).includes(tag);
}
function untag(body: Body): void {
  if (body.kind !== "opaque") body.rest = body.rest.replace(/^((?:&\S+\s+)?)!override\s*/, "$1");
}

/** Items of the earlier list that the later one has again go: of the same target, variable or text. */
function dropReplaced(earlier: BlockEntry, later: BlockEntry): void {
  const [old, fresh] = [openSequence(earlier), openSequence(later)];
  if (old.value.kind !== "sequence" || fresh.value.kind !== "sequence") return;
  const replaced = new Set(fresh.value.items.map((item) => identityOf(later.key, item)));
  const { chunks, tail } = itemLines(old.lines);
  const kept = old.value.items.map((item) => !replaced.has(identityOf(later.key, item)));
  if (chunks.length !== kept.length) return;
  earlier.body = {
    ...old,
    lines: [...chunks.filter((_, i) => kept[i]).flat(), ...tail],
    value: { ...old.value, items: old.value.items.filter((_, i) => kept[i]) },
  };
}

/** Lines of each item with the comments above it. */
function itemLines(lines: readonly string[]): { chunks: string[][]; tail: string[] } {
  const chunks: string[][] = [];
  let lead: string[] = [];
  for (const line of lines) {
    if (/^ {2}-(\s|$)/.test(line)) {
      chunks.push([...lead, line]);
      lead = [];
    } else if (chunks.length === 0 || /^ {0,2}#/.test(line)) lead.push(line);
    else {
      chunks[chunks.length - 1].push(...lead, line);
      lead = [];
    }
  }
  return { chunks, tail: lead };
}

/** What makes two items of a list the same one to Compose. */
function identityOf(list: string, item: LocatedValue): string {
  if (item.kind === "mapping") {
    const named = (name: string) => item.entries.find(({ key }) => key === name)?.value;
    const fields = list === "ports" ? ["target", "published", "host_ip", "protocol"] : ["target"];
    const texts = fields.map((name) => {
      const value = named(name);
      return value?.kind === "scalar" ? String(value.value) : "";
    });
    return texts.some((text) => text !== "") ? texts.join(" ") : JSON.stringify(item, withoutPlaces);
  }
  const text = item.kind === "scalar" ? String(item.value) : JSON.stringify(item, withoutPlaces);
  if (VARIABLES.includes(list)) return text.replace(/=.*/s, "");
  if (list === "volumes") return /^(?:[A-Za-z]:[\\/])?[^:]*:([^:]+)/.exec(text)?.[1] ?? text;
  return text;
}

function withoutPlaces(name: string, value: unknown): unknown {
  if (["offset", "end", "key_offset", "text"].includes(name)) return undefined;
  return typeof value === "bigint" ? String(value) : value;
}

/** `- NAME=value` as `NAME: "value"`, `- NAME` as one without a value. */
function variablesAsMap(entry: BlockEntry): Body | undefined {
  if (!isSequence(entry.body)) return undefined;
  const { value, lines } = openSequence(entry);
  if (value.kind !== "sequence") return undefined;
  const { chunks, tail } = itemLines(lines);
  const map = new BlockMap();
  for (const [i, item] of value.items.entries()) {
    if (item.kind !== "scalar" || chunks.length !== value.items.length) return undefined;
    const [, name, text] = /^([^=]*)(?:=(.*))?$/s.exec(String(item.value))!;
    const scalar: LocatedScalar = {
      kind: "scalar",
      value: text ?? null,
      text: text ?? "",
      offset: 0,
      end: 0,
    };
    const lead = chunks[i].filter((line) => /^\s*#/.test(line)).map(trimmed);
    const beside = /\s(#.*)$/.exec(chunks[i].at(-1)!)?.[1];
    const rest = `${text === undefined ? "null" : yamlString(text)}${beside ? ` ${beside}` : ""}`;
    const body: Body = { kind: "inline", rest, lines: [], value: scalar };
    map.entries.set(name, { key: name, head: yamlString(name), lead, body, place: entry.place });
  }
  map.tail = tail.map(trimmed);
  return { kind: "map", rest: "", map };
}
