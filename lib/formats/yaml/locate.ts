/**
 * A YAML Document as the neutral located value. Aliases share their target's node; what they would expand to is counted
 * and bounded, in size and in depth, so a "billion laughs" text is refused before anyone walks it. Keys must be scalars.
 * `<<` merges only when asked: it is a YAML 1.1 habit that config files expect and other readers must see untouched.
 */
import { type Document, isAlias, isMap, isScalar, isSeq, type Node, type Pair, type Scalar } from "yaml";
import type { LocatedEntry, LocatedMapping, LocatedScalar, LocatedValue } from "../located.ts";
import type { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { composeYaml, DEFAULT_MAX_DEPTH, DEFAULT_MAX_NODES, type YamlOptions } from "./compose.ts";

export interface LocateYamlOptions extends YamlOptions {
  /** Resolve `<<: *anchor`; default false. */
  merge_keys?: boolean;
}

/** An empty document is null. Duplicate keys stay in the mapping, in order. */
export function locateYaml(source: SourceText, options: LocateYamlOptions = {}): LocatedValue {
  return locateDocument(source, composeYaml(source, options), options);
}

/** The same for a document that is already composed; collections match the document's item by item. */
export function locateDocument(
  source: SourceText,
  document: Document.Parsed,
  options: LocateYamlOptions = {},
): LocatedValue {
  return new Locator(source, document, options).locate();
}

interface Extent {
  nodes: number;
  depth: number;
}

class Locator {
  readonly #anchors = new Map<string, LocatedValue | "open">();
  readonly #extents = new Map<LocatedValue, Extent>();
  readonly #max_nodes: number;
  readonly #max_depth: number;

  constructor(
    readonly source: SourceText,
    readonly document: Document.Parsed,
    readonly options: LocateYamlOptions,
  ) {
    this.#max_nodes = options.max_nodes ?? DEFAULT_MAX_NODES;
    this.#max_depth = options.max_depth ?? DEFAULT_MAX_DEPTH;
  }

  locate(): LocatedValue {
    return this.#node(this.document.contents, 0);
  }

  #node(node: Node | null, fallback_offset: number): LocatedValue {
    if (node === null) return this.#empty(fallback_offset);
    if (isAlias(node)) {
      const target = this.#anchors.get(node.source);
      const offset = node.range?.[0] ?? fallback_offset;
      if (target === "open") this.#fail(offset, `alias "*${node.source}" lies inside its own anchor`);
      if (target === undefined) this.#fail(offset, `alias "*${node.source}" has no anchor before it`);
      return target;
    }
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor) this.#anchors.set(anchor, "open");
    const value = this.#value(node, fallback_offset);
    if (anchor) this.#anchors.set(anchor, value);
    return value;
  }

  #value(node: Node, fallback_offset: number): LocatedValue {
    const [offset, end] = node.range ?? [fallback_offset, fallback_offset];
    if (isScalar(node)) return this.#measured(this.#scalar(node, offset, end), []);
    if (isSeq(node)) {
      const items = node.items.map((item) => this.#node(item as Node | null, offset));
      return this.#measured({ kind: "sequence", offset, end, items }, items);
    }
    if (!isMap(node)) this.#fail(offset, "this node is neither scalar, sequence nor mapping");
    const written = node.items.map((pair) => this.#entry(pair as Pair<Node | null, Node | null>, offset));
    const entries = this.options.merge_keys ? this.#merged(written) : written;
    return this.#measured({ kind: "mapping", offset, end, entries }, entries.map((entry) => entry.value));
  }

  #scalar(node: Scalar, offset: number, end: number): LocatedScalar {
    const text = this.source.text.slice(offset, end);
    let value = node.value;
    if (typeof value === "bigint" && BigInt(Number(value)) === value) value = Number(value);
    switch (typeof value) {
      case "string":
      case "number":
      case "bigint":
      case "boolean":
        return { kind: "scalar", offset, end, value, text };
      default:
        if (value !== null) this.#fail(offset, "this scalar's tag is not known here");
        return { kind: "scalar", offset, end, value: null, text };
    }
  }

  #entry(pair: Pair<Node | null, Node | null>, fallback_offset: number): LocatedEntry {
    const { key } = pair;
    const key_offset = key?.range?.[0] ?? fallback_offset;
    if (!isScalar(key) || key.value === null) {
      this.#fail(key_offset, "this key is no plain text: want a word");
    }
    const name = typeof key.value === "string" ? key.value : key.source ?? String(key.value);
    const value_offset = key.range?.[1] ?? key_offset;
    if (key.anchor) {
      const value = this.#measured(this.#scalar(key, key_offset, value_offset), []);
      this.#anchors.set(key.anchor, value);
    }
    return { key: name, key_offset, value: this.#node(pair.value, value_offset) };
  }

  /** Entries of `<<` targets go behind the own ones; own keys win, then earlier targets. */
  #merged(written: readonly LocatedEntry[]): readonly LocatedEntry[] {
    if (!written.some((entry) => entry.key === "<<")) return written;
    const own = written.filter((entry) => entry.key !== "<<");
    const seen = new Set(own.map((entry) => entry.key));
    const added: LocatedEntry[] = [];
    for (const { key, key_offset, value } of written) {
      if (key !== "<<") continue;
      for (const target of value.kind === "sequence" ? value.items : [value]) {
        if (target.kind !== "mapping") this.#fail(key_offset, '"<<" takes a mapping or a list of mappings');
        for (const entry of (target as LocatedMapping).entries) {
          if (seen.has(entry.key)) continue;
          seen.add(entry.key);
          added.push(entry);
        }
      }
    }
    return [...own, ...added];
  }

  #empty(offset: number): LocatedValue {
    return this.#measured({ kind: "scalar", offset, end: offset, value: null, text: "" }, []);
  }

  /** Notes how large the value is with aliases written out, and refuses what passes the limits. */
  #measured<V extends LocatedValue>(value: V, children: readonly LocatedValue[]): V {
    const extent = { nodes: 1, depth: 1 };
    for (const child of children) {
      const inner = this.#extents.get(child)!;
      extent.nodes += inner.nodes;
      extent.depth = Math.max(extent.depth, inner.depth + 1);
    }
    if (extent.nodes > this.#max_nodes) {
      this.#fail(value.offset, `value has more than ${this.#max_nodes} nodes with its aliases written out`);
    }
    // A scalar in the innermost collection is no level of its own.
    if (extent.depth > this.#max_depth + 1) {
      this.#fail(
        value.offset,
        `nesting is deeper than ${this.#max_depth} levels with its aliases written out`,
      );
    }
    this.#extents.set(value, extent);
    return value;
  }

  #fail(offset: number, reason: string): never {
    throw new SyntaxFault(this.source, offset, reason);
  }
}
