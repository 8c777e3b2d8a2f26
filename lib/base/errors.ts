/**
 * Errors that a person reads. Purpose: one class carries what the top level prints (message, hint, exit code), so no
 * command formats errors itself. Wording: action first, value in quotes, current then wanted state, no full stop.
 * Refuses: stack traces for users; those stay in the log at debug.
 */

import { knownSecrets } from "./known_secrets.ts";

/** 1: it was tried and failed. 2: it was asked wrongly (flags, config). */
export type FailureCode = 1 | 2;

/** An expected failure: printed as `error: <message>` and, when given, `hint: <hint>`. */
export class UserError extends Error {
  override readonly name = "UserError";
  constructor(
    message: string,
    readonly options: { code?: FailureCode; hint?: string; cause?: unknown } = {},
  ) {
    super(message, { cause: options.cause });
  }
  get code(): FailureCode {
    return this.options.code ?? 1;
  }
  get hint(): string | undefined {
    return this.options.hint;
  }
}

/** What an unknown thrown value says, in one line. */
export function reasonOf(error: unknown): string {
  if (error instanceof Error) return error.message || error.name;
  return String(error);
}

/** The value in quotes, shortened so that hostile input cannot flood a log. */
export function quoted(value: unknown, max_length = 80): string {
  // before shortening: a cut secret would no longer be known
  const text = knownSecrets.mask(typeof value === "string" ? value : JSON.stringify(value) ?? String(value));
  return JSON.stringify(text.length > max_length ? text.slice(0, max_length) + "…" : text);
}
