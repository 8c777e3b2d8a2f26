/**
 * Any other file that is written like a config (programs to supervise …): the same reading, variables, encrypted values,
 * suggestions and places of every problem, for a schema that is one zod object and knows no old form.
 */
import type { z } from "zod";
import { decryptTree, SHORT_SECRET } from "./encryption/decrypt_tree.ts";
import { decrypterFrom, type KeyWorld } from "./encryption/key_ring.ts";
import { keySourcesOf } from "./encryption/key_sources_of.ts";
import { interpolate } from "./interpolate.ts";
import { locateConfig } from "./locate.ts";
import { ConfigError, type Problem, ProblemList } from "./problem.ts";
import { formatOf, readSource } from "./read_source.ts";
import { resolve } from "./resolve.ts";
import { validate } from "./validate.ts";

export interface LoadedDocument<T> {
  value: T;
  warnings: readonly Problem[];
}

/** Throws a ConfigError with every problem and this hint, or a UserError when it cannot be read at all. */
export async function loadDocument<T>(
  schema: z.ZodType<T>,
  path: string,
  world: KeyWorld,
  hint: string,
): Promise<LoadedDocument<T>> {
  const format = formatOf(path);
  const source = await readSource(path, world.cwd);
  const problems = new ProblemList(source);
  const warnings = new ProblemList(source);
  const { value: tree, retyped } = interpolate(locateConfig(source, format), world.env, problems);
  const decrypted = await decryptTree(tree, () => decrypterFrom(keySourcesOf(tree, path), world), problems);
  for (const { path, offset } of decrypted.unmaskable) warnings.add(offset, path, SHORT_SECRET);
  const plain = resolve({ value: decrypted.value, retyped }, schema, problems);
  const value = validate(schema, plain, decrypted.value, problems, decrypted.opened);
  if (value === undefined || problems.size > 0) {
    throw new ConfigError(source.name, problems.sorted(), problems.size, undefined, hint);
  }
  return { value, warnings: warnings.sorted() };
}
