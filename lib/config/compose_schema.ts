/**
 * The one config schema, composed from what the registries hold: three lists of plugins, told apart by `kind`, and the
 * general keys. The composition adds `kind`; a plugin brings only its own keys. Knows no plugin by name.
 */
import { z } from "zod";
import { generalKeys } from "./general_config.ts";
import type { MemoryConfig } from "./memory_budget.ts";

/** Kind → the plugin's own keys. */
export type KindSchemas = Readonly<Record<string, z.ZodObject>>;

export interface ConfigKinds {
  sources: KindSchemas;
  sinks: KindSchemas;
  servers: KindSchemas;
}

/** One item of a section, as the config holds it: `{kind: "redis", url: …}`. */
export type SectionItem<R extends KindSchemas> = {
  [K in keyof R & string]: { kind: K } & z.output<R[K]>;
}[keyof R & string];

export interface GatewayConfig<K extends ConfigKinds = ConfigKinds> {
  name?: string;
  log_level?: "trace" | "debug" | "info" | "warn" | "error";
  drain_timeout_ms: number;
  cpu?: number | number[];
  memory: MemoryConfig;
  encryption?: { identity_file?: string; recipients?: string[] };
  sources: SectionItem<K["sources"]>[];
  sinks: SectionItem<K["sinks"]>[];
  servers: SectionItem<K["servers"]>[];
}

export interface ConfigSchema<K extends ConfigKinds = ConfigKinds> {
  /** The sectioned form; the old flat form is translated into it. */
  readonly schema: z.ZodType<GatewayConfig<K>>;
  readonly kinds: Readonly<Record<keyof ConfigKinds, readonly string[]>>;
}

/** The most items that one section may have: a config, not a database. */
const MAX_ITEMS = 1_000;

export function composeConfigSchema<const K extends ConfigKinds>(kinds: K): ConfigSchema<K> {
  const schema = z.strictObject({
    ...generalKeys,
    sources: section("source", kinds.sources).min(1)
      .meta({ description: "Where market events come from; at least one" }),
    sinks: section("sink", kinds.sinks).default([])
      .meta({ description: "Where market events are written to" }),
    servers: section("server", kinds.servers).default([])
      .meta({ description: "What listens: for clients, for probes" }),
  });
  return {
    // The generic item types are built from the same records; zod's inference cannot follow a mapped union.
    schema: schema as unknown as z.ZodType<GatewayConfig<K>>,
    kinds: {
      sources: Object.keys(kinds.sources),
      sinks: Object.keys(kinds.sinks),
      servers: Object.keys(kinds.servers),
    },
  };
}

function section(noun: string, kinds: KindSchemas): z.ZodArray<z.ZodType> {
  const options = Object.entries(kinds).map(([kind, own]) => {
    if ("kind" in own.shape) {
      throw new TypeError(`compose ${noun} "${kind}": its schema has a key "kind", want none`);
    }
    // Cloned, not extended: the plugin's own refinements and description stay, and `kind` is shown first.
    const shape = { kind: z.literal(kind), ...own.shape };
    return own.clone({ ...own.def, shape }, { parent: true });
  });
  const [first, ...others] = options;
  const item = first
    ? z.discriminatedUnion("kind", [first, ...others])
    : z.looseObject({ kind: z.enum([]) }).meta({ description: `No ${noun} kinds are built in` });
  return z.array(item).max(MAX_ITEMS);
}
