/**
 * Environment variables in string values: `${NAME}`, `${NAME:-default}` (also when the variable is empty, as in a
 * shell), `$${` for a literal `${`. Keys are never touched. Every missing variable is reported, each at its place.
 * A scalar that is exactly one `${…}` may later become a number or boolean, if the schema wants one.
 */
import type { LocatedScalar, LocatedValue } from "../formats/located.ts";
import { coreScalar } from "../formats/yaml/core_scalar.ts";
import type { ConfigPath, ProblemList } from "./problem.ts";

export type Environment = Readonly<Record<string, string | undefined>>;

export interface Interpolated {
  value: LocatedValue;
  /** Scalars that were exactly one `${…}` → what the text means as YAML 1.2 core. */
  retyped: ReadonlyMap<LocatedScalar, string | number | boolean>;
}

export function interpolate(root: LocatedValue, env: Environment, problems: ProblemList): Interpolated {
  const retyped = new Map<LocatedScalar, string | number | boolean>();
  // Nodes may be shared (YAML aliases); each is rewritten once.
  const done = new Map<LocatedValue, LocatedValue>();

  const rewrite = (value: LocatedValue, path: ConfigPath): LocatedValue => {
    const known = done.get(value);
    if (known) return known;
    const result = rewritten(value, path);
    done.set(value, result);
    return result;
  };
  const rewritten = (value: LocatedValue, path: ConfigPath): LocatedValue => {
    switch (value.kind) {
      case "sequence":
        return { ...value, items: value.items.map((item, i) => rewrite(item, [...path, i])) };
      case "mapping": {
        const entries = value.entries.map((entry) => ({
          ...entry,
          value: rewrite(entry.value, [...path, entry.key]),
        }));
        return { ...value, entries };
      }
      case "scalar": {
        if (typeof value.value !== "string" || !value.value.includes("${")) return value;
        const { text, whole } = substitute(value, value.value, path, env, problems);
        const result: LocatedScalar = { ...value, value: text };
        if (whole) retyped.set(result, coreScalar(text));
        return result;
      }
    }
  };
  return { value: rewrite(root, []), retyped };
}

const REFERENCE = /\$\$\{|\$\{([^}]*)(\}?)/g;
const NAME = /^([A-Za-z_][A-Za-z0-9_]*)(?::-([^]*))?$/;

function substitute(
  scalar: LocatedScalar,
  template: string,
  path: ConfigPath,
  env: Environment,
  problems: ProblemList,
): { text: string; whole: boolean } {
  let written_at = -2;
  let whole = false;
  const text = template.replace(
    REFERENCE,
    (reference, body: string | undefined, close: string | undefined) => {
      written_at = scalar.text.indexOf("${", written_at + 2);
      if (reference === "$${") return "${";
      const offset = scalar.offset + Math.max(0, written_at);
      const parts = NAME.exec(body ?? "");
      if (!close || !parts) {
        const shown = JSON.stringify(reference.slice(0, 40));
        problems.add(
          offset,
          path,
          `variable reference ${shown}: want "\${NAME}", or "$\${" for a literal "\${"`,
        );
        return reference;
      }
      whole = reference.length === template.length;
      const [, name, fallback] = parts;
      const found = Object.hasOwn(env, name) ? env[name] : undefined;
      if (found !== undefined && (found !== "" || fallback === undefined)) return found;
      if (fallback !== undefined) return fallback;
      problems.add(
        offset,
        path,
        `environment variable "${name}" is not set: set it, or write "\${${name}:-default}"`,
      );
      return reference;
    },
  );
  return { text, whole };
}
