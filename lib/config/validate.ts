/**
 * Zod's verdict in the house's words: every issue with path, line and column, the value found in quotes (never a
 * secret's), then what is wanted. A schema's own message is kept; one that starts with "want" gets the value before it.
 */
import { z } from "zod";
import { quoted } from "../base/errors.ts";
import { isSecretKey } from "../base/redact.ts";
import type { LocatedScalar, LocatedValue } from "../formats/located.ts";
import { nearestWord } from "./nearest_word.ts";
import type { ConfigPath, ProblemList } from "./problem.ts";
import { locatedAt, offsetAt } from "./resolve.ts";
import { childOf, narrowed, plainProbe, type Schema } from "./schema_walk.ts";
import { isSecret, withoutUrlPasswords } from "./secret.ts";

/** Stands for "this schema has no message of its own". */
const DEFAULT_MESSAGE = "\u0000";

/**
 * The parsed output, or undefined when problems were added. `plain` comes from `resolve`, `root` tells the
 * places; scalars in `opened` were encrypted and are never shown.
 */
export function validate<T>(
  schema: z.ZodType<T>,
  plain: unknown,
  root: LocatedValue,
  problems: ProblemList,
  opened: ReadonlySet<LocatedScalar> = new Set(),
): T | undefined {
  const result = schema.safeParse(plain, { error: () => DEFAULT_MESSAGE });
  if (result.success) return result.data;
  for (const issue of result.error.issues) report(issue, [], schema, plain, root, problems, opened);
  if (problems.size === 0) problems.add(root.offset, [], "not a valid config");
  return undefined;
}

function report(
  issue: z.core.$ZodIssue,
  above: ConfigPath,
  schema: Schema,
  plain: unknown,
  root: LocatedValue,
  problems: ProblemList,
  opened: ReadonlySet<LocatedScalar>,
): void {
  const path = [...above, ...issue.path.map((step) => typeof step === "number" ? step : String(step))];
  if (problems.covers(path)) return;
  if (issue.code === "unrecognized_keys") {
    // Mostly `resolve` reported them already, with suggestions; not inside a union that it could not decide.
    for (const key of issue.keys) {
      const key_path = [...path, key];
      if (!problems.covers(key_path)) problems.add(offsetAt(root, key_path), key_path, "unknown key");
    }
    return;
  }
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    // The branch that took the value's shape and only then stumbled says most.
    const inside = issue.errors.find((branch) => branch.every((inner) => inner.path.length > 0));
    if (inside) {
      for (const inner of inside) report(inner, path, schema, plain, root, problems, opened);
      return;
    }
  }
  const { value, secret: declared } = at(schema, plain, path);
  const located = locatedAt(root, path);
  const secret = declared || (located?.kind === "scalar" && opened.has(located));
  const found = shown(value, secret);
  problems.add(offsetAt(root, path), path, messageFor(issue, value, found, secret));
}

function messageFor(issue: z.core.$ZodIssue, value: unknown, found: string, secret: boolean): string {
  if (issue.message !== DEFAULT_MESSAGE) {
    return issue.message.startsWith("want") ? `${found}, ${issue.message}` : issue.message;
  }
  switch (issue.code) {
    case "invalid_type":
      return `${found}, want ${typeName(issue.expected)}${quotesHint(issue.expected, value)}`;
    case "too_small":
    case "too_big":
      return `${boundFound(value, found)}, want ${boundWanted(issue)}`;
    case "invalid_format":
      return `${found}, want ${formatName(issue)}`;
    case "not_multiple_of":
      return `${found}, want a multiple of ${issue.divisor}`;
    case "invalid_value":
      return oneOf(
        issue.path.at(-1) === "kind" ? "kind" : "value",
        value,
        found,
        secret,
        issue.values.map(String),
      );
    case "invalid_union": {
      const options = (issue as { options?: readonly unknown[] }).options;
      if (options) return oneOf(String(issue.path.at(-1)), value, found, secret, options.map(String));
      const wanted = issue.errors.flat().map((inner) =>
        inner.code === "invalid_type" ? typeName(inner.expected) : messageFor(inner, value, "", true)
      );
      return `${found}, want ${[...new Set(wanted)].join(" or ").replaceAll(", want ", "")}`;
    }
    default:
      return `${found}: ${issue.code.replaceAll("_", " ")}`;
  }
}

