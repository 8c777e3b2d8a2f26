/**
 * Numerals: where one ends, and what it is worth. Scanning checks the grammar to the letter (no octal, no empty hex, no
 * glued letters); the value is computed on demand, since a formatter never needs it and prints the text as it was.
 */
import type { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { hexValue, isIdentifierStart } from "./characters.ts";

/** The end of the numeral at `start`; `relaxed` is JSON5, else RFC 8259. */
export function scanNumeral(source: SourceText, start: number, relaxed: boolean): number {
  const { text } = source;
  let at = start;
  const sign = text.charCodeAt(at);
  if (sign === 45 || sign === 43) at++;
  const first = text.charCodeAt(at);
  if (relaxed && (first === 73 || first === 78)) {
    const word = first === 73 ? "Infinity" : "NaN";
    if (!text.startsWith(word, at)) throw new SyntaxFault(source, start, "found a sign without a number");
    at += word.length;
  } else if (relaxed && first === 48 && (text.charCodeAt(at + 1) | 32) === 120) {
    const digits = at + 2;
    at = digits;
    while (hexValue(text.charCodeAt(at)) >= 0) at++;
    if (at === digits) throw new SyntaxFault(source, start, 'hexadecimal number: no digit after "0x"');
  } else {
    at = scanDecimal(source, start, at, relaxed);
  }
  const next = text.charCodeAt(at);
  if (isDigit(next) || next === 92 || isIdentifierStart(next)) {
    throw new SyntaxFault(source, at, "a number ends here: want a comma, a closing bracket or white space");
  }
  return at;
}

function scanDecimal(source: SourceText, start: number, from: number, relaxed: boolean): number {
  const { text } = source;
  let at = from;
  while (isDigit(text.charCodeAt(at))) at++;
  const whole = at - from;
  if (whole > 1 && text.charCodeAt(from) === 48) {
    throw new SyntaxFault(source, start, "number starts with 0: octal and padded numbers are not allowed");
  }
  let fraction = 0;
  if (text.charCodeAt(at) === 46) {
    const point = at++;
    while (isDigit(text.charCodeAt(at))) at++;
    fraction = at - point - 1;
    if (!relaxed && fraction === 0) throw new SyntaxFault(source, at, "number: want a digit after the point");
  }
  if (whole === 0 && (fraction === 0 || !relaxed)) {
    const alone = text.charCodeAt(start);
    const found = alone === 46 ? "point" : "sign";
    throw new SyntaxFault(source, start, `found a ${found} without a number`);
  }
  if ((text.charCodeAt(at) | 32) === 101) {
    at++;
    const sign = text.charCodeAt(at);
    if (sign === 43 || sign === 45) at++;
    if (!isDigit(text.charCodeAt(at))) throw new SyntaxFault(source, at, "exponent: want a decimal digit");
    while (isDigit(text.charCodeAt(at))) at++;
  }
  return at;
}

function isDigit(code: number): boolean {
  return code >= 48 && code <= 57;
}

/** The double nearest to a legal numeral; may be lossy, see `exactNumber`. */
export function numeralValue(text: string): number {
  const negative = text.charCodeAt(0) === 45;
  const bare = negative || text.charCodeAt(0) === 43 ? text.slice(1) : text;
  const value = Number(bare);
  return negative ? -value : value;
}

/** The value; a bigint where it is an integer that a double does not hold exactly. */
export function exactNumber(text: string): number | bigint {
  const value = numeralValue(text);
  if (Math.abs(value) < 2 ** 53 || !Number.isFinite(value)) return value;
  const bare = text.replace(/^[+-]/, "");
  if (!/^(0[xX][0-9a-fA-F]+|[0-9]+)$/.test(bare)) return value;
  const exact = text.startsWith("-") ? -BigInt(bare) : BigInt(bare);
  return BigInt(value) === exact ? value : exact;
}
