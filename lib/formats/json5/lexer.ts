/**
 * Text to tokens for JSON5, JSONC and JSON by one scanner; the stricter dialects switch rules off. Single pass, no
 * recursion, no substring per token. Throws a SyntaxFault at the first character that no token can hold.
 * Rules: spec.json5.org §3–8 (JSON5), RFC 8259 (JSON), JSON plus comments and trailing commas (JSONC).
 */
import type { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";
import {
  asciiClass,
  DIGIT,
  isIdentifierPart,
  isIdentifierStart,
  isLineEnd,
  isWideSpace,
  LINE_END,
  SPACE,
} from "./characters.ts";
import { scanNumeral } from "./numeral.ts";
import { scanString, unicodeEscapeAt } from "./string_literal.ts";
import { TokenKind, TokenList } from "./tokens.ts";

/** Which rules apply: JSON5, JSON with comments and trailing commas, or RFC 8259. */
export type Dialect = "json5" | "jsonc" | "json";

/** All tokens of the text, an end token last. */
export function tokenize(source: SourceText, dialect: Dialect = "json5"): TokenList {
  const { text } = source;
  const tokens = new TokenList(text);
  const relaxed = dialect === "json5";
  let at = 0;
  while (at < text.length) {
    const code = text.charCodeAt(at);
    const kind = code < 128 ? punctuators[code] : 0;
    if (kind !== 0) {
      tokens.push(kind as TokenKind, at++);
    } else if (code === 34 || (code === 39 && relaxed)) {
      tokens.push(TokenKind.string, at);
      at = scanString(source, at, relaxed);
    } else if (isSpace(code, at, relaxed)) {
      tokens.push(TokenKind.whitespace, at++);
      while (at < text.length && isSpace(text.charCodeAt(at), at, relaxed)) at++;
    } else if (code < 128 ? asciiClass[code] === LINE_END : relaxed && isLineEnd(code)) {
      tokens.push(TokenKind.line_end, at);
      at += code === 13 && text.charCodeAt(at + 1) === 10 ? 2 : 1;
    } else if (startsNumeral(code, relaxed)) {
      tokens.push(TokenKind.numeral, at);
      at = scanNumeral(source, at, relaxed);
    } else if (code === 47 && dialect !== "json") {
      at = scanComment(source, at, tokens, relaxed);
    } else {
      tokens.push(TokenKind.identifier, at);
      at = scanIdentifier(source, at, relaxed);
    }
  }
  tokens.push(TokenKind.end, at);
  return tokens;
}

const punctuators = new Uint8Array(128);
punctuators[0x7B] = TokenKind.brace_open;
punctuators[0x7D] = TokenKind.brace_close;
punctuators[0x5B] = TokenKind.bracket_open;
punctuators[0x5D] = TokenKind.bracket_close;
punctuators[0x3A] = TokenKind.colon;
punctuators[0x2C] = TokenKind.comma;

function isSpace(code: number, at: number, relaxed: boolean): boolean {
  if (code === 32 || code === 9) return true;
  if (code < 128) return relaxed && asciiClass[code] === SPACE;
  // A byte order mark at the very start is no part of the text in any dialect (RFC 8259 §8.1 lets readers ignore it).
  return relaxed ? isWideSpace(code) : code === 0xFEFF && at === 0;
}

function startsNumeral(code: number, relaxed: boolean): boolean {
  if (code >= 128) return false;
  return asciiClass[code] === DIGIT || code === 45 || (relaxed && (code === 43 || code === 46));
}

function scanComment(source: SourceText, start: number, tokens: TokenList, relaxed: boolean): number {
  const { text } = source;
  const next = text.charCodeAt(start + 1);
  if (next === 47) {
    tokens.push(TokenKind.line_comment, start);
    let at = start + 2;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === 10 || code === 13 || (relaxed && code >= 0x2028 && isLineEnd(code))) break;
      at++;
    }
    return at;
  }
  if (next === 42) {
    tokens.push(TokenKind.block_comment, start);
    const close = text.indexOf("*/", start + 2);
    if (close < 0) throw new SyntaxFault(source, start, 'block comment is never closed: want "*/"');
    return close + 2;
  }
  throw new SyntaxFault(source, start, 'found "/": want a comment ("//" or "/*") or a value');
}

function scanIdentifier(source: SourceText, start: number, relaxed: boolean): number {
  const { text } = source;
  let at = start;
  while (at < text.length) {
    let code = text.charCodeAt(at);
    let length = 1;
    if (code === 92 && relaxed) {
      code = unicodeEscapeAt(source, at);
      length = 6;
    }
    const legal = at === start ? isIdentifierStart(code) : isIdentifierPart(code);
    if (!legal) {
      if (length === 6) throw new SyntaxFault(source, at, "this escape does not stand for a letter of a key");
      break;
    }
    at += length;
  }
  if (at > start) return at;
  throw new SyntaxFault(source, start, unexpectedCharacter(text, start));
}

function unexpectedCharacter(text: string, at: number): string {
  const code = text.codePointAt(at)!;
  if (code === 39) return "found a single quote: want double quotes in this dialect";
  if (code === 35) return 'found "#": comments start with "//" here';
  const hex = `U+${code.toString(16).toUpperCase().padStart(4, "0")}`;
  const shown = code > 32 && code < 127 ? `"${String.fromCodePoint(code)}" (${hex})` : hex;
  return `found the character ${shown}: want a value, a key or punctuation`;
}
