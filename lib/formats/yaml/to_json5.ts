/**
 * YAML to JSON5 with its comments: `#` lines become `//` lines in the same places. Those that were block comments once
 * stay lines: YAML has one kind, and a mark for the other would be noise to everyone who reads the YAML. Aliases are
 * written out within the reader's bounds, anchors and tags do not survive; repeated keys are refused. Laid out by the
 * JSON5 formatter.
 */
import {
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  type Node,
  type Pair,
  type Scalar,
  type YAMLMap,
} from "yaml";
import { formatJson5, type FormatOptions } from "../json5/format.ts";
import { parseJson5 } from "../json5/parse.ts";
import { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { composeYaml } from "./compose.ts";
import { locateDocument } from "./locate.ts";

const JSON5_NUMERAL =
  /^[-+]?(?:0x[0-9a-fA-F]+|(?:0|[1-9]\d*)(?:\.\d*)?(?:[eE][-+]?\d+)?|\.\d+(?:[eE][-+]?\d+)?)$/;

/** Throws a SyntaxFault with its place for whatever JSON5 cannot say. */
export function json5FromYaml(source: SourceText, options: FormatOptions = {}): Iterable<string> {
  // Refuses cycles, unknown tags, odd keys and texts that aliases would blow up, each with its place.
  const document = composeYaml(source);
  locateDocument(source, document);
  const writer = new Writer(source, document);
  return formatJson5(parseJson5(new SourceText(source.name, writer.text())), options);
}

class Writer {
  readonly #parts: string[] = [];

  constructor(readonly source: SourceText, readonly document: Document.Parsed) {}

  text(): string {
    const { document } = this;
    this.#comment(document.commentBefore);
    this.#node(document.contents);
    this.#trailing(document.contents);
    this.#comment(document.comment);
    return this.#parts.join("");
  }

  #node(node: Node | null): void {
    if (node && isAlias(node)) {
      this.#node(node.resolve(this.document) ?? null);
    } else if (isMap(node)) {
      this.#leading(node);
      this.#map(node as YAMLMap<Node | null, Node | null>);
    } else if (isSeq(node)) {
      this.#leading(node);
      this.#parts.push("[\n");
      for (const item of node.items as (Node | null)[]) {
        if (item?.spaceBefore) this.#blankLine();
        if (item && !isScalar(item)) this.#comment(item.commentBefore);
        this.#node(item);
        this.#parts.push(",");
        this.#trailing(item);
        this.#freshLine();
      }
      this.#inside(node);
      this.#parts.push("]");
    } else if (isScalar(node)) {
      this.#comment(node.commentBefore);
      this.#parts.push(this.#scalar(node));
    } else this.#parts.push("null");
  }

  #map(map: YAMLMap<Node | null, Node | null>): void {
    const seen = new Set<string>();
    this.#parts.push("{\n");
    for (const pair of map.items as Pair<Scalar, Node | null>[]) {
      const { key, value } = pair;
      const name = typeof key.value === "string" ? key.value : key.source ?? String(key.value);
      if (seen.has(name)) {
        const reason = `key ${JSON.stringify(name)} repeats: want each key once`;
        throw new SyntaxFault(this.source, key.range?.[0] ?? 0, reason);
      }
      seen.add(name);
      if (key.spaceBefore) this.#blankLine();
      this.#comment(key.commentBefore);
      this.#parts.push(JSON.stringify(name));
      this.#trailing(key);
      this.#parts.push(":");
      if (value && !isScalar(value)) this.#comment(value.commentBefore);
      this.#node(value);
      this.#parts.push(",");
      this.#trailing(value);
      this.#freshLine();
    }
    this.#inside(map);
    this.#parts.push("}");
  }

  /** A collection's comment stands behind its last item. */
  #inside(node: Node): void {
    if (node.comment) this.#comment(node.comment);
  }

  /** Comments before collections are written by their parent; the document's own has none. */
  #leading(node: Node): void {
    if (node === this.document.contents) {
      if (this.document.commentBefore && node.commentBefore) this.#parts.push("\n");
      this.#comment(node.commentBefore);
    }
  }

  #trailing(node: Node | null): void {
    if (!node || !isScalar(node) || !node.comment) return;
    const [first, ...rest] = node.comment.split("\n");
    this.#parts.push(` //${first}\n`);
    if (rest.length > 0) this.#comment(rest.join("\n"));
  }

  #comment(text: string | null | undefined): void {
    if (text === null || text === undefined) return;
    this.#freshLine();
    for (const line of text.split("\n")) this.#parts.push(line === "" ? "\n" : `//${line}\n`);
  }

  #freshLine(): void {
    const last = this.#parts.at(-1);
    if (last !== undefined && !last.endsWith("\n")) this.#parts.push("\n");
  }
  #blankLine(): void {
    this.#freshLine();
    this.#parts.push("\n");
  }

  #scalar(node: Scalar): string {
    const { value, source = "" } = node;
    if (value === null || typeof value === "boolean") return String(value);
    if (typeof value === "string") return JSON.stringify(value);
    if (JSON5_NUMERAL.test(source)) return source;
    return Object.is(value, -0) ? "-0" : String(value);
  }
}
