/** What is wrong, as lines of a screen; the gravest first, and no more than fit. */
import { type Span, type Tone, toned } from "../../tui/screen.ts";
import type { Level } from "../check/plugin_output.ts";
import type { Observation } from "./observer.ts";

const TONES: Readonly<Record<Level, Tone>> = {
  ok: "good",
  warning: "warning",
  critical: "bad",
  unknown: "dim",
};
const MAX_NOTICES = 4;

export function noticesOf({ problems }: Observation): Span[] {
  const shown = problems.slice(0, problems.length > MAX_NOTICES ? MAX_NOTICES - 1 : MAX_NOTICES);
  const lines = shown.map(({ level, text }): Span => toned(TONES[level], ` ${level.toUpperCase()} ${text}`));
  const rest = problems.length - shown.length;
  return rest > 0 ? [...lines, toned("dim", ` and ${rest} more`)] : lines;
}
