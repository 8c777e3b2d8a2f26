/**
 * Secrets are marked once, in the schema, with JSON Schema's own annotation `writeOnly`; masking, error messages and
 * editors all read that mark. Texts under a key that names a secret, and passwords inside URLs, are masked in any case.
 */
import { z } from "zod";
import { isSecretKey, REDACTED, redactText } from "../base/redact.ts";
import { anyLayer, childOf, narrowed, plainProbe, type Schema } from "./schema_walk.ts";

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

/** The text with URL passwords masked; longer texts than a log takes stay whole where there is no URL in them. */
export function withoutUrlPasswords(text: string): string {
  return text.includes("://") ? redactText(text) : text;
}

/** A deep copy of plain config data with every secret replaced by `REDACTED`. */
export function masked(value: unknown, schema: Schema | undefined): unknown {
  if (value === undefined || value === null) return value;
  if (isSecret(schema)) return REDACTED;
  if (typeof value === "string") return withoutUrlPasswords(value);
  if (typeof value !== "object") return value;
  const inner = narrowed(schema, plainProbe(value));
  if (Array.isArray(value)) return value.map((item, i) => masked(item, childOf(inner, i)));
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    Object.defineProperty(copy, key, {
      value: isSecretKey(key) && typeof item === "string" ? REDACTED : masked(item, childOf(inner, key)),
      enumerable: true,
      writable: true,
      configurable: true,
    });
  }
  return copy;
}
