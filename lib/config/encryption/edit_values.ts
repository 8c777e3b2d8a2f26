/**
 * A config opened for an editor and closed again. What was encrypted and is unchanged gets the very token back that it had;
 * what changed is encrypted anew for its place; everything else stays as the person left it. Refuses to close while the text
 * of a secret stands anywhere outside an encrypted value.
 */
import type { Decrypter, Encrypter } from "age-encryption";
import { UserError } from "../../base/errors.ts";
import { MIN_LENGTH } from "../../base/known_secrets.ts";
import { isEncrypted, type PlainScalar } from "../../formats/encrypted_value/token.ts";
import { jsonPointer } from "../../formats/json_pointer.ts";
import { SourceText } from "../../formats/source_text.ts";
import { ConfigError, ProblemList, problemText } from "../problem.ts";
import {
  type ConfigText,
  decryptValues,
  extentOf,
  type Replacement,
  rewrite,
  type Rewritten,
  scalarsIn,
  sealed,
} from "./file_values.ts";
import { isNamedSecret, type KeySelection } from "./key_selection.ts";
import type { ScalarAt } from "./scalars.ts";

interface OpenedValue {
  /** As it stood in the file: the token with its quotes, if any. */
  closed: string;
  token: string;
  /** As it stands in the opened text. */
  open: string;
  value: PlainScalar;
}
export interface OpenedConfig {
  text: string;
  /** By JSON Pointer. */
  values: ReadonlyMap<string, OpenedValue>;
  /** Every scalar of the file, encrypted or not. */
  paths: ReadonlySet<string>;
}

/** The text to edit. Every value that cannot be opened is reported at once. */
export async function openConfig(
  file: ConfigText,
  selection: KeySelection | undefined,
  decrypter: Decrypter,
): Promise<OpenedConfig> {
  const { text, changed } = await decryptValues(file, selection, decrypter);
  const opened: ConfigText = { source: new SourceText(file.source.name, text), format: file.format };
  const before = byPointer(file);
  const after = byPointer(opened);
  const values = new Map<string, OpenedValue>();
  for (const path of changed) {
    const pointer = jsonPointer(path);
    const [closed, open] = [before.get(pointer)!, after.get(pointer)!];
    values.set(pointer, {
      closed: extentOf(file, closed).text,
      token: closed.scalar.value as string,
      open: extentOf(opened, open).text,
      value: open.scalar.value as PlainScalar,
    });
  }
  return { text, values, paths: new Set(before.keys()) };
}

/** The edited text with its secrets encrypted; a UserError says what must be mended first. */
export async function closeConfig(
  edited: ConfigText,
  { values, paths }: OpenedConfig,
  encrypter: Encrypter,
): Promise<Rewritten> {
  const secrets = new Set<unknown>([...values.values()].map(({ value }) => value).filter(isLong));
  const restored: Replacement[] = [];
  const anew: Replacement[] = [];
  for (const at of scalarsOfEdited(edited)) {
    const pointer = jsonPointer(at.path);
    const known = values.get(pointer);
    const { value } = at.scalar;
    if (known && Object.is(value, known.value) && extentOf(edited, at).text === known.open) {
      restored.push({ at, text: known.closed, value: known.token });
      continue;
    }
    // what was emptied holds nothing to hide
    if (value === null || value === "" || isEncrypted(value as unknown)) continue;
    // an item that moved in its list, or a copy, is the secret that it was
    const is_secret = known !== undefined || secrets.has(value) ||
      (!paths.has(pointer) && isNamedSecret(at.path));
    if (is_secret) anew.push(await sealed(edited, at, encrypter));
  }
  const { text } = rewrite(edited, [...restored, ...anew]);
  refusePlain(edited, text, secrets);
  return { text, changed: anew.map(({ at }) => at.path) };
}

/** The source line is not shown with a fault: it may hold a secret that nobody knows yet. */
function scalarsOfEdited(edited: ConfigText): ScalarAt[] {
  try {
    return [...scalarsIn(edited)];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(edited.source.name, error.problems, error.total);
  }
}

function byPointer(file: ConfigText): Map<string, ScalarAt> {
  return new Map([...scalarsIn(file)].map((at) => [jsonPointer(at.path), at]));
}

function isLong(value: PlainScalar): value is string {
  return typeof value === "string" && value.length >= MIN_LENGTH;
}

function refusePlain(edited: ConfigText, text: string, secrets: ReadonlySet<unknown>): void {
  for (const secret of secrets) {
    const offset = text.indexOf(secret as string);
    if (offset < 0) continue;
    const problems = new ProblemList(new SourceText(edited.source.name, text));
    problems.add(offset, [], "a secret in plain text outside of its value (a comment?): want it removed");
    throw new UserError(`encrypt again: ${problemText(problems.sorted()[0])}`);
  }
}
