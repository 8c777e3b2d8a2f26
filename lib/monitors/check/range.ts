/**
 * Ranges of the Monitoring Plugins guidelines, `[@]start:end`: a value alerts when it is outside, with `@` when it is
 * inside, ends included. `10` is 0 to 10, `10:` 10 and more, `~:10` 10 and less. Pure.
 */
import { quoted, UserError } from "../../base/errors.ts";

export interface Range {
  /** As it was written; perfdata repeats it. */
  readonly text: string;
  readonly start: number;
  readonly end: number;
  /** Alerts inside instead of outside. */
  readonly inside: boolean;
}

const NUMBER = String.raw`[+-]?(?:\d+(?:\.\d*)?|\.\d+)`;
const FORM = new RegExp(`^(@?)(?:(~|${NUMBER})?:)?(${NUMBER})?$`);

/** Undefined for what is no range. */
export function readRange(text: string): Range | undefined {
  const match = FORM.exec(text);
  if (!match) return undefined;
  const [, at, start_text, end_text] = match;
  if (!text.includes(":") && end_text === undefined) return undefined;
  // ":" alone says nothing, and neither plugin library takes it
  if (start_text === undefined && end_text === undefined) return undefined;
  const start = start_text === "~" ? -Infinity : Number(start_text ?? 0);
  const end = end_text === undefined ? Infinity : Number(end_text);
  if (start > end) return undefined;
  return { text, start, end, inside: at === "@" };
}

/** @throws UserError (exit 2) that names the flag */
export function rangeOf(flag: string, text: string): Range {
  const range = readRange(text);
  if (range) return range;
  throw new UserError(
    `read "${flag}": ${quoted(text)}, want a range such as 10, 10:, ~:10, 10:20 or @10:20`,
    {
      code: 2,
    },
  );
}

export function alerts(range: Range, value: number): boolean {
  const is_inside = value >= range.start && value <= range.end;
  return range.inside === is_inside;
}

/** What the range allows, for people: "want 10 to 20". */
export function wantedText({ start, end, inside }: Range): string {
  const not = inside ? "not " : "";
  if (start === -Infinity && end === Infinity) return `${not}any value`;
  if (start === -Infinity) return `${not}${end} or less`;
  if (end === Infinity) return `${not}${start} or more`;
  return start === 0 && !inside ? `at most ${end}` : `${not}${start} to ${end}`;
}
