/**
 * JSON5 to YAML in block style, comments and blank lines carried over: one walk over the tokens with its own stack.
 * `//` and block comments become `#` lines; a comment behind a value stays behind it; one that has no line of its own
 * in YAML (around a colon, behind a bracket) moves to the nearest line. Keys keep their order, numerals their value.
 */
import { type Json5Document, NodeKind } from "../json5/document.ts";
import { TokenKind } from "../json5/tokens.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { DEFAULT_MAX_NODES } from "./compose.ts";
import { yamlNumeral, yamlString } from "./scalar_text.ts";

/** Readers refuse longer keys without the explicit "?" form (YAML 1.2.2 §7.4.2: 1,024 characters). */
const MAX_IMPLICIT_KEY = 1_000;
const PIECE_LENGTH = 1 << 16;

/** The text in pieces. Repeated keys are the caller's to refuse. */
export function* yamlFromJson5(document: Json5Document): Generator<string> {
  const writer = new Writer(document);
  const count = document.tokens.count - 1;
  for (let token = 0; token < count; token++) {
    writer.step(token);
    if (writer.out.length > PIECE_LENGTH) yield writer.take();
  }
  writer.finish();
  yield writer.take();
}

/** Keys that may need the explicit form, escapes written out. */
const LONG_KEY = MAX_IMPLICIT_KEY / 6;

/**
 * Refuses, with its place, what our own reader would refuse as YAML: more values, lines of comments, blank lines and long
 * keys than it takes nodes (each is at most eight tokens). The depth is the parser's to limit: DEFAULT_MAX_DEPTH.
 */
export function refuseUnreadable(document: Json5Document, max_nodes = DEFAULT_MAX_NODES): void {
  const { tokens, source } = document;
  let left = max_nodes;
  let node = 0;
  let line_ends = 0;
  for (let token = 0; token < tokens.count - 1; token++) {
    const kind = tokens.kindAt(token);
    if (kind === TokenKind.line_end) {
      if (++line_ends === 2) left--;
    } else if (kind !== TokenKind.whitespace && kind !== TokenKind.comma) line_ends = 0;
    if (kind === TokenKind.line_comment) left--;
    else if (kind === TokenKind.block_comment) left -= commentLines(tokens.textOf(token), true).length;
    else if (node < document.nodes.count && token === document.firstTokenOf(node)) {
      const is_key = document.kindOf(node++) === NodeKind.key;
      if (!is_key || tokens.endOf(token) - tokens.startOf(token) > LONG_KEY) left--;
    }
    if (left < 0) {
      const reason =
        `more than ${max_nodes} values and lines of comments, which YAML readers refuse: want less`;
      throw new SyntaxFault(source, tokens.startOf(token), reason);
    }
  }
}

interface Level {
  is_array: boolean;
  /** Spaces before its items. */
  indent: number;
  items: number;
}

class Writer {
  out = "";
  readonly #levels: Level[] = [];
  #node = 0;
  /** Comments since the last printed thing; `breaks` are the line ends before each. */
  #comments: string[][] = [];
  #breaks: number[] = [];
  #line_ends = 0;
  /** Text stands on the current line: a comment may follow it. */
  #line_open = false;
  /** A dash was just written: the next item may stand behind it. */
  #after_dash = false;
  #after_key = false;

  constructor(readonly document: Json5Document) {}

  take(): string {
    const text = this.out;
    this.out = "";
    return text;
  }

  step(token: number): void {
    const { tokens } = this.document;
    const kind = tokens.kindAt(token);
    switch (kind) {
      case TokenKind.whitespace:
      case TokenKind.comma:
      case TokenKind.colon:
        return;
      case TokenKind.line_end:
        this.#line_ends++;
        return;
      case TokenKind.line_comment:
      case TokenKind.block_comment:
        this.#comments.push(commentLines(tokens.textOf(token), kind === TokenKind.block_comment));
        this.#breaks.push(this.#line_ends);
        this.#line_ends = 0;
        return;
      case TokenKind.brace_close:
      case TokenKind.bracket_close:
        this.#gap(true);
        this.#levels.pop();
        return;
      default:
        this.#item(this.#node++);
    }
  }

