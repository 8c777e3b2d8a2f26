/**
 * The config schema of this build. The only reader of the plugin registries for configuration: a plugin registered there
 * is configurable, shown in `mdg config schema` and suggested in errors, without another line anywhere.
 */
import type { z } from "zod";
import { composeConfigSchema, type ConfigKinds, type ConfigSchema } from "../config/compose_schema.ts";
import * as sources from "../sources/registry.ts";

/** What a plugin must bring to be configured; its family's contract asks for more. */
export interface ConfigurablePlugin {
  /** The `kind` in the config. */
  readonly name: string;
  /** One line, no full stop. */
  readonly summary: string;
  /** Its own keys, without `kind`. */
  readonly schema: z.ZodObject;
}
export type Registry = Readonly<Record<string, ConfigurablePlugin>>;

export interface Registries {
  sources: Registry;
  sinks: Registry;
  servers: Registry;
}

/** The schema for the given registries; plugins are known by their `name`, whatever they are exported as. */
export function configSchemaOf(registries: Registries): ConfigSchema {
  const kinds: ConfigKinds = {
    sources: schemasOf(registries.sources),
    sinks: schemasOf(registries.sinks),
    servers: schemasOf(registries.servers),
  };
  return composeConfigSchema(kinds);
}

function schemasOf(registry: Registry): Record<string, z.ZodObject> {
  const schemas: Record<string, z.ZodObject> = {};
  for (const { name, summary, schema } of Object.values(registry)) {
    if (Object.hasOwn(schemas, name)) {
      throw new TypeError(`compose config: "${name}" is registered twice, want once`);
    }
    schemas[name] = schema.meta({ description: summary });
  }
  return schemas;
}

/** The schema of everything that is built in. */
export function configSchema(): ConfigSchema {
  return configSchemaOf({ sources: { ...sources }, sinks: {}, servers: {} });
}
