/**
 * What the checker says: where, which rule, what is wrong, and what to do about it.
 */

export type Rule =
  | "layers"
  | "unknown room"
  | "outside import"
  | "eager import"
  | "registry reader"
  | "banned call"
  | "unregistered"
  | "registry is a barrel"
  | "unused"
  | "pending hides nothing"
  | "file length"
  | "function length"
  | "drawer name"
  | "snake_case"
  | "module comment"
  | "unfinished"
  | "only"
  | "unexplained ignore";

export interface Problem {
  path: string;
  /** From 1; 0 when the whole file is meant. */
  line: number;
  rule: Rule;
  problem: string;
  remedy: string;
}

/** Path inside the repository → source text. */
export type Tree = ReadonlyMap<string, string>;

export function problemText({ path, line, rule, problem, remedy }: Problem): string {
  return `${path}${line > 0 ? `:${line}` : ""}: ${rule}: ${problem}\n    remedy: ${remedy}`;
}
