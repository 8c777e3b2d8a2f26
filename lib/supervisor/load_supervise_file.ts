/** A supervise file, checked: every problem at once, with its line. */
import type { KeyWorld } from "../config/encryption/key_ring.ts";
import { loadDocument, type LoadedDocument } from "../config/load_document.ts";
import { referenceProblems } from "./app_references.ts";
import { type SuperviseConfig, superviseSchema } from "./config_schema.ts";

const HINT = "`mdg supervise check --schema` prints every key that is allowed";

export async function loadSuperviseFile(
  path: string,
  world: KeyWorld,
): Promise<LoadedDocument<SuperviseConfig>> {
  return await loadDocument(superviseSchema, path, world, { hint: HINT, also: referenceProblems });
}
