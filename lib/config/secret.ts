/**
 * Secrets are marked once, in the schema, with JSON Schema's own annotation `writeOnly`; masking, error messages and
 * editors all read that mark. Passwords inside URLs are masked wherever they stand, marked or not.
 */
import { z } from "zod";
import { anyLayer, childOf, narrowed, plainProbe, type Schema } from "./schema_walk.ts";

export const MASK = "********";

/** A text that is never shown: `password: secret().optional()`. */
export function secret(doc?: string): z.ZodString {
  return markSecret(z.string().min(1), doc);
}

/** Marks any schema as secret. Call it last: zod ties annotations to the instance. */
export function markSecret<S extends z.ZodType>(schema: S, doc?: string): S {
  return schema.meta({ writeOnly: true, ...(doc ? { description: doc } : {}) });
}

export function isSecret(schema: Schema | undefined): boolean {
  return anyLayer(schema, (layer) => z.globalRegistry.get(layer)?.writeOnly === true);
}

const URL_PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s/:@?#]*:)([^\s/?#]*)@/gi;
const QUERY_SECRET =
  /([?&][^=&#\s]*(?:token|secret|password|passwd|api_?key|signature)[^=&#\s]*=)([^&#\s]+)/gi;

/** Hides passwords in URLs: `redis://user:pw@host` → `redis://user:********@host`; also `?token=…` and its like. */
export function withoutUrlPasswords(text: string): string {
  return text.replace(URL_PASSWORD, `$1${MASK}@`).replace(QUERY_SECRET, `$1${MASK}`);
}

/** A deep copy of plain config data with every secret replaced by `MASK`. */
export function masked(value: unknown, schema: Schema | undefined): unknown {
  if (value === undefined || value === null) return value;
  if (isSecret(schema)) return MASK;
  if (typeof value === "string") return withoutUrlPasswords(value);
  if (typeof value !== "object") return value;
  const inner = narrowed(schema, plainProbe(value));
  if (Array.isArray(value)) return value.map((item, i) => masked(item, childOf(inner, i)));
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(copy, key, {
      value: masked(item, childOf(inner, key)),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return copy;
}
