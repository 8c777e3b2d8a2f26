/**
 * Located values to plain data, led by the schema: repeated and unknown keys are reported with suggestions, numbers that
 * a double cannot hold are refused, `${…}` scalars take the type the schema wants, and an empty key (`key:` in YAML)
 * counts as absent where the schema knows no null. Value rules themselves are zod's (validate.ts).
 */
import type { LocatedMapping, LocatedScalar, LocatedValue } from "../formats/located.ts";
import { entryOf } from "../formats/located.ts";
import type { Interpolated } from "./interpolate.ts";
import { nearestWord } from "./nearest_word.ts";
import type { ConfigPath, ProblemList } from "./problem.ts";
import { accepts, childOf, closedKeys, locatedProbe, narrowed, type Schema } from "./schema_walk.ts";
import { isSecret } from "./secret.ts";

export function resolve(
  { value, retyped }: Interpolated,
  schema: Schema,
  problems: ProblemList,
  hints: ResolveHints = {},
): unknown {
  return new Resolver(retyped, problems, hints).plain(value, schema, []);
}

export interface ResolveHints {
  /** Further words that an unknown top-level key may have meant. */
  root_keys?: readonly string[];
}

class Resolver {
  constructor(
    readonly retyped: Interpolated["retyped"],
    readonly problems: ProblemList,
    readonly hints: ResolveHints,
  ) {}

  plain(value: LocatedValue, schema: Schema | undefined, path: ConfigPath): unknown {
    if (value.kind === "scalar") return this.#scalar(value, schema, path);
    const inner = narrowed(schema, locatedProbe(value));
    if (value.kind === "sequence") {
      return value.items.map((item, i) => this.plain(item, childOf(inner, i), [...path, i]));
    }
    return this.#mapping(value, inner, path);
  }

  #mapping(mapping: LocatedMapping, schema: Schema | undefined, path: ConfigPath): unknown {
    const closed = closedKeys(schema);
    const seen = new Map<string, number>();
    const plain: Record<string, unknown> = {};
    for (const { key, key_offset, value } of mapping.entries) {
      const first = seen.get(key);
      if (first !== undefined) {
        const { line } = this.problems.source.positionAt(first);
        this.problems.add(key_offset, [...path, key], `repeats a key of line ${line}: keep one`);
        continue;
      }
      seen.set(key, key_offset);
      if (closed && !closed.includes(key)) {
        this.problems.add(key_offset, [...path, key], this.#unknown(key, closed, path));
        continue;
      }
      const child = childOf(schema, key);
      if (isNull(value) && child && !accepts(child, null) && accepts(child, undefined)) continue;
      const resolved = this.plain(value, child, [...path, key]);
      // Not by assignment: a key "__proto__" must stay a key.
      Object.defineProperty(plain, key, {
        value: resolved,
        enumerable: true,
        writable: true,
        configurable: true,
      });
    }
    return plain;
  }

  #unknown(key: string, closed: readonly string[], path: ConfigPath): string {
    const known = path.length === 0 ? [...closed, ...this.hints.root_keys ?? []] : closed;
    const near = nearestWord(key, known);
    if (near) return `unknown key: did you mean "${near}"?`;
    if (known.length === 0) return "unknown key: no keys are known here";
    return `unknown key: want one of ${known.map((word) => `"${word}"`).join(", ")}`;
  }

  #scalar(scalar: LocatedScalar, schema: Schema | undefined, path: ConfigPath): unknown {
    const typed = this.retyped.get(scalar);
    if (typed !== undefined && typed !== scalar.value && schema && !accepts(schema, scalar.value)) {
      return wantsText(schema) ? scalar.value : typed;
    }
    if (typeof scalar.value === "bigint" && !(schema && accepts(schema, scalar.value))) {
      const shown = isSecret(schema) ? "this number" : scalar.text;
      this.problems.add(
        scalar.offset,
        path,
        `${shown} cannot be held exactly: want a smaller number, or quotes`,
      );
      return Number(scalar.value);
    }
    return scalar.value;
  }
}

function wantsText(schema: Schema): boolean {
  const type = narrowed(schema, { shape: "scalar", textAt: () => undefined })?._zod.def.type;
  return type === "string" || type === "enum";
}

function isNull(value: LocatedValue): boolean {
  return value.kind === "scalar" && value.value === null;
}

/** The offset that a problem at this path should point to: the value, or the innermost thing above it that exists. */
export function offsetAt(root: LocatedValue, path: ConfigPath): number {
  let offset = root.offset;
  let value: LocatedValue | undefined = root;
  for (const step of path) {
    if (value.kind === "mapping") value = entryOf(value, String(step))?.value;
    else if (value.kind === "sequence") value = value.items[Number(step)];
    else value = undefined;
    if (!value) return offset;
    offset = value.offset;
  }
  return offset;
}

/** The value at this path; undefined where there is none. */
export function locatedAt(root: LocatedValue, path: ConfigPath): LocatedValue | undefined {
  let value: LocatedValue | undefined = root;
  for (const step of path) {
    if (value?.kind === "mapping") value = entryOf(value, String(step))?.value;
    else if (value?.kind === "sequence") value = value.items[Number(step)];
    else return undefined;
  }
  return value;
}
