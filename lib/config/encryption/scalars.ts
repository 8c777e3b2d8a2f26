/** Every scalar of a located tree with its path; one that YAML aliases share is told once, where it is written. */
import type { LocatedScalar, LocatedValue } from "../../formats/located.ts";
import type { ConfigPath } from "../problem.ts";

export interface ScalarAt {
  scalar: LocatedScalar;
  path: ConfigPath;
}

export function* scalarsOf(
  value: LocatedValue,
  path: ConfigPath = [],
  seen = new Set<LocatedValue>(),
): Generator<ScalarAt> {
  if (seen.has(value)) return;
  seen.add(value);
  if (value.kind === "scalar") yield { scalar: value, path };
  else if (value.kind === "sequence") {
    for (let i = 0; i < value.items.length; i++) yield* scalarsOf(value.items[i], [...path, i], seen);
  } else {
    for (const entry of value.entries) yield* scalarsOf(entry.value, [...path, entry.key], seen);
  }
}
