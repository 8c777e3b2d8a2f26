/** One row of a terminal: spans cut to a width, painted in few colours or in none. */
import { cut, oneLine, widthOf } from "./fit_text.ts";
import { type Span, spansOf, type Tone, type Words } from "./screen.ts";

export interface Line {
  readonly spans: readonly Span[];
  /** The bar at the top, the selected row. */
  readonly is_inverse?: boolean;
}

const CODES: Readonly<Record<Tone, string>> = {
  plain: "",
  good: "32",
  warning: "33",
  bad: "1;31",
  dim: "2",
  strong: "1",
};

export function lineOf(words: Words, is_inverse = false): Line {
  return { spans: spansOf(words), is_inverse };
}

export function spansWidth(spans: readonly Span[]): number {
  return spans.reduce((sum, { text }) => sum + widthOf(oneLine(text)), 0);
}

/** Exactly `columns` wide. Without `color` there is no escape sequence in it. */
export function paintLine({ spans, is_inverse = false }: Line, columns: number, color: boolean): string {
  let room = columns;
  let painted = "";
  for (const { text, tone } of spans) {
    if (room <= 0) break;
    const shown = cut(oneLine(text), room);
    room -= widthOf(shown);
    const code = is_inverse ? "" : CODES[tone];
    painted += color && code !== "" && shown.trim() !== "" ? `\u001b[${code}m${shown}\u001b[0m` : shown;
  }
  painted += " ".repeat(Math.max(0, room));
  return is_inverse && color ? `\u001b[7m${painted}\u001b[0m` : painted;
}
