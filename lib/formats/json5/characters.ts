/**
 * Character classes of ES 5.1 as JSON5 uses them. ASCII goes through one table; the rest through Unicode properties.
 * ES 5.1 classifies single UTF-16 units, so a character beyond U+FFFF never belongs to an identifier.
 */

export const SPACE = 1;
export const LINE_END = 2;
export const DIGIT = 4;
export const IDENTIFIER_START = 8;

/** Bit set per ASCII code: SPACE (JSON5's, so with VT and FF), LINE_END, DIGIT, IDENTIFIER_START. */
export const asciiClass: Uint8Array = (() => {
  const table = new Uint8Array(128);
  for (const code of [9, 11, 12, 32]) table[code] = SPACE;
  table[10] = table[13] = LINE_END;
  for (let code = 48; code < 58; code++) table[code] = DIGIT;
  for (let code = 65; code < 91; code++) table[code] = table[code + 32] = IDENTIFIER_START;
  table[36] = table[95] = IDENTIFIER_START;
  return table;
})();

const letter = /^[\p{Lu}\p{Ll}\p{Lt}\p{Lm}\p{Lo}\p{Nl}]$/u;
const continuation = /^[\p{Mn}\p{Mc}\p{Nd}\p{Pc}\u200C\u200D]$/u;
const separator = /^\p{Zs}$/u;

/** NBSP, BOM and the other space separators; ASCII is answered by the table. */
export function isWideSpace(code: number): boolean {
  return code === 0xFEFF || separator.test(String.fromCharCode(code));
}
export function isLineEnd(code: number): boolean {
  return code === 10 || code === 13 || code === 0x2028 || code === 0x2029;
}
export function isIdentifierStart(code: number): boolean {
  if (code < 128) return asciiClass[code] === IDENTIFIER_START;
  return letter.test(String.fromCharCode(code));
}
export function isIdentifierPart(code: number): boolean {
  if (code < 128) return (asciiClass[code] & (IDENTIFIER_START | DIGIT)) !== 0;
  const char = String.fromCharCode(code);
  return letter.test(char) || continuation.test(char);
}
/** 0…15, or -1; NaN (past the end) gives -1. */
export function hexValue(code: number): number {
  if (code >= 48 && code <= 57) return code - 48;
  const lower = code | 32;
  return lower >= 97 && lower <= 102 ? lower - 87 : -1;
}
