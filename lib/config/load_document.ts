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
import { ConfigError, type ConfigPath, type Problem, ProblemList } from "./problem.ts";
import { formatOf, readSource } from "./read_source.ts";
import { offsetAt, resolve } from "./resolve.ts";
import { validate } from "./validate.ts";

export interface LoadedDocument<T> {
  value: T;
  warnings: readonly Problem[];
}

export interface DocumentProblem {
  path: ConfigPath;
  message: string;
}

export interface DocumentRules {
  /** What helps whoever has problems. */
  hint: string;
  /** Problems that no schema can see, in data that may have others. */
  also?: (plain: unknown) => readonly DocumentProblem[];
}

/** Throws a ConfigError with every problem, or a UserError when it cannot be read at all. */
export async function loadDocument<T>(
  schema: z.ZodType<T>,
  path: string,
  world: KeyWorld,
  { hint, also }: DocumentRules,
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
  for (const { path, message } of also?.(plain) ?? []) {
    if (!problems.covers(path)) problems.add(offsetAt(decrypted.value, path), path, message);
  }
  if (value === undefined || problems.size > 0) {
    throw new ConfigError(source.name, problems.sorted(), problems.size, undefined, hint);
  }
  return { value, warnings: warnings.sorted() };
}
