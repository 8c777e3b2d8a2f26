/**
 * From a file to a typed config: read → tree with places → variables → form → schema. Each step adds its problems to one
 * list, and only the end throws, with all of them. Nothing here touches the environment or the disk except `loadConfig`.
 */
import type { LocatedScalar } from "../formats/located.ts";
import type { SourceText } from "../formats/source_text.ts";
import type { ConfigKinds, ConfigSchema, GatewayConfig } from "./compose_schema.ts";
import { decryptTree, SHORT_SECRET, withoutOpened } from "./encryption/decrypt_tree.ts";
import { decrypterFrom, type KeyWorld } from "./encryption/key_ring.ts";
import { keySourcesOf } from "./encryption/key_sources_of.ts";
import { flatConfigSchema, flatKeyNames, formOf, translateFlat } from "./flat_config.ts";
import { type Environment, interpolate, type Interpolated } from "./interpolate.ts";
import { locateConfig } from "./locate.ts";
import { ConfigError, type Problem, ProblemList } from "./problem.ts";
import { type ConfigFormat, formatOf, readSource } from "./read_source.ts";
import { resolve } from "./resolve.ts";
import { masked } from "./secret.ts";
import { validate } from "./validate.ts";

export interface LoadedConfig<K extends ConfigKinds = ConfigKinds> {
  /** Complete: defaults filled, variables replaced, the old flat form translated. */
  config: GatewayConfig<K>;
  form: "sectioned" | "flat";
  warnings: readonly Problem[];
  /** The config with every secret and URL password replaced by stars: for showing and logging. */
  masked(): Record<string, unknown>;
}

/** Reads and checks a file. Throws a ConfigError with every problem, or a UserError when it cannot be read at all. */
export async function loadConfig<K extends ConfigKinds>(
  schema: ConfigSchema<K>,
  path: string,
  world: KeyWorld,
): Promise<LoadedConfig<K>> {
  const format = formatOf(path);
  const source = await readSource(path, world.cwd);
  const problems = new ProblemList(source);
  const warnings = new ProblemList(source);
  const { value, retyped } = interpolate(locateConfig(source, format), world.env, problems);
  const decrypted = await decryptTree(
    value,
    () => decrypterFrom(keySourcesOf(value, path), world),
    problems,
  );
  for (const { path, offset } of decrypted.unmaskable) warnings.add(offset, path, SHORT_SECRET);
  const loaded = finish(schema, { value: decrypted.value, retyped }, problems, warnings, decrypted.opened);
  return decrypted.opened.size === 0 ? loaded : {
    ...loaded,
    masked: () => withoutOpened(loaded.masked(), decrypted.opened) as Record<string, unknown>,
  };
}

/** The same for a text already at hand; encrypted values stay as they are. */
export function readConfig<K extends ConfigKinds>(
  schema: ConfigSchema<K>,
  source: SourceText,
  format: ConfigFormat,
  env: Environment,
): LoadedConfig<K> {
  const problems = new ProblemList(source);
  const warnings = new ProblemList(source);
  return finish(schema, interpolate(locateConfig(source, format), env, problems), problems, warnings);
}

function finish<K extends ConfigKinds>(
  schema: ConfigSchema<K>,
  tree: Interpolated,
  problems: ProblemList,
  warnings: ProblemList,
  opened: ReadonlySet<LocatedScalar> = new Set(),
): LoadedConfig<K> {
  const { source } = problems;
  const form = formOf(tree.value, problems);
  const config = form === "mixed"
    ? undefined
    : form === "flat"
    ? readFlat(schema, tree, problems, warnings, opened)
    : readSections(schema, tree, problems, opened);
  if (config === undefined || problems.size > 0) {
    throw new ConfigError(source.name, problems.sorted(), problems.size);
  }
  return {
    config,
    form: form as "sectioned" | "flat",
    warnings: warnings.sorted(),
    masked: () => masked(config, schema.schema) as Record<string, unknown>,
  };
}

function readSections<K extends ConfigKinds>(
  schema: ConfigSchema<K>,
  tree: Interpolated,
  problems: ProblemList,
  opened: ReadonlySet<LocatedScalar>,
): GatewayConfig<K> | undefined {
  const plain = resolve(tree, schema.schema, problems, { root_keys: flatKeyNames });
  return validate(schema.schema, plain, tree.value, problems, opened);
}

function readFlat<K extends ConfigKinds>(
  schema: ConfigSchema<K>,
  tree: Interpolated,
  problems: ProblemList,
  warnings: ProblemList,
  opened: ReadonlySet<LocatedScalar>,
): GatewayConfig<K> | undefined {
  const plain = resolve(tree, flatConfigSchema, problems);
  const flat = validate(flatConfigSchema, plain, tree.value, problems, opened);
  if (!flat || problems.size > 0 || tree.value.kind !== "mapping") return undefined;
  const value = translateFlat(flat, tree.value, schema.kinds, warnings);
  return readSections(schema, { value, retyped: tree.retyped }, problems, opened);
}
