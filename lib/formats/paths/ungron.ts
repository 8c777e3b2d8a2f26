/**
 * gron's statements back to one JSON value: `json.a[0] = 1;` a line. Statements may come in any order and any subset
 * (that is what grep leaves); missing array places become null. Refuses a path that is an object in one line and an
 * array or scalar in another, and arrays with wild indexes, each with its line.
 */
import { quoted } from "../../base/errors.ts";
import { locateJson5 } from "../json5/locate.ts";
import { parseJson5 } from "../json5/parse.ts";
import type { LocatedValue } from "../located.ts";
import { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { readPath } from "./notation.ts";

/** An index beyond this is a slip, not an array. */
const MAX_INDEX = 10_000_000;

interface Branch {
  kind: "mapping" | "sequence" | "open";
  children: Map<string | number, Branch>;
  leaf?: LocatedValue;
}

export function ungron(source: SourceText): LocatedValue {
  const root: Branch = { kind: "open", children: new Map() };
  let offset = 0;
  for (const line of source.text.split("\n")) {
    const statement = line.trim();
    if (statement !== "") place(root, source, offset, line);
    offset += line.length + 1;
  }
  return built(root);
}

function place(root: Branch, source: SourceText, offset: number, line: string): void {
  const equals = /^\s*(json(?:[^"=]|"(?:[^"\\]|\\.)*")*?)\s*=\s*(.*?);?\s*$/.exec(line);
  if (!equals) throw new SyntaxFault(source, offset, 'want a statement such as "json.a[0] = 1;"');
  let branch = root;
  for (const step of readPath(equals[1])) {
    const kind = typeof step === "number" ? "sequence" : "mapping";
    if (typeof step === "number" && (step < 0 || step > MAX_INDEX)) {
      throw new SyntaxFault(source, offset, `index ${step}: want 0 to ${MAX_INDEX}`);
    }
    become(branch, kind, source, offset);
    let child = branch.children.get(step);
    if (!child) branch.children.set(step, child = { kind: "open", children: new Map() });
    branch = child;
  }
  const value = locateJson5(parseJson5(new SourceText(source.name, equals[2])));
  if (value.kind === "scalar") {
    if (branch.kind !== "open") throw new SyntaxFault(source, offset, "this place already holds a container");
    branch.leaf = value;
  } else become(branch, value.kind, source, offset);
}

function become(branch: Branch, kind: "mapping" | "sequence", source: SourceText, offset: number): void {
  if (branch.leaf || (branch.kind !== "open" && branch.kind !== kind)) {
    const held = branch.leaf ? "a scalar" : branch.kind === "mapping" ? "an object" : "an array";
    throw new SyntaxFault(source, offset, `this place already holds ${quoted(held).slice(1, -1)}`);
  }
  branch.kind = kind;
}

const NULL: LocatedValue = { kind: "scalar", offset: 0, end: 0, value: null, text: "null" };

function built(branch: Branch): LocatedValue {
  if (branch.leaf) return branch.leaf;
  if (branch.kind === "open") return NULL;
  if (branch.kind === "mapping") {
    const entries = Array.from(branch.children, ([key, child]) => ({
      key: String(key),
      key_offset: 0,
      value: built(child),
    }));
    return { kind: "mapping", offset: 0, end: 0, entries };
  }
  const items: LocatedValue[] = [];
  for (const [index, child] of branch.children) items[index as number] = built(child);
  return { kind: "sequence", offset: 0, end: 0, items: Array.from(items, (item) => item ?? NULL) };
}
