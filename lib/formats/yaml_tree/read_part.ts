/**
 * One file as a part of a tree: what stands above its value, the value in movable lines, what stands below. JSON, JSONC
 * and JSON5 come by way of YAML with their comments, places still tell where they stood in the file itself.
 */
import { isMap, isScalar, type Node } from "yaml";
import { type Dialect } from "../json5/lexer.ts";
import { locateJson5 } from "../json5/locate.ts";
import { parseJson5 } from "../json5/parse.ts";
import { refuseDuplicates } from "../json5/spell_json.ts";
import type { LocatedValue } from "../located.ts";
import { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { composeYaml, DEFAULT_MAX_DEPTH } from "../yaml/compose.ts";
import { refuseUnreadable, yamlFromJson5 } from "../yaml/from_json5.ts";
import { locateDocument } from "../yaml/locate.ts";
import { type Body, INDENT, isTrivia, trimmed, withoutLastBlanks } from "./block_tree.ts";
import { refuseUnmovable } from "./refuse_unmovable.ts";
import { Taker } from "./take_apart.ts";

export interface Part {
  readonly source: SourceText;
  /** Above the value: comments and blank lines. */
  head: string[];
  /** Head and value were apart: by a blank line or `---`. */
  separated: boolean;
  /** Undefined when the file holds no value. */
  body: Body | undefined;
  /** Below a value that has no lines to hold comments (scalars, flow collections), or below "...". */
  tail: string[];
  value: LocatedValue;
  /** Where the value stands in the file. */
  offset: number;
}

/** @param source a YAML text, or with `dialect` one of the JSON family */
export function readPart(source: SourceText, dialect?: Dialect): Part {
  if (dialect === undefined) return readYaml(source, source, undefined);
  // What YAML cannot nest is refused here, with its place in the file.
  const document = parseJson5(source, { dialect, max_depth: DEFAULT_MAX_DEPTH });
  refuseDuplicates(document);
  refuseUnreadable(document);
  const yaml = new SourceText(source.name, Array.from(yamlFromJson5(document)).join(""));
  return readYaml(yaml, source, locateJson5(document));
}

function readYaml(source: SourceText, origin_source: SourceText, origin: LocatedValue | undefined): Part {
  const document = composeYaml(source, { keep_tags: true });
  const value = locateDocument(source, document, { keep_tags: true });
  refuseUnmovable(source, document);
  const lines = source.text.split(/\r?\n/);
  if (lines[lines.length - 1] === "") lines.pop();
  const root = document.contents;
  // An empty document may still have a scalar of no text.
  if (root === null || (isScalar(root) && root.range[0] === root.range[1] && !root.tag && !root.anchor)) {
    const head = lines.filter((line) => isTrivia(line)).map(trimmed);
    return { source: origin_source, head, separated: false, body: undefined, tail: [], value, offset: 0 };
  }
  const taker = new Taker(source, lines, origin_source);
  const { offset } = origin ?? value;
  return { ...readRoot(taker, root, value, origin ?? value), source: origin_source, value, offset };
}

function readRoot(
  taker: Taker,
  root: Node,
  value: LocatedValue,
  origin: LocatedValue,
): Pick<Part, "head" | "separated" | "body" | "tail"> {
  const { lines } = taker;
  const first_key = isMap(root) && !root.flow ? root.items[0].key as Node : root;
  const first = taker.lineOf(first_key.range![0]);
  const marker = lines.findLastIndex((line, i) => i <= first && /^---(?=\s|$)/.test(line));
  const end = taker.endLineOf(root, first);
  const stop = lines.findIndex((line, i) => i >= end && /^\.\.\.(?=\s|$)/.test(line));
  const below = withoutLastBlanks(lines.slice(0, stop < 0 ? lines.length : stop)).length;
  const behind = stop < 0 ? [] : [lines[stop].slice(3), ...lines.slice(stop + 1)].map(trimmed);
  const after_marker = marker < 0 ? "" : trimmed(lines[marker].slice(3));
  const above = lines.slice(0, Math.max(0, marker)).filter((line) => !line.startsWith("%"));
  let head = above.map(trimmed);
  let separated = head.length > 0;
  let from = marker + 1;
  const is_block = "items" in root && !root.flow;
  let rest = after_marker;
  if (is_block) {
    // Properties of the value may stand on a line of their own: they go behind the key.
    const property = lines.findIndex((line, i) => i >= from && i < first && !isTrivia(line));
    if (rest === "" && property >= 0) {
      head.push(...lines.slice(from, property).map(trimmed));
      rest = trimmed(lines[property]);
      from = property + 1;
    } else if (marker < 0) {
      const blank = lines.slice(from, first).findLastIndex((line) => trimmed(line) === "");
      if (blank >= 0) {
        separated = true;
        head = lines.slice(from, from + blank).map(trimmed);
        from += blank + 1;
      }
    }
  } else if (rest === "" || rest.startsWith("#")) {
    const start = lines.findIndex((line, i) => i >= from && !isTrivia(line));
    if (rest !== "") head.push(rest);
    head.push(...lines.slice(from, start).map(trimmed));
    rest = trimmed(lines[start]);
    from = start + 1;
  }
  const tail = is_block ? [] : lines.slice(end, below).map(trimmed);
  const to = is_block ? Math.max(below, end) : end;
  const body = taker.body(root, value, origin, { rest, column: -INDENT, from, to });
  if (body === undefined) {
    const reason = "this layout cannot be moved below a key: want the value on lines of its own";
    throw new SyntaxFault(taker.source, root.range![0], reason);
  }
  return {
    head,
    separated,
    body,
    tail: withoutLastBlanks([...tail, ...behind.slice(behind[0] === "" ? 1 : 0)]),
  };
}
