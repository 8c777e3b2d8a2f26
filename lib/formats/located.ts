/**
 * The neutral tree that every text format is read into when values must remember where they stood: config, path listing,
 * merging. Mappings are entry lists, so order, integer-like keys and duplicates survive; scalars keep their source text,
 * so a numeral can be judged exactly. Nodes may be shared (YAML aliases) but never form a cycle.
 */

interface LocatedBase {
  /** Half-open range in the source text, UTF-16 units. */
  readonly offset: number;
  readonly end: number;
}
export interface LocatedScalar extends LocatedBase {
  readonly kind: "scalar";
  /** `bigint` where an integer does not survive a double. */
  readonly value: string | number | bigint | boolean | null;
  /** As written, quotes and escapes included. */
  readonly text: string;
}
export interface LocatedSequence extends LocatedBase {
  readonly kind: "sequence";
  readonly items: readonly LocatedValue[];
}
export interface LocatedEntry {
  readonly key: string;
  readonly key_offset: number;
  readonly value: LocatedValue;
}
export interface LocatedMapping extends LocatedBase {
  readonly kind: "mapping";
  readonly entries: readonly LocatedEntry[];
}
export type LocatedValue = LocatedScalar | LocatedSequence | LocatedMapping;

/** The last entry of that key, as every JSON reader resolves duplicates. */
export function entryOf(mapping: LocatedMapping, key: string): LocatedEntry | undefined {
  return mapping.entries.findLast((entry) => entry.key === key);
}
