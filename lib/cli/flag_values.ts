/**
 * The second phase at the border: raw words into typed values. The first phase (program.ts) only tokenizes, so that
 * all wrong values of one command line are told at once, each naming its flag, what was given and what is wanted.
 */
import { quoted, UserError } from "../base/errors.ts";
import type { Flag, Flags, ListFlag, NumberFlag, TextFlag } from "./command.ts";

/** What the tokenizer saw: nothing, a bare flag, the last value, or every value. */
export type RawFlag = undefined | true | string | readonly string[];

const DECIMAL = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

/** Typed values of all `flags`; throws one UserError (exit 2) whose lines are all the problems. */
export function resolveFlags(
  flags: Flags,
  raw: Readonly<Record<string, RawFlag>>,
  hint?: string,
): Record<string, unknown> {
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  for (const [name, flag] of Object.entries(flags)) {
    values[name] = resolveFlag(flag, raw[name], (problem) => problems.push(`read "--${name}": ${problem}`));
  }
  if (problems.length > 0) throw new UserError(problems.join("\n"), { code: 2, hint });
  return values;
}

function resolveFlag(flag: Flag, raw: RawFlag, refuse: (problem: string) => void): unknown {
  switch (flag.type) {
    case "boolean":
      return raw === true;
    case "text":
      return resolveText(flag, raw as string | undefined, refuse);
    case "list":
      return resolveList(flag, raw as readonly string[] | undefined, refuse);
    case "number":
      return resolveNumber(flag, raw as string | undefined, refuse);
  }
}

function resolveText(
  flag: TextFlag,
  raw: string | undefined,
  refuse: (problem: string) => void,
): string | undefined {
  if (raw === undefined) {
    if (flag.required) refuse(`not given, want ${flag.value}`);
    return flag.default;
  }
  if (flag.choices && !flag.choices.includes(raw)) {
    refuse(`${quoted(raw)}, want one of ${flag.choices.join(", ")}`);
  }
  return raw;
}

function resolveList(
  flag: ListFlag,
  raw: readonly string[] | undefined,
  refuse: (problem: string) => void,
): string[] {
  if (raw === undefined) return [...flag.default ?? []];
  const items = raw.flatMap((text) => text.split(",")).map((item) => item.trim()).filter((item) =>
    item !== ""
  );
  if (items.length === 0) refuse(`empty list, want ${flag.value}[,${flag.value}…]`);
  for (const item of items) {
    if (flag.choices && !flag.choices.includes(item)) {
      refuse(`${quoted(item)}, want any of ${flag.choices.join(", ")}`);
    }
  }
  return items;
}

function resolveNumber(
  flag: NumberFlag,
  raw: string | undefined,
  refuse: (problem: string) => void,
): number | undefined {
  if (raw === undefined) {
    if (flag.required) refuse(`not given, want ${wantedNumber(flag)}`);
    return flag.default;
  }
  const value = DECIMAL.test(raw) ? Number(raw) : NaN;
  const right = Number.isFinite(value) && (!flag.integer || Number.isSafeInteger(value)) &&
    value >= (flag.min ?? -Infinity) && value <= (flag.max ?? Infinity);
  if (!right) refuse(`${quoted(raw)}, want ${wantedNumber(flag)}`);
  return value;
}

/** "a whole number from 1 to 65535" */
export function wantedNumber(flag: NumberFlag): string {
  const kind = flag.integer ? "a whole number" : "a number";
  if (flag.min !== undefined && flag.max !== undefined) return `${kind} from ${flag.min} to ${flag.max}`;
  if (flag.min !== undefined) return `${kind}, at least ${flag.min}`;
  if (flag.max !== undefined) return `${kind}, at most ${flag.max}`;
  return kind;
}
