/**
 * The syntax tree: four typed arrays over the token list, in document order, so a 100 MB text needs no object per value.
 * Node 0 is the root; a node's children follow it and `next(node)` is the first node behind its subtree. An object's
 * children alternate key, value. Nothing of the text is lost: every node names its tokens, and tokens tile the text.
 */
import type { SourceText } from "../source_text.ts";
import type { Dialect } from "./lexer.ts";
import { exactNumber } from "./numeral.ts";
import { identifierValue, stringValue } from "./string_literal.ts";
import { TokenKind, type TokenList } from "./tokens.ts";

export const NodeKind = { object: 1, array: 2, key: 3, string: 4, number: 5, boolean: 6, null: 7 } as const;
export type NodeKind = (typeof NodeKind)[keyof typeof NodeKind];

/** Growable storage; written by the parser only. */
export class NodeTable {
  kinds: Uint8Array;
  first_tokens: Uint32Array;
  last_tokens: Uint32Array;
  nexts: Uint32Array;
  count = 0;

  constructor(guess: number) {
    this.kinds = new Uint8Array(guess);
    this.first_tokens = new Uint32Array(guess);
    this.last_tokens = new Uint32Array(guess);
    this.nexts = new Uint32Array(guess);
  }
  /** A leaf; a container's last token and next node are set when it closes. */
  add(kind: NodeKind, token: number): number {
    if (this.count === this.kinds.length) this.#grow();
    const node = this.count++;
    this.kinds[node] = kind;
    this.first_tokens[node] = this.last_tokens[node] = token;
    this.nexts[node] = node + 1;
    return node;
  }
  #grow(): void {
    const length = this.count * 2;
    const wider = (old: Uint32Array) => {
      const grown = new Uint32Array(length);
      grown.set(old);
      return grown;
    };
    const kinds = new Uint8Array(length);
    kinds.set(this.kinds);
    this.kinds = kinds;
    this.first_tokens = wider(this.first_tokens);
    this.last_tokens = wider(this.last_tokens);
    this.nexts = wider(this.nexts);
  }
}

export class Json5Document {
  /** The index of the top-level value. */
  readonly root = 0;

  constructor(
    readonly source: SourceText,
    readonly dialect: Dialect,
    readonly tokens: TokenList,
    readonly nodes: NodeTable,
  ) {}

  kindOf(node: number): NodeKind {
    return this.nodes.kinds[node] as NodeKind;
  }
  /** The node's first token; trivia before it lies at lower token indexes. */
  firstTokenOf(node: number): number {
    return this.nodes.first_tokens[node];
  }
  lastTokenOf(node: number): number {
    return this.nodes.last_tokens[node];
  }
  offsetOf(node: number): number {
    return this.tokens.startOf(this.nodes.first_tokens[node]);
  }
  endOf(node: number): number {
    return this.tokens.endOf(this.nodes.last_tokens[node]);
  }
  /** The node exactly as written, without the trivia around it. */
  textOf(node: number): string {
    return this.source.text.slice(this.offsetOf(node), this.endOf(node));
  }
  /** The first node behind this one's subtree. */
  next(node: number): number {
    return this.nodes.nexts[node];
  }
  /** Direct children in order; of an object: key, value, key, value … */
  *children(node: number): Generator<number> {
    const kind = this.kindOf(node);
    if (kind !== NodeKind.object && kind !== NodeKind.array) return;
    const end = this.next(node);
    for (let child = node + 1; child < end; child = this.next(child)) yield child;
  }
  /** A key's meaning: quotes and escapes resolved. */
  keyText(node: number): string {
    const token = this.nodes.first_tokens[node];
    const text = this.tokens.textOf(token);
    return this.tokens.kindAt(token) === TokenKind.string ? stringValue(text) : identifierValue(text);
  }
  /** A leaf's value; a bigint for an integer that a double does not hold exactly. */
  scalarValue(node: number): string | number | bigint | boolean | null {
    const text = this.textOf(node);
    switch (this.kindOf(node)) {
      case NodeKind.string:
        return stringValue(text);
      case NodeKind.number:
        return exactNumber(text);
      case NodeKind.boolean:
        return text === "true";
      case NodeKind.null:
        return null;
      default:
        throw new TypeError(`read scalar: node ${node} is a container or a key`);
    }
  }
  /** Puts the tokens together again: the same text, to the last unit. */
  print(): string {
    const parts: string[] = [];
    for (let token = 0; token < this.tokens.count; token++) parts.push(this.tokens.textOf(token));
    return parts.join("");
  }
}
