/**
 * Configuration problems: collected, never thrown one by one, so that a person mends a file in one go. Each knows its
 * path in the config and its line and column in the file. `ConfigError` prints them all, in file order, up to a bound.
 */
import { UserError } from "../base/errors.ts";
import { isSecretKey } from "../base/redact.ts";
import type { SourceText } from "../formats/source_text.ts";
import { excerpt, SyntaxFault } from "../formats/syntax_error.ts";

export type ConfigPath = readonly (string | number)[];

export interface Problem {
  file: string;
  /** From 1. */
  line: number;
  /** From 1, UTF-16 units. */
  column: number;
  /** `sinks[0].url`; empty for the file as a whole. */
  path: string;
  message: string;
}

const MAX_PRINTED = 50;
/** Further problems are only counted, so that a hostile file costs neither memory nor time. */
const MAX_KEPT = 1_000;

/** `sinks[0].url`, with odd keys in brackets and quotes. */
export function pathText(path: ConfigPath): string {
  let text = "";
  for (const step of path) {
    if (typeof step === "number") text += `[${step}]`;
    else if (!/^[\p{L}_$][\p{L}\p{N}_$-]*$/u.test(step)) text += `[${JSON.stringify(step)}]`;
    else text += text ? `.${step}` : step;
  }
  return text;
}

export function problemText(problem: Problem): string {
  const { file, line, column, path, message } = problem;
  return `${file}:${line}:${column}: ${path ? `${path}: ` : ""}${message}`;
}

/** Gathers problems of one file. */
export class ProblemList {
  /** Problems in all, the merely counted ones included. */
  size = 0;
  readonly #found: { problem: Problem; offset: number; path: ConfigPath }[] = [];

  constructor(readonly source: SourceText) {}

  add(offset: number, path: ConfigPath, message: string): void {
    this.size++;
    if (this.#found.length >= MAX_KEPT) return;
    const { line, column } = this.source.positionAt(offset);
    const problem = { file: this.source.name, line, column, path: pathText(path), message };
    this.#found.push({ problem, offset, path });
  }
  /** True when this path, or one above it, already has a problem: a second complaint would only confuse. */
  covers(path: ConfigPath): boolean {
    return this.#found.some((known) =>
      known.path.length > 0 && known.path.length <= path.length &&
      known.path.every((step, i) => step === path[i])
    );
  }
  /** In file order. */
  sorted(): Problem[] {
    return this.#found.toSorted((a, b) => a.offset - b.offset).map((entry) => entry.problem);
  }
}

/** A config that cannot be used. Exit code 2: it was asked wrongly. */
export class ConfigError extends UserError {
  /** `total` counts problems that were too many to keep, too. */
  constructor(
    file: string,
    readonly problems: readonly Problem[],
    readonly total = problems.length,
    shown = listing(problems, total),
    hint = "`mdg config schema` prints every key that is allowed",
  ) {
    const count = total === 1 ? "1 problem" : `${total} problems`;
    super(`read config ${JSON.stringify(file)}: ${count}\n${shown}`, {
      code: 2,
      hint,
    });
  }
  static fromSyntax(fault: SyntaxFault): ConfigError {
    // Before the text is parsed no schema can tell what is secret, so the line's own words decide.
    const hidden = isSecretKey(fault.source.lineText(fault.position.line));
    const message = hidden ? "syntax error (the line seems to hold a secret and is not shown)" : fault.reason;
    const problem: Problem = { file: fault.source.name, ...fault.position, path: "", message };
    const lines = hidden ? "" : "\n" + indented(excerpt(fault.source, fault.position));
    return new ConfigError(fault.source.name, [problem], 1, `  ${problemText(problem)}${lines}`);
  }
}

function listing(problems: readonly Problem[], total: number): string {
  const lines = problems.slice(0, MAX_PRINTED).map((problem) => `  ${problemText(problem)}`);
  if (total > lines.length) lines.push(`  … and ${total - lines.length} more`);
  return lines.join("\n");
}
function indented(text: string): string {
  return text.replace(/^/gm, "  ");
}
