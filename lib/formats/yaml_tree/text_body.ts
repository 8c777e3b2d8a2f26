/**
 * A text as the value of a key: a literal block where every reader gives the same text back, else a quoted scalar. Texts
 * of one line, with characters that YAML readers treat as line ends or refuse, or ending in odd space are quoted.
 */
import type { LocatedScalar } from "../located.ts";
import { yamlString } from "../yaml/scalar_text.ts";
import type { Body } from "./block_tree.ts";

const PRINTABLE = /^[\t\n\x20-\x7E\xA0-\u2027\u202A-\uD7FF\uE000-\uFEFE\uFF00-\uFFFD\u{10000}-\u{10FFFF}]*$/u;

export function textBody(text: string): Extract<Body, { kind: "inline" }> {
  const value: LocatedScalar = { kind: "scalar", value: text, text, offset: 0, end: text.length };
  if (!isLiteral(text)) return { kind: "inline", rest: yamlString(text), lines: [], value };
  const [leading] = /^[ \t\n]*/.exec(text)!;
  const indicator = /[ \t]/.test(leading) ? "2" : "";
  const lines = text.split("\n");
  if (text.endsWith("\n")) lines.pop();
  return {
    kind: "inline",
    rest: `|${indicator}${text.endsWith("\n") ? "" : "-"}`,
    lines: lines.map((line) => (line === "" ? "" : `  ${line}`)),
    value,
  };
}

function isLiteral(text: string): boolean {
  return text.includes("\n") && PRINTABLE.test(text) && /[^ \t\n]/.test(text) &&
    !/\n[ \t\n]*\n$|[ \t]$/.test(text);
}
