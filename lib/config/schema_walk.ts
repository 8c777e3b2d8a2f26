/**
 * Walks a zod schema beside a value: which schema governs this key, which keys are known, is it a secret. Zod validates;
 * this answers what its issues leave out. Where a schema is no longer decidable (a transform's output, an ambiguous
 * union) the answer is `undefined`: anything goes, nothing is guessed.
 */
import type { z } from "zod";
import { entryOf, type LocatedValue } from "../formats/located.ts";

export type Schema = z.core.$ZodType;

/** What the walk must know of a value, so that located and plain values can both be walked. */
export interface Probe {
  shape: "mapping" | "sequence" | "scalar";
  /** The text at that key of a mapping; undefined when absent or no text. */
  textAt(key: string): string | undefined;
}

export function plainProbe(value: unknown): Probe {
  const shape = Array.isArray(value)
    ? "sequence"
    : typeof value === "object" && value !== null
    ? "mapping"
    : "scalar";
  return {
    shape,
    textAt(key) {
      const found = shape === "mapping" ? (value as Record<string, unknown>)[key] : undefined;
      return typeof found === "string" ? found : undefined;
    },
  };
}

export function locatedProbe(value: LocatedValue): Probe {
  return {
    shape: value.kind,
    textAt(key) {
      const found = value.kind === "mapping" ? entryOf(value, key)?.value : undefined;
      return found?.kind === "scalar" && typeof found.value === "string" ? found.value : undefined;
    },
  };
}

function defOf(schema: Schema): z.core.$ZodTypes["_zod"]["def"] {
  return (schema as z.core.$ZodTypes)._zod.def;
}

/** One wrapper less (optional, default, pipe's input …), or undefined when it is none. */
function unwrapped(schema: Schema): Schema | undefined {
  const def = defOf(schema);
  switch (def.type) {
    case "optional":
    case "nullable":
    case "default":
    case "prefault":
    case "nonoptional":
    case "readonly":
    case "catch":
      return def.innerType;
    case "pipe":
      // z.preprocess pipes a transform into the schema that says what is wanted.
      return defOf(def.in).type === "transform" ? def.out : def.in;
    case "lazy":
      return def.getter();
  }
  return undefined;
}

/** The schema without wrappers, unions decided by the value; undefined when that cannot be told. */
export function narrowed(schema: Schema | undefined, probe: Probe): Schema | undefined {
  for (let current = schema, steps = 0; current && steps < 100; steps++) {
    const inner = unwrapped(current);
    if (inner) {
      current = inner;
      continue;
    }
    if (defOf(current).type !== "union") return current;
    current = chosen(current, probe);
  }
  return undefined;
}

function chosen(union: Schema, probe: Probe): Schema | undefined {
  const def = defOf(union);
  if (def.type !== "union") return undefined;
  const discriminator = (def as Partial<z.core.$ZodDiscriminatedUnionDef>).discriminator;
  if (discriminator) {
    const wanted = probe.textAt(discriminator);
    return def.options.find((option) => {
      const object = narrowed(option, probe);
      const tag = object && defOf(object).type === "object" && childOf(object, discriminator);
      return tag && wanted !== undefined && tag._zod.values?.has(wanted);
    });
  }
  const fitting = def.options.filter((option) => {
    const inner = narrowed(option, probe);
    const type = inner && defOf(inner).type;
    if (probe.shape === "mapping") return type === "object" || type === "record";
    if (probe.shape === "sequence") return type === "array" || type === "tuple";
    return type !== undefined && !["object", "record", "array", "tuple"].includes(type);
  });
  return fitting.length === 1 ? fitting[0] : undefined;
}

/** The schema of a key or index below a narrowed schema. */
export function childOf(schema: Schema | undefined, step: string | number): Schema | undefined {
  if (!schema) return undefined;
  const def = defOf(schema);
  switch (def.type) {
    case "object":
      return Object.hasOwn(def.shape, step) ? def.shape[step as string] : def.catchall;
    case "record":
      return def.valueType;
    case "array":
      return def.element;
    case "tuple":
      return def.items[step as number] ?? def.rest ?? undefined;
  }
  return undefined;
}

/** The keys of a narrowed object schema that takes no others; undefined when others are allowed or it is no object. */
export function closedKeys(schema: Schema | undefined): string[] | undefined {
  if (!schema) return undefined;
  const def = defOf(schema);
  if (def.type !== "object") return undefined;
  const open = def.catchall && defOf(def.catchall).type !== "never";
  return open ? undefined : Object.keys(def.shape);
}

/** The kinds a union on `discriminator` knows; undefined when the schema is no such union. */
export function discriminatorOf(schema: Schema | undefined): string | undefined {
  for (let current = schema, steps = 0; current && steps < 100; steps++) {
    const def = defOf(current) as Partial<z.core.$ZodDiscriminatedUnionDef>;
    if (def.discriminator) return def.discriminator;
    current = unwrapped(current);
  }
  return undefined;
}

/** Applies `test` to the schema and to everything it wraps. */
export function anyLayer(schema: Schema | undefined, test: (layer: Schema) => boolean): boolean {
  for (let current = schema, steps = 0; current && steps < 100; steps++) {
    if (test(current)) return true;
    const def = defOf(current);
    if (def.type === "union" && def.options.some((option) => anyLayer(option, test))) return true;
    current = unwrapped(current);
  }
  return false;
}

/** True when the schema takes the value as it is. Schemas with asynchronous checks are no config schemas. */
export function accepts(schema: Schema, value: unknown): boolean {
  return (schema as z.ZodType).safeParse(value).success;
}
