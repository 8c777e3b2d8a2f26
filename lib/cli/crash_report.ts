/**
 * What a person sees of an error that nobody expected: its reason in one line, and the stack only when asked for by
 * `--log-level debug` or `trace`. Expected failures are UserErrors and never come here.
 */
import { reasonOf } from "../base/errors.ts";

export interface CrashReport {
  message: string;
  hint: string;
  /** With a newline at the end; empty when it was not asked for. */
  stack: string;
}

export function crashReport(error: unknown, argv: readonly string[]): CrashReport {
  const wants_stack = /--log-level[= ](debug|trace)\b/.test(argv.join(" "));
  return {
    message: `finish the command: unexpected error: ${reasonOf(error)}`,
    hint: wants_stack
      ? "please report this with the lines below"
      : "--log-level debug shows where it happened",
    stack: wants_stack && error instanceof Error ? `${error.stack}\n` : "",
  };
}