function oneOf(
  noun: string,
  value: unknown,
  found: string,
  secret: boolean,
  known: readonly string[],
): string {
  if (known.length === 0) return `${found}: no ${noun} is known here`;
  const list = known.map((word) => JSON.stringify(word)).join(", ");
  const near = typeof value === "string" && !secret ? nearestWord(value, known) : undefined;
  if (known.length === 1) return `${found}, want ${list}`;
  if (near) return `unknown ${noun} ${found}: did you mean "${near}"? Known: ${list}`;
  return value === undefined
    ? `missing, want one of ${list}`
    : `unknown ${noun} ${found}: want one of ${list}`;
}

function at(schema: Schema, plain: unknown, path: ConfigPath): { value: unknown; secret: boolean } {
  let current: Schema | undefined = schema;
  let value = plain;
  let secret = isSecret(current);
  for (const step of path) {
    current = childOf(narrowed(current, plainProbe(value)), step);
    const inside = typeof value === "object" && value !== null && Object.hasOwn(value, step);
    value = inside ? (value as Record<string | number, unknown>)[step] : undefined;
    secret ||= isSecret(current) || (typeof step === "string" && isSecretKey(step));
  }
  return { value, secret };
}

function shown(value: unknown, secret: boolean): string {
  if (value === undefined) return "missing";
  if (secret) return "this secret";
  if (value === null) return "empty";
  if (Array.isArray(value)) return "a list";
  if (typeof value === "object") return "a mapping";
  return typeof value === "string" ? quoted(withoutUrlPasswords(value)) : String(value);
}

function typeName(expected: string): string {
  switch (expected) {
    case "string":
      return "text";
    case "int":
      return "a whole number";
    case "boolean":
      return "true or false";
    case "array":
    case "tuple":
      return "a list";
    case "object":
    case "record":
      return "a mapping";
    case "null":
      return "nothing";
    default:
      return `a ${expected}`;
  }
}

function quotesHint(expected: string, value: unknown): string {
  const scalar = typeof value === "number" || typeof value === "boolean";
  return expected === "string" && scalar ? ": put it in quotes" : "";
}

function boundFound(value: unknown, found: string): string {
  if (Array.isArray(value)) return value.length === 1 ? "1 item" : `${value.length} items`;
  if (typeof value !== "string") return found;
  return value === "" ? "empty" : `${found} (${value.length} characters)`;
}

function boundWanted(issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig): string {
  const small = issue.code === "too_small";
  const bound = small ? issue.minimum : issue.maximum;
  const counted = issue.origin === "array" || issue.origin === "set" || issue.origin === "string";
  if (!counted) return `${issue.inclusive ? (small ? "≥" : "≤") : small ? ">" : "<"} ${bound}`;
  const unit = issue.origin === "string" ? "character" : "item";
  return `${small ? "at least" : "at most"} ${bound} ${unit}${Number(bound) === 1 ? "" : "s"}`;
}

function formatName(issue: z.core.$ZodIssueInvalidStringFormat): string {
  switch (issue.format) {
    case "url":
      return "a URL";
    case "regex":
      return `a match of ${issue.pattern}`;
    case "starts_with":
      return `a text that starts with ${quoted((issue as { prefix?: string }).prefix)}`;
    case "ends_with":
      return `a text that ends with ${quoted((issue as { suffix?: string }).suffix)}`;
    default:
      return `the format ${issue.format}`;
  }
}
