/**
 * The formatter: one walk over the tokens that decides white space, commas and, where asked, quotes of keys; comments
 * and leaves are printed as written unless the caller spells leaves differently (to JSON). Yields text in pieces, keeps
 * its own stack, so neither depth nor size is a concern. Formatting twice gives the same text as once.
 * Refuses: sorting objects, re-flowing comments, breaking lines by width.
 */
import { isIdentifierPart, isIdentifierStart } from "./characters.ts";
import { type Json5Document, NodeKind } from "./document.ts";
import { numeralValue } from "./numeral.ts";
import { TokenKind } from "./tokens.ts";

export interface FormatOptions {
  /** Spaces per level, default 2; with 0 lines are not indented. */
  indent?: number;
  /** A comma behind the last item of a container over several lines; default true. */
  trailing_commas?: boolean;
  /** Containers with one item and no comment stay on one line; default false. */
  collapse_single?: boolean;
  /** Sorts arrays of scalars without comments: numbers by value, then the rest by text; default false. */
  sort_arrays?: boolean;
  /** Leaves quotes of keys as they are; default false: removed where JSON5 needs none. */
  keep_quotes?: boolean;
  /** Default true. */
  comments?: boolean;
  /** How a key or leaf is written; default as it stands in the source. */
  spell?: (node: number, text: string) => string;
}

const PIECE_LENGTH = 1 << 16;

/** The text in pieces; lines end in LF, the last one too. */
export function* formatJson5(document: Json5Document, options: FormatOptions = {}): Generator<string> {
  const formatter = new Formatter(document, options);
  const { count } = document.tokens;
  while (formatter.token < count - 1) {
    formatter.step();
    if (formatter.out.length > PIECE_LENGTH) yield formatter.take();
  }
  formatter.finish();
  yield formatter.take();
}

export function formatJson5Text(document: Json5Document, options: FormatOptions = {}): string {
  return Array.from(formatJson5(document, options)).join("");
}

class Formatter {
  out = "";
  token = 0;
  readonly #trailing: boolean;
  readonly #collapsible: Uint8Array | undefined;
  readonly #indent: string;
  /** Per open container: printed on one line? */
  readonly #open: boolean[] = [];
  #newline = "\n";
  /** The node that the next key, leaf or opening bracket belongs to. */
  #node = 0;
  /** Comments since the last printed token, each with the line ends before it. */
  #comments: number[] = [];
  #breaks: number[] = [];
  #line_ends = 0;
  #at_start = true;
  #just_opened = false;
  #after_colon = false;
  /** A line comment beside a colon has just ended the line. */
  #on_new_line = false;

  constructor(readonly document: Json5Document, readonly options: FormatOptions) {
    this.#trailing = options.trailing_commas ?? true;
    this.#indent = " ".repeat(options.indent ?? 2);
    this.#collapsible = options.collapse_single ? collapsibleNodes(document) : undefined;
  }

  take(): string {
    const text = this.out;
    this.out = "";
    return text;
  }

  step(): void {
    const { tokens } = this.document;
    const token = this.token++;
    const kind = tokens.kindAt(token);
    switch (kind) {
      case TokenKind.whitespace:
      case TokenKind.comma:
        return;
      case TokenKind.line_end:
        this.#line_ends++;
        return;
      case TokenKind.line_comment:
      case TokenKind.block_comment:
        if (this.options.comments === false) return;
        this.#comments.push(token);
        this.#breaks.push(this.#line_ends);
        this.#line_ends = 0;
        return;
      case TokenKind.colon:
        this.#inlineGap();
        this.out += ":";
        this.#after_colon = true;
        this.#on_new_line = false;
        return;
      case TokenKind.brace_close:
      case TokenKind.bracket_close:
        this.#close(token);
        return;
      default:
        this.#item(token, kind);
    }
  }

  finish(): void {
    this.#gap(true);
    this.out += "\n";
  }

