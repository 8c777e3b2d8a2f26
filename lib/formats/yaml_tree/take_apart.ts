/**
 * A parsed YAML collection to block_tree lines. Entries are cut between lines: what stands above a key belongs to it,
 * except comments that are indented deeper than the key before, which end that one's value. Layouts that lines cannot
 * tell (explicit keys, properties on lines of their own) stay in one opaque piece.
 */
import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  Scalar,
  type YAMLMap,
  type YAMLSeq,
} from "yaml";
import type { LocatedMapping, LocatedValue } from "../located.ts";
import type { SourceText } from "../source_text.ts";
import { yamlString } from "../yaml/scalar_text.ts";
import {
  BlockMap,
  type Body,
  columnOf,
  INDENT,
  isTrivia,
  moved,
  type Opened,
  type Place,
  propertiesOf,
  trimmed,
} from "./block_tree.ts";

type MapNode = YAMLMap<Node | null, Node | null>;

/** One text and its lines; `origin` is the text that places refer to, which a JSON5 file's YAML is not. */
export class Taker {
  constructor(readonly source: SourceText, readonly lines: readonly string[], readonly origin: SourceText) {}

  lineOf(offset: number): number {
    return this.source.positionAt(offset).line - 1;
  }

  /** A block mapping whose lines are `from` to `to` (excluded); `origin` has the same entries at their places. */
  map(node: MapNode, value: LocatedMapping, origin: LocatedMapping, from: number, to: number): BlockMap {
    const taken = new BlockMap();
    const starts = node.items.map((pair) => this.lineOf(pair.key!.range![0]));
    let lead_from = from;
    node.items.forEach((pair, i) => {
      const { lines } = this;
      const start = starts[i];
      const next = i + 1 < starts.length ? starts[i + 1] : to;
      const end = this.#ownEnd(pair, start, next);
      const entry = value.entries[i];
      const place = { source: this.origin, offset: origin.entries[i].key_offset };
      const { head, body } = this.#entry(pair, entry.value, origin.entries[i].value, start, end);
      const lead = lines.slice(lead_from, start).map(trimmed);
      taken.entries.set(entry.key, { key: entry.key, head, lead, body, place });
      lead_from = end;
    });
    taken.tail = this.lines.slice(lead_from, to).map(trimmed);
    return taken;
  }

