/**
 * Random JSON5 texts, for property tests: every production of the grammar, odd white space and comments between tokens,
 * and (on request) a few random edits that usually break the text. Same seed, same texts.
 */
import type { Random } from "../../../../lib/base/random.ts";

const GAPS = [
  " ",
  "\t",
  "\n",
  "\r\n",
  "\r",
  "\u00A0",
  "\uFEFF",
  "\u2003",
  "\v",
  "\f",
  "// c\n",
  "/* b */",
  "/***/",
];
const WORDS = [
  "a",
  "b1",
  "$",
  "_x",
  "true",
  "null",
  "NaN",
  "Infinity",
  "while",
  "ü",
  "\\u0061b",
  "漢字",
  "ﬁ",
];
const NUMERALS = [
  "0",
  "-0",
  "+1",
  ".5",
  "5.",
  "-.5e3",
  "1E+2",
  "12.50",
  "0xAf",
  "-0X10",
  "Infinity",
  "-Infinity",
]
  .concat(["+NaN", "NaN", "9007199254740993", "1e400", "123456789012345678901234567890", "1e-7", "0.1"]);
const PIECES = [
  "a",
  " ",
  "é",
  "😀",
  "\\n",
  "\\t",
  "\\b",
  "\\f",
  "\\r",
  "\\v",
  "\\0",
  "\\x41",
  "\\u00e9",
  "\\\n",
]
  .concat([
    "\\\r\n",
    "\\\r",
    "\\'",
    '\\"',
    "\\\\",
    "\\/",
    "\\a",
    "\\$",
    "\t",
    "{",
    "//",
    "\\ud83d\\ude00",
    "\u0001",
  ]);
const DEBRIS = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "'",
  "\\",
  "/",
  "*",
  "-",
  "+",
  ".",
  "0",
  "x",
  "e",
  "u",
  "\n",
  "#",
];

export function generateJson5(random: Random, broken = false): string {
  const text = gap(random) + value(random, 0) + gap(random);
  return broken ? damaged(random, text) : text;
}

function value(random: Random, depth: number): string {
  const choice = random.integer(0, depth > 5 ? 2 : 4);
  if (choice === 0) return random.pick(["true", "false", "null"]);
  if (choice === 1) return random.pick(NUMERALS);
  if (choice === 2) return string(random);
  const items: string[] = [];
  for (let left = random.integer(0, 5); left > 0; left--) {
    const item = gap(random) + value(random, depth + 1) + gap(random);
    items.push(choice === 3 ? item : gap(random) + key(random) + gap(random) + ":" + item);
  }
  const trailing = items.length > 0 && random.chance(0.3)
    ? "," + gap(random)
    : items.length > 0
    ? ""
    : gap(random);
  return choice === 3 ? `[${items.join(",")}${trailing}]` : `{${items.join(",")}${trailing}}`;
}

function key(random: Random): string {
  if (random.chance(0.1)) return '"__proto__"';
  return random.chance(0.5) ? random.pick(WORDS) : string(random);
}

function string(random: Random): string {
  const quote = random.pick(["'", '"']);
  let body = "";
  for (let left = random.integer(0, 8); left > 0; left--) body += random.pick(PIECES);
  if (random.chance(0.2)) body += quote === "'" ? '"' : "'";
  return quote + body + quote;
}

function gap(random: Random): string {
  let text = "";
  while (random.chance(0.3)) text += random.pick(GAPS);
  return text;
}

function damaged(random: Random, text: string): string {
  for (let left = random.integer(1, 3); left > 0; left--) {
    const at = random.integer(0, text.length);
    const cut = random.integer(0, 2);
    text = text.slice(0, at) + (random.chance(0.7) ? random.pick(DEBRIS) : "") + text.slice(at + cut);
  }
  return text;
}