  finish(): void {
    this.#gap(true);
    if (this.#line_open) this.out += "\n";
  }

  #item(node: number): void {
    const kind = this.document.kindOf(node);
    const level = this.#levels.at(-1);
    if (kind === NodeKind.key) {
      this.#startItem(level!);
      this.#key(node);
      return;
    }
    const beside_key = this.#after_key ? this.#takeInline() : "";
    if (this.#after_key) this.#after_key = false;
    else if (level) {
      this.#startItem(level);
      this.out += "-";
      this.#after_dash = true;
    } else this.#gap(false);
    if (kind > NodeKind.array) this.#put(this.#scalar(node, kind) + beside_key);
    else this.#container(node, kind, beside_key);
  }

  #container(node: number, kind: number, beside_key: string): void {
    if (this.document.next(node) === node + 1) {
      this.#put((kind === NodeKind.array ? "[]" : "{}") + beside_key);
    } else if (beside_key !== "") {
      this.out += beside_key;
      this.#after_dash = false;
    }
    this.#line_open ||= this.#levels.length > 0;
    const parent = this.#levels.at(-1);
    // A blank line keeps the head comment the document's own: YAML readers would give it to the first key.
    if (!parent && /[^\n]\n$/.test(this.out)) this.out += "\n";
    const indent = parent ? parent.indent + 2 : 0;
    this.#levels.push({ is_array: kind === NodeKind.array, indent, items: 0 });
  }

  #scalar(node: number, kind: number): string {
    const text = this.document.textOf(node);
    if (kind === NodeKind.string) return yamlString(this.document.scalarValue(node) as string);
    return kind === NodeKind.number ? yamlNumeral(text) : text;
  }

  /** A value behind a key or dash, or at the start of its line. */
  #put(text: string): void {
    const beside = this.#line_open || this.#after_dash;
    this.out += (beside ? " " : "") + text;
    this.#line_open = true;
    this.#after_dash = false;
  }

  #key(node: number): void {
    const text = yamlString(this.document.keyText(node));
    const indent = this.#levels.at(-1)!.indent;
    this.out += text.length > MAX_IMPLICIT_KEY ? `? ${text}\n${" ".repeat(indent)}:` : `${text}:`;
    this.#line_open = this.#after_key = true;
  }

  /** Ends the line before and indents, or stays behind a dash when nothing stands between. */
  #startItem(level: Level): void {
    const joins = this.#after_dash && level.items === 0 && this.#comments.length === 0;
    level.items++;
    if (joins) {
      this.out += " ";
      this.#after_dash = false;
      this.#line_ends = 0;
      return;
    }
    this.#gap(false, level.items === 1);
    this.out += " ".repeat(level.indent);
    this.#after_dash = false;
  }

  /** Comments and blank lines before the next item or the end of a container. */
  #gap(closing: boolean, first_item = false): void {
    let at = 0;
    const indent = " ".repeat(this.#levels.at(-1)?.indent ?? 0);
    if (this.#line_open || this.#after_dash) {
      for (; at < this.#comments.length && this.#breaks[at] === 0; at++) {
        const follows = this.#line_ends > 0 || closing || at + 1 < this.#comments.length;
        if (!follows) break;
        this.out += ` #${inlined(this.#comments[at])}`;
      }
      if (closing && at === this.#comments.length) {
        this.#forget();
        return;
      }
      this.out += "\n";
      this.#line_open = this.#after_dash = false;
    }
    for (let i = at; i < this.#comments.length; i++) {
      if (this.#breaks[i] > 1 && !(first_item && i === 0) && this.out !== "") this.out += "\n";
      for (const line of this.#comments[i]) this.out += `${indent}#${line}\n`;
    }
    if (this.#line_ends > 1 && !closing && (!first_item || this.#comments.length > at)) this.out += "\n";
    this.#forget();
  }

  /** Comments between a key and its value, for the end of that line. */
  #takeInline(): string {
    const text = this.#comments.map((lines) => ` #${inlined(lines)}`).join("");
    this.#forget();
    return text;
  }

  #forget(): void {
    if (this.#comments.length > 0) this.#comments = [];
    if (this.#breaks.length > 0) this.#breaks = [];
    this.#line_ends = 0;
  }
}

/** What follows each "#": the text without slashes and stars; block comments lose their common leading " * ". */
function commentLines(text: string, is_block: boolean): string[] {
  if (!is_block) return [readable(text.slice(2))];
  const lines = text.slice(2, -2).split(/\r\n|[\n\r\u2028\u2029]/);
  const bare = lines.map((line, i) => {
    const inner = i === 0 ? line.replace(/^\*/, "") : line.replace(/^\s*\*?/, "");
    const trimmed = readable(inner.trimEnd());
    return trimmed !== "" && !/^\s/.test(trimmed) ? ` ${trimmed}` : trimmed;
  });
  const kept = bare.filter((line, i) => line !== "" || (i > 0 && i < bare.length - 1));
  return kept.length > 0 ? kept : [""];
}

/** YAML refuses control characters even in comments, so they are told by their number. */
function readable(text: string): string {
  return text.replace(
    /[^\t\x20-\x7E\xA0-\u2027\u202A-\uD7FF\uE000-\uFEFE\uFF00-\uFFFD\u{10000}-\u{10FFFF}]/gu,
    (char) => `\\u${char.charCodeAt(0).toString(16).padStart(4, "0")}`,
  );
}

function inlined(lines: readonly string[]): string {
  return lines.join(" ").replace(/\s+/g, " ").trimEnd();
}
