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
  selection: KeySelection | undefined;
  /** The file as it was: every scalar by JSON Pointer, encrypted or not, and the text. */
  before: ReadonlyMap<string, ScalarAt>;
  before_text: string;
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
  return { text, values, selection, before, before_text: file.source.text };
}

/** The edited text with its secrets encrypted; a UserError says what must be mended first. */
export async function closeConfig(
  edited: ConfigText,
  { values, selection, before, before_text }: OpenedConfig,
  { encrypter, decrypter }: { encrypter: Encrypter; decrypter: Decrypter },
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
    const old = before.get(pointer);
    // a new or changed value: one that moved in its list, or a copy, is the secret that it was
    const is_secret = known !== undefined ||
      (!Object.is(value, old?.scalar.value) &&
        (secrets.has(value) || (old === undefined && isNamedSecret(at.path))));
    if (is_secret) anew.push(await sealed(edited, at, encrypter));
  }
  const { text } = rewrite(edited, [...restored, ...anew]);
  refusePlain(edited, { text, before_text }, secrets);
  // what was typed may look encrypted and not be; and nothing may be written that its own key does not open
  const closed: ConfigText = { source: new SourceText(edited.source.name, text), format: edited.format };
  if (text !== before_text) await decryptValues(closed, selection, decrypter);
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

/** A word that stood in the file already, as part of a key perhaps, is no leak of this edit. */
function refusePlain(
  edited: ConfigText,
  { text, before_text }: { text: string; before_text: string },
  secrets: ReadonlySet<unknown>,
): void {
  for (const secret of secrets) {
    if (text.split(secret as string).length <= before_text.split(secret as string).length) continue;
    const problems = new ProblemList(new SourceText(edited.source.name, text));
    problems.add(
      text.indexOf(secret as string),
      [],
      "a secret in plain text outside of its value (a comment?): want it removed",
    );
    throw new UserError(`encrypt again: ${problemText(problems.sorted()[0])}`);
  }
}
