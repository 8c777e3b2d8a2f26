/**
 * The config schema of this build. The only reader of the plugin registries for configuration: a plugin registered there
 * is configurable, shown in `mdg config schema` and suggested in errors, without another line anywhere.
 */
import type { z } from "zod";
import { UserError } from "../base/errors.ts";
import { composeConfigSchema, type ConfigKinds, type ConfigSchema } from "../config/compose_schema.ts";
import type { KeyWorld } from "../config/encryption/key_ring.ts";
import { loadConfig } from "../config/load.ts";
import { problemText } from "../config/problem.ts";
import { FEEDS, SERVERS, SINKS, SOURCES } from "./catalog.ts";
import type { GatewayConfig } from "./gateway.ts";

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
  const venues = Object.keys(FEEDS);
  const sources = Object.fromEntries(
    Object.entries(SOURCES).map(([word, { name, summary, schema, schemaFor }]) => [
      word,
      { name, summary, schema: schemaFor?.(venues) ?? schema },
    ]),
  );
  return configSchemaOf({ sources, sinks: SINKS, servers: SERVERS });
}

/** Reads, checks and completes a config file. Rejects with every problem at once. */
export async function loadGatewayConfig(
  path: string,
  world: KeyWorld,
): Promise<{ config: GatewayConfig; warnings: string[] }> {
  const loaded = await loadConfig(configSchema(), path, world);
  return { config: loaded.config as unknown as GatewayConfig, warnings: loaded.warnings.map(problemText) };
}

/** What runs without a config: a simulated market, a WebSocket, health. Needs no service. */
export function embeddedConfig(
  options: { listen: string; health_listen: string; symbols: readonly string[]; seed?: string },
): GatewayConfig {
  return composedConfig({
    sources: [{ kind: "simulator", symbols: options.symbols, seed: options.seed }],
    servers: [
      { kind: "websocket", listen: options.listen },
      { kind: "health", listen: options.health_listen },
    ],
  });
}

/** A config that is put together by a command. @throws UserError (exit 2) that names each key at fault */
export function composedConfig(plain: Record<string, unknown>): GatewayConfig {
  const { data, error } = configSchema().schema.safeParse(plain);
  if (data) return data as unknown as GatewayConfig;
  const what = error.issues.map(({ path, message }) => `${path.join(".")} ${message}`).join("; ");
  throw new UserError(`compose the config: ${what}`, { code: 2 });
}
