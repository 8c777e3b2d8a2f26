/**
 * Tokens to tree: the grammar of JSON5, JSONC and JSON as one loop with its own stack, so nesting costs memory, never
 * call frames, and stops at a written limit. Duplicate keys are legal grammar; `duplicateKeys` finds them for callers
 * that refuse them. Throws a SyntaxFault at the first token out of place.
 */
import { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { Json5Document, NodeKind, NodeTable } from "./document.ts";
import { type Dialect, tokenize } from "./lexer.ts";
import { TokenKind, type TokenList } from "./tokens.ts";

export interface ParseOptions {
  /** Default "json5". */
  dialect?: Dialect;
  /** How deep containers may nest; default 1,000. */
  max_depth?: number;
}

export function parseJson5(source: SourceText | string, options: ParseOptions = {}): Json5Document {
  const named = typeof source === "string" ? new SourceText("<text>", source) : source;
  const dialect = options.dialect ?? "json5";
  const tokens = tokenize(named, dialect);
  const parser = new Parser(named, dialect, tokens, options.max_depth ?? 1_000);
  return new Json5Document(named, dialect, tokens, parser.parse());
}

class Parser {
  readonly #nodes: NodeTable;
  readonly #open: number[] = [];
  /** The token under view; never trivia. */
  #token = -1;

  constructor(
    readonly source: SourceText,
    readonly dialect: Dialect,
    readonly tokens: TokenList,
    readonly max_depth: number,
  ) {
    this.#nodes = new NodeTable(Math.max(16, tokens.count >> 1));
  }

  parse(): NodeTable {
    this.#advance();
    this.#value();
    while (this.#open.length > 0) {
      const container = this.#open[this.#open.length - 1];
      const is_object = this.#nodes.kinds[container] === NodeKind.object;
      if (this.#closes(container, is_object)) continue;
      if (is_object) this.#key();
      this.#value();
    }
    if (this.#kind() !== TokenKind.end) this.#fail("the end of the text after the top-level value");
    return this.#nodes;
  }

  /**
   * Looks at what may follow in an open container: a comma, its closing bracket, or, in a fresh one, the first item.
   * True when the container was closed.
   */
  #closes(container: number, is_object: boolean): boolean {
    const closer = is_object ? TokenKind.brace_close : TokenKind.bracket_close;
    const fresh = this.#nodes.count === container + 1;
    let after_comma = false;
    if (!fresh) {
      if (this.#kind() === TokenKind.comma) {
        this.#advance();
        after_comma = true;
      } else if (this.#kind() !== closer) {
        this.#fail(is_object ? 'a comma or "}"' : 'a comma or "]"');
      }
    }
    if (this.#kind() !== closer) return false;
    if (after_comma && this.dialect === "json") {
      this.#fail("another item: JSON allows no trailing comma");
    }
    this.#nodes.last_tokens[container] = this.#token;
    this.#nodes.nexts[container] = this.#nodes.count;
    this.#open.pop();
    this.#advance();
    return true;
  }

  #key(): void {
    const kind = this.#kind();
    const legal = kind === TokenKind.string || (kind === TokenKind.identifier && this.dialect === "json5");
    if (!legal) this.#fail(this.dialect === "json5" ? 'a key or "}"' : 'a key in double quotes or "}"');
    this.#nodes.add(NodeKind.key, this.#token);
    this.#advance();
    if (this.#kind() !== TokenKind.colon) this.#fail('":" after the key');
    this.#advance();
  }

  #value(): void {
    const kind = this.#kind();
    if (kind === TokenKind.brace_open || kind === TokenKind.bracket_open) {
      if (this.#open.length >= this.max_depth) {
        const at = this.tokens.startOf(this.#token);
        throw new SyntaxFault(this.source, at, `nesting is deeper than ${this.max_depth} levels`);
      }
      const node_kind = kind === TokenKind.brace_open ? NodeKind.object : NodeKind.array;
      this.#open.push(this.#nodes.add(node_kind, this.#token));
    } else {
      this.#nodes.add(this.#leafKind(kind), this.#token);
    }
    this.#advance();
  }

  #leafKind(kind: TokenKind): NodeKind {
    if (kind === TokenKind.string) return NodeKind.string;
    if (kind === TokenKind.numeral) return NodeKind.number;
    if (kind === TokenKind.identifier) {
      switch (this.tokens.textOf(this.#token)) {
        case "true":
        case "false":
          return NodeKind.boolean;
        case "null":
          return NodeKind.null;
        case "Infinity":
        case "NaN":
          if (this.dialect === "json5") return NodeKind.number;
      }
    }
    return this.#fail("a value");
  }

  #kind(): TokenKind {
    return this.tokens.kindAt(this.#token);
  }
  #advance(): void {
    do this.#token++; while (this.tokens.isTrivia(this.#token));
  }
  #fail(wanted: string): never {
    const ended = this.#kind() === TokenKind.end;
    const text = this.tokens.textOf(this.#token);
    const shown = text.length > 40 ? text.slice(0, 40) + "…" : text;
    const found = ended ? "the text ends" : `found ${/^["']/.test(shown) ? shown : `"${shown}"`}`;
    throw new SyntaxFault(this.source, this.tokens.startOf(this.#token), `${found}: want ${wanted}`);
  }
}

/** The key nodes that repeat an earlier key of the same object, in document order. */
export function duplicateKeys(document: Json5Document): number[] {
  const found: number[] = [];
  for (let node = 0; node < document.nodes.count; node++) {
    if (document.kindOf(node) !== NodeKind.object) continue;
    const seen = new Set<string>();
    for (const child of document.children(node)) {
      if (document.kindOf(child) !== NodeKind.key) continue;
      const key = document.keyText(child);
      if (seen.has(key)) found.push(child);
      else seen.add(key);
    }
  }
  return found.sort((a, b) => a - b);
}
