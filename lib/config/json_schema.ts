/**
 * The config's JSON Schema (draft 2020-12) for editors: both forms, with docs and defaults. Describes what may be
 * written, so keys with defaults are optional, and where a text alone would not do, `${VARIABLE}` is offered too.
 */
import { z } from "zod";
import type { ConfigKinds, ConfigSchema } from "./compose_schema.ts";
import { flatConfigSchema } from "./flat_config.ts";

type JsonSchema = z.core.JSONSchema.BaseSchema;

const VARIABLE = { type: "string", pattern: "^\\$\\{[A-Za-z_][A-Za-z0-9_]*(:-[^}]*)?\\}$" } as const;
/** A text of a certain form may have a variable anywhere in it; what it becomes, no editor can know. */
const WITH_VARIABLE = { type: "string", pattern: "\\$\\{" } as const;

export function configJsonSchema<K extends ConfigKinds>(schema: ConfigSchema<K>): Record<string, unknown> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "mdg config",
    oneOf: [
      { title: "Sections", ...documentJsonSchema(schema.schema) },
      { title: "Flat keys of the service before mdg", ...documentJsonSchema(flatConfigSchema) },
    ],
  };
}

/** Of one form, without the draft's name. */
export function documentJsonSchema(schema: z.ZodType): Record<string, unknown> {
  const { $schema: _, ...rest } = z.toJSONSchema(schema, {
    io: "input",
    target: "draft-2020-12",
    unrepresentable: "any",
    override: ({ jsonSchema }) => adapt(jsonSchema),
  });
  return rest;
}

/** Closes objects, since unknown keys are errors, and lets a variable stand where a number or boolean is wanted. */
function adapt(schema: JsonSchema): void {
  if (schema.type === "object" && schema.properties) schema.additionalProperties ??= false;
  if (schema.type === "number" || schema.type === "integer" || schema.type === "boolean") {
    offerInstead(schema, VARIABLE);
  } else if (schema.type === "string" && (schema.enum || schema.pattern || schema.format)) {
    offerInstead(schema, WITH_VARIABLE);
  }
}

/** Moves what the schema says of the value into the first of two choices; default and docs stay outside. */
function offerInstead(schema: JsonSchema, other: JsonSchema): void {
  const { default: fallback, description, ...value } = schema;
  for (const key of Object.keys(value)) delete schema[key];
  Object.assign(schema, { anyOf: [value, other] });
  if (fallback !== undefined) schema.default = fallback;
  if (description !== undefined) schema.description = description;
}
