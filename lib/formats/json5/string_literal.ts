/**
 * String literals and identifier escapes: where they end, and what they mean. All escapes of JSON5 §5: the single ones,
 * \0, \xHH, \uHHHH, line continuations, and any other character standing for itself (never a digit).
 */
import type { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { hexValue, isLineEnd } from "./characters.ts";

/** The end (behind the closing quote) of the string that opens at `start`; `relaxed` is JSON5, else RFC 8259. */
export function scanString(source: SourceText, start: number, relaxed: boolean): number {
  const { text } = source;
  const quote = text.charCodeAt(start);
  let at = start + 1;
  for (;;) {
    const code = text.charCodeAt(at);
    if (code === quote) return at + 1;
    if (code === 92) {
      at = escapeEnd(source, start, at, relaxed);
    } else if (code >= 32) {
      at++;
    } else if (code !== code) {
      throw new SyntaxFault(source, start, "string is never closed: the text ends first");
    } else if (code === 10 || code === 13) {
      throw new SyntaxFault(source, at, "string is not closed: the line ends first");
    } else if (relaxed) {
      at++;
    } else {
      throw new SyntaxFault(source, at, "string holds a raw control character: want an escape");
    }
  }
}

const STRICT_ESCAPES = '"\\/bfnrt';

function escapeEnd(source: SourceText, start: number, at: number, relaxed: boolean): number {
  const { text } = source;
  const code = text.charCodeAt(at + 1);
  if (code !== code) throw new SyntaxFault(source, start, "string is never closed: the text ends first");
  if (code === 117) {
    unicodeEscapeAt(source, at);
    return at + 6;
  }
  if (!relaxed) {
    if (STRICT_ESCAPES.includes(text[at + 1])) return at + 2;
    throw new SyntaxFault(source, at, "escape is not one of JSON's");
  }
  if (code === 120) {
    if (hexValue(text.charCodeAt(at + 2)) < 0 || hexValue(text.charCodeAt(at + 3)) < 0) {
      throw new SyntaxFault(source, at, "escape \\x: want two hexadecimal digits");
    }
    return at + 4;
  }
  if (code === 13 && text.charCodeAt(at + 2) === 10) return at + 3;
  if (code >= 48 && code <= 57) {
    const after = text.charCodeAt(at + 2);
    if (code !== 48 || (after >= 48 && after <= 57)) {
      throw new SyntaxFault(source, at, "octal escapes are not allowed: want \\x and two hexadecimal digits");
    }
  }
  return at + 2;
}

/** The UTF-16 unit that the `\uHHHH` at `at` stands for. */
export function unicodeEscapeAt(source: SourceText, at: number): number {
  const { text } = source;
  let unit = 0;
  for (let i = 2; i < 6; i++) {
    const digit = hexValue(text.charCodeAt(at + i));
    if (digit < 0 || text.charCodeAt(at + 1) !== 117) {
      throw new SyntaxFault(source, at, "escape \\u: want four hexadecimal digits");
    }
    unit = unit * 16 + digit;
  }
  return unit;
}

/** What a legal string literal (quotes included) means. */
export function stringValue(literal: string): string {
  const body = literal.slice(1, -1);
  return body.includes("\\") ? unescaped(body) : body;
}

/** What a legal unquoted key means: `\uHHHH` resolved. */
export function identifierValue(text: string): string {
  return text.includes("\\") ? unescaped(text) : text;
}

const single: Record<string, string> = {
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
  0: "\0",
};

function unescaped(body: string): string {
  let value = "";
  let from = 0;
  for (let at = body.indexOf("\\"); at >= 0; at = body.indexOf("\\", from)) {
    value += body.slice(from, at);
    const letter = body[at + 1];
    if (letter === "u" || letter === "x") {
      from = at + (letter === "u" ? 6 : 4);
      value += String.fromCharCode(parseInt(body.slice(at + 2, from), 16));
    } else if (isLineEnd(letter.charCodeAt(0))) {
      from = at + (letter === "\r" && body[at + 2] === "\n" ? 3 : 2);
    } else {
      from = at + 2;
      value += single[letter] ?? letter;
    }
  }
  return value + body.slice(from);
}