  #item(token: number, kind: TokenKind): void {
    if (this.#after_colon) {
      this.#inlineGap();
      this.out += this.#on_new_line ? "" : " ";
      this.#after_colon = this.#on_new_line = false;
    } else if (this.#isOneLine()) {
      this.#line_ends = 0;
    } else {
      this.#gap(false);
    }
    this.#at_start = this.#just_opened = false;
    const node = this.#node++;
    if (kind === TokenKind.brace_open || kind === TokenKind.bracket_open) this.#openContainer(token, node);
    else {
      const is_key = this.document.kindOf(node) === NodeKind.key;
      this.out += this.#spelled(node, token, is_key);
      if (!is_key) this.#comma(token);
    }
  }

  #openContainer(token: number, node: number): void {
    const { tokens, nodes } = this.document;
    const opener = tokens.textOf(token);
    const last = nodes.last_tokens[node];
    if (nodes.nexts[node] === node + 1 && !this.#commentBetween(token, last)) {
      this.out += opener === "{" ? "{}" : "[]";
      this.#jumpTo(last + 1);
      this.#comma(last);
      return;
    }
    if (this.options.sort_arrays && opener === "[" && this.#printSorted(node)) return;
    const one_line = this.#collapsible?.[node] === 1;
    this.#open.push(one_line);
    this.out += one_line && opener === "{" ? "{ " : opener;
    this.#just_opened = true;
    this.#newline = "\n" + this.#indent.repeat(this.#open.length);
  }

  #close(token: number): void {
    const one_line = this.#isOneLine();
    if (!one_line) this.#gap(true);
    this.#line_ends = 0;
    this.#open.pop();
    this.#newline = "\n" + this.#indent.repeat(this.#open.length);
    const closer = this.document.tokens.textOf(token);
    if (one_line) this.out += closer === "}" ? " }" : closer;
    else this.out += this.#newline + closer;
    this.#just_opened = false;
    this.#comma(token);
  }

  /** The comma behind a value stands before any comment, wherever the source had it. */
  #comma(last_token: number): void {
    if (this.#open.length === 0) return;
    const { tokens } = this.document;
    let next = last_token + 1;
    while (tokens.isTrivia(next) || tokens.kindAt(next) === TokenKind.comma) next++;
    const kind = tokens.kindAt(next);
    const closes = kind === TokenKind.brace_close || kind === TokenKind.bracket_close;
    if (!closes || (this.#trailing && !this.#isOneLine())) this.out += ",";
  }

  #isOneLine(): boolean {
    return this.#open.length > 0 && this.#open[this.#open.length - 1];
  }

  /** Comments around a colon stay where they are; a line comment moves what follows to the next line. */
  #inlineGap(): void {
    const { tokens } = this.document;
    for (const comment of this.#comments) {
      this.out += (this.#on_new_line ? "" : " ") + tokens.textOf(comment);
      this.#on_new_line = tokens.kindAt(comment) === TokenKind.line_comment;
      if (this.#on_new_line) this.out += this.#newline;
    }
    this.#forget();
  }

  /**
   * What stands between two items: comments that end the line before, comments on lines of their own, comments that
   * lead the next item on its line; at most one blank line each time. Ends with the line break before the item,
   * or, when `closing`, without one.
   */
  #gap(closing: boolean): void {
    if (this.#comments.length === 0) {
      if (!closing) this.#break(this.#line_ends);
      this.#line_ends = 0;
      return;
    }
    const count = this.#comments.length;
    let first = 0;
    if (this.#breaks[0] === 0 && !this.#at_start) {
      let end = 1;
      while (end < count && this.#breaks[end] === 0) end++;
      if (end < count || this.#line_ends > 0 || closing) {
        for (; first < end; first++) this.#write(" ", this.#comments[first]);
      }
    }
    const leads = first < count && this.#line_ends === 0 && !closing;
    for (let i = first; i < count; i++) {
      if (i > first && this.#breaks[i] === 0) this.#write(" ", this.#comments[i]);
      else {
        this.#break(this.#breaks[i]);
        this.#write("", this.#comments[i]);
      }
    }
    if (leads) this.out += " ";
    else if (!closing) this.#break(this.#line_ends);
    this.#forget();
  }

  #write(before: string, comment: number): void {
    this.out += before + this.document.tokens.textOf(comment);
    this.#at_start = this.#just_opened = false;
  }

  #break(line_ends: number): void {
    if (this.#at_start) return;
    this.out += line_ends > 1 && !this.#just_opened ? "\n" + this.#newline : this.#newline;
  }

  #forget(): void {
    if (this.#comments.length > 0) this.#comments = [];
    if (this.#breaks.length > 0) this.#breaks = [];
    this.#line_ends = 0;
  }

  #jumpTo(token: number): void {
    this.token = token;
    this.#line_ends = 0;
  }

  #commentBetween(from: number, to: number): boolean {
    return this.options.comments !== false && hasComment(this.document, from, to);
  }

  #spelled(node: number, token: number, is_key: boolean): string {
    const { tokens, dialect } = this.document;
    const text = tokens.textOf(token);
    if (this.options.spell) return this.options.spell(node, text);
    if (!is_key || this.options.keep_quotes || dialect !== "json5") return text;
    return tokens.kindAt(token) === TokenKind.string && needsNoQuotes(text) ? text.slice(1, -1) : text;
  }

  /** False when the array holds a container or a comment: then its order stays. */
  #printSorted(node: number): boolean {
    const { document } = this;
    const children = Array.from(document.children(node));
    const last = document.lastTokenOf(node);
    if (children.some((child) => document.kindOf(child) <= NodeKind.array)) return false;
    if (this.#commentBetween(document.firstTokenOf(node), last)) return false;
    const items = children.map((child) => ({
      text: document.textOf(child),
      rank: rankOf(document, child),
      child,
    }));
    items.sort((a, b) => a.rank - b.rank || (a.text < b.text ? -1 : a.text > b.text ? 1 : 0));
    const one_line = this.#collapsible?.[node] === 1;
    const inner = one_line ? "" : this.#newline + this.#indent;
    const texts = items.map((item) => inner + (this.options.spell?.(item.child, item.text) ?? item.text));
    const end = one_line ? "]" : `${this.#trailing ? "," : ""}${this.#newline}]`;
    this.out += `[${texts.join(",")}${end}`;
    this.#node = document.next(node);
    this.#jumpTo(last + 1);
    this.#comma(last);
    return true;
  }
}