  /** Behind the last line of a pair: its content, and for block collections the comments deeper than its key. */
  #ownEnd(pair: Pair<Node | null, Node | null>, start: number, next: number): number {
    const { key, value } = pair;
    let end = this.endLineOf(value ?? key!, start);
    if ((isMap(value) || isSeq(value)) && !value.flow) {
      const column = columnOf(this.lines[start]);
      for (let at = end; at < next; at++) {
        if (trimmed(this.lines[at]) !== "" && columnOf(this.lines[at]) > column) end = at + 1;
      }
    }
    return Math.min(end, next);
  }

  /** The line behind the node's last content. */
  endLineOf(node: Node, fallback_line: number): number {
    let last = node;
    while ((isMap(last) || isSeq(last)) && !last.flow && last.items.length > 0) {
      const item = last.items[last.items.length - 1] as Node | Pair<Node, Node | null> | null;
      if (item && "key" in item) last = item.value ?? item.key;
      else if (item) last = item as Node;
      else break;
    }
    if (!last.range) return fallback_line + 1;
    const [start, end] = last.range;
    return Math.max(fallback_line, this.lineOf(Math.max(start, end - 1))) + 1;
  }

  #entry(
    pair: Pair<Node | null, Node | null>,
    value: LocatedValue,
    origin: LocatedValue,
    start: number,
    end: number,
  ): { head: string; body: Body } {
    const { text } = this.source;
    const line = this.lines[start];
    const column = columnOf(line);
    const key_range = pair.key!.range!;
    const at = key_range[0] - this.source.positionAt(key_range[0]).column + 1;
    const before = text.slice(at + column, key_range[0]);
    const colon = key_range[1] + /^[ \t]*/.exec(text.slice(key_range[1], at + line.length))![0].length;
    const opaque = (): { head: string; body: Body } => ({
      head: "",
      body: { kind: "opaque", value, lines: this.lines.slice(start, end).map((l) => moved(l, -column)) },
    });
    if (!/^(?:[&!]\S*\s+)*$/.test(before) || text[colon] !== ":" || colon >= at + line.length) {
      return opaque();
    }
    const rest = trimmed(text.slice(colon + 1, at + line.length));
    const body = this.body(pair.value, value, origin, { rest, column, from: start + 1, to: end });
    return body ? { head: text.slice(at + column, colon).trimEnd(), body } : opaque();
  }

  /**
   * A value whose first line's text is `rest` and whose further lines are `from` to `to`, below a key at `column`
   * (-INDENT for the document's own value). Undefined when its layout cannot be told by lines.
   */
  body(
    node: Node | null,
    value: LocatedValue,
    origin: LocatedValue,
    { rest, column, from, to }: { rest: string; column: number; from: number; to: number },
  ): Body | undefined {
    const lines = this.lines.slice(from, to);
    if ((isMap(node) || isSeq(node)) && !node.flow) {
      const first = isMap(node)
        ? this.lineOf((node.items[0].key as Node).range![0])
        : this.lineOf(node.range![0]);
      const is_below = first >= from && /^(?:[&!]\S*\s*)*(?:#.*)?$/.test(rest);
      if (!is_below || !this.lines.slice(from, first).every(isTrivia)) return undefined;
      if (isMap(node)) {
        const map = this.map(node as MapNode, value as LocatedMapping, origin as LocatedMapping, from, to);
        return { kind: "map", rest, map };
      }
      const delta = INDENT - columnOf(this.lines[first]);
      return { kind: "sequence", rest, value, lines: lines.map((line) => moved(line, delta, INDENT)) };
    }
    if (isScalar(node) && (node.type === Scalar.BLOCK_LITERAL || node.type === Scalar.BLOCK_FOLDED)) {
      if (this.lineOf(node.range![0]) !== from - 1) return undefined;
      return { kind: "inline", rest, value, lines: blockScalarLines(rest, lines, Math.max(0, column)) };
    }
    const open = (isMap(node) || isSeq(node)) && node.items.length > 0
      ? () => {
        const comment = /^[^\n]*?(#[^\r\n]*)/.exec(this.source.text.slice(node.range![1]))?.[1] ?? "";
        return { ...this.#open(node, value, origin), rest: trimmed(`${propertiesOf(rest)} ${comment}`) };
      }
      : undefined;
    const below = lines.map((line) => moved(line, -column, INDENT));
    return { kind: "inline", value, open, ...inlineText(node, rest, below) };
  }

  /** A flow collection in block layout: one entry or item a line, comments above theirs. */
  #open(node: YAMLMap | YAMLSeq, value: LocatedValue, origin: LocatedValue): Opened {
    const { text } = this.source;
    let from = node.range![0] + 1;
    const leadTo = (offset: number): string[] => {
      const comments = text.slice(from, offset).match(/(?<=^|[\s,[{:])#[^\r\n]*/g) ?? [];
      return comments.map((comment) => comment.trimEnd());
    };
    const textOf = (item: Node | null, least: number): string[] => {
      if (!item?.range || item.range[0] === item.range[1]) return ["null"];
      const anchor = !isAlias(item) && "anchor" in item && item.anchor ? `&${item.anchor} ` : "";
      const tag = !isAlias(item) && item.tag ? `${shortTag(item.tag)} ` : "";
      const [first, ...more] = text.slice(item.range[0], item.range[1]).split(/\r?\n/);
      return [anchor + tag + first, ...more.map((line) => moved(line, 0, least))];
    };
    if (isSeq(node)) {
      const lines: string[] = [];
      for (const item of node.items as Node[]) {
        lines.push(...leadTo(item.range![0]).map((comment) => `  ${comment}`));
        const [first, ...more] = textOf(item, 2 * INDENT);
        lines.push(`  - ${first}`, ...more);
        from = item.range![1];
      }
      return { kind: "sequence", rest: "", lines, value };
    }
    const map = new BlockMap();
    (node as MapNode).items.forEach((pair, i) => {
      const { key, value: located } = (value as LocatedMapping).entries[i];
      const inner = (origin as LocatedMapping).entries[i];
      const [rest, ...lines] = textOf(pair.value, INDENT);
      const open = (isMap(pair.value) || isSeq(pair.value)) && pair.value.items.length > 0
        ? () => ({
          ...this.#open(pair.value as YAMLMap | YAMLSeq, located, inner.value),
          rest: propertiesOf(rest),
        })
        : undefined;
      const place: Place = { source: this.origin, offset: inner.key_offset };
      const lead = leadTo(pair.key!.range![0]);
      from = pair.key!.range![1];
      if (pair.value?.range) lead.push(...leadTo(pair.value.range[0]));
      const body: Body = { kind: "inline", rest, lines, value: located, open };
      const written = textOf(pair.key, INDENT);
      const head = written.length === 1 ? written[0] : yamlString(key);
      map.entries.set(key, { key, head, lead, body, place });
      from = (pair.value?.range ?? pair.key!.range!)[1];
    });
    map.tail = leadTo(node.range![1] - 1);
    return { kind: "map", rest: "", map };
  }
}

/** Nothing is written out as null, and a value below its key moves up beside it. */
function inlineText(node: Node | null, rest: string, lines: string[]): { rest: string; lines: string[] } {
  const is_nothing = node === null || (isScalar(node) && node.value === null && node.source === "");
  if (is_nothing && /^(#|$)/.test(rest)) return { rest: rest === "" ? "null" : `null ${rest}`, lines };
  if (rest !== "" || lines.length === 0 || isTrivia(lines[0])) return { rest, lines };
  return { rest: trimmed(lines[0]), lines: lines.slice(1) };
}

/** Content at column 2 where the reader finds out the indentation itself; as it is where the header says it. */
function blockScalarLines(header: string, lines: readonly string[], column: number): string[] {
  const says_indent = /[|>][-+]?[1-9]/.test(header.replace(/\s#.*/s, ""));
  const first = lines.find((line) => trimmed(line) !== "");
  const delta = says_indent || first === undefined ? -column : INDENT - columnOf(first);
  return lines.map((line) => moved(line, delta));
}

function shortTag(tag: string): string {
  if (tag.startsWith("tag:yaml.org,2002:")) return `!!${tag.slice(18)}`;
  return tag.startsWith("!") ? tag : `!<${tag}>`;
}
