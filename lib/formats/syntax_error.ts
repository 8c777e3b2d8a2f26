/**
 * A text that is not what it should be, with its place: prints as `file:line:column: message`, the source line and a
 * caret under it. Very long lines are shown around the place only, and control characters are never echoed, so hostile
 * input cannot flood or steer a terminal.
 */
import { UserError } from "../base/errors.ts";
import type { Position, SourceText } from "./source_text.ts";

const SHOWN_COLUMNS = 100;

export class SyntaxFault extends UserError {
  readonly position: Position;
  /** The message without place and source line. */
  readonly reason: string;

  /** `offset` counts UTF-16 units into `source.text`. */
  constructor(readonly source: SourceText, readonly offset: number, reason: string) {
    const position = source.positionAt(offset);
    const place = `${source.name}:${position.line}:${position.column}`;
    super(`${place}: ${reason}\n${excerpt(source, position)}`);
    this.position = position;
    this.reason = reason;
  }
}

/** The source line, shortened around the column, and a caret line; both indented by two spaces. */
export function excerpt(source: SourceText, position: Position): string {
  const line = withoutUserinfo(source.lineText(position.line));
  const at = Math.min(position.column - 1, line.length);
  const from = Math.max(0, at - Math.floor(SHOWN_COLUMNS / 2));
  const to = Math.min(line.length, from + SHOWN_COLUMNS);
  const lead = from > 0 ? "…" : "";
  const shown = line.slice(from, to).replace(UNPRINTABLE, (char) => "\uFFFD".repeat(char.length));
  return `  ${lead}${shown}${to < line.length ? "…" : ""}\n  ${" ".repeat(lead.length + at - from)}^`;
}

// Same length in and out, so that the caret still stands under its character.
const UNPRINTABLE = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;

/** Hides the password of `scheme://user:password@host` with stars of the same length. */
function withoutUserinfo(line: string): string {
  return line.replace(
    /(:\/\/[^\s/:@"']*:)([^\s/@"']+)(?=@)/g,
    (_, lead: string, secret: string) => lead + "*".repeat(secret.length),
  );
}