/** Numbers sort by value and stand before everything else; NaN sorts as text. */
function rankOf(document: Json5Document, node: number): number {
  if (document.kindOf(node) !== NodeKind.number) return Number.MAX_VALUE;
  const value = numeralValue(document.textOf(node));
  return Number.isNaN(value)
    ? Number.MAX_VALUE
    : Math.max(-Number.MAX_VALUE, Math.min(value, Number.MAX_VALUE));
}

/** True for a string literal whose content, without escapes, is an identifier. */
export function needsNoQuotes(literal: string): boolean {
  const end = literal.length - 1;
  if (end < 2 || !isIdentifierStart(literal.charCodeAt(1))) return false;
  for (let at = 2; at < end; at++) if (!isIdentifierPart(literal.charCodeAt(at))) return false;
  return true;
}

export function hasComment(document: Json5Document, from: number, to: number): boolean {
  for (let token = from; token < to; token++) {
    const kind = document.tokens.kindAt(token);
    if (kind === TokenKind.line_comment || kind === TokenKind.block_comment) return true;
  }
  return false;
}

/** One byte per node: a container whose only item is a leaf, empty, or collapsible itself, with no comment inside. */
function collapsibleNodes(document: Json5Document): Uint8Array {
  const { nodes } = document;
  const found = new Uint8Array(nodes.count);
  for (let node = nodes.count - 1; node >= 0; node--) {
    const kind = document.kindOf(node);
    if (kind > NodeKind.array) continue;
    const child = node + (kind === NodeKind.object ? 2 : 1);
    const end = document.next(node);
    if (child >= end || document.next(child) !== end) continue;
    const fits = document.kindOf(child) > NodeKind.array || end === child + 1 || found[child] === 1;
    if (fits && !hasComment(document, document.firstTokenOf(node), document.lastTokenOf(node))) {
      found[node] = 1;
    }
  }
  return found;
}
