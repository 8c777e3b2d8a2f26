/**
 * Text by the columns it takes on a terminal, which is not its length: wide and combining characters, and no control
 * characters at all (a client's name must not move the cursor).
 */
import stringWidth from "string-width";

// deno-lint-ignore no-control-regex -- these are what is looked for
const CONTROL = /[\u0000-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;
const PLAIN = /^[\u0020-\u007e]*$/;
const segmenter = new Intl.Segmenter();

/** One line: line ends and tabs are blanks, other control characters are gone. */
export function oneLine(text: string): string {
  return PLAIN.test(text) ? text : text.replaceAll(/[\t\r\n]+/g, " ").replaceAll(CONTROL, "");
}

export function widthOf(text: string): number {
  return PLAIN.test(text) ? text.length : stringWidth(text, { ambiguousIsNarrow: true });
}

/** At most `width` columns, a cut marked by `…`. */
export function cut(text: string, width: number): string {
  if (widthOf(text) <= width) return text;
  if (width <= 0) return "";
  let taken = "";
  let used = 0;
  for (const { segment } of segmenter.segment(text)) {
    const step = widthOf(segment);
    if (used + step > width - 1) break;
    taken += segment;
    used += step;
  }
  return `${taken}…`;
}

/** Lines of at most `width` columns, broken between words where there are any; the second and further ones indented. */
export function wrap(text: string, width: number, indent = ""): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of oneLine(text).split(/(?<= )/)) {
    if (line.trim() !== "" && widthOf((line + word).trimEnd()) > width) {
      lines.push(line.trimEnd());
      line = indent;
    }
    line += word;
  }
  return [...lines, line.trimEnd()];
}

/** Exactly `width` columns. */
export function fit(text: string, width: number, align: "left" | "right" = "left"): string {
  const short = cut(text, width);
  const blank = " ".repeat(Math.max(0, width - widthOf(short)));
  return align === "left" ? short + blank : blank + short;
}
