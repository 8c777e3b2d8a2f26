/**
 * Encrypts and decrypts values inside a YAML or JSON5 text: only the bytes of those scalars change, every other byte and
 * comment stays. The new text is read again before it is given out, and must mean what was intended, or nothing is.
 */
import type { Decrypter, Encrypter } from "age-encryption";
import { UserError } from "../../base/errors.ts";
import { knownSecrets } from "../../base/known_secrets.ts";
import {
  isEncrypted,
  open,
  type PlainScalar,
  seal,
  type SealedValue,
} from "../../formats/encrypted_value/token.ts";
import { jsonPointer } from "../../formats/json_pointer.ts";
import { SourceText } from "../../formats/source_text.ts";
import { ConfigError, type ConfigPath, ProblemList, problemText } from "../problem.ts";
import { locateConfig } from "../locate.ts";
import type { ConfigFormat } from "../read_source.ts";
import type { KeySelection } from "./key_selection.ts";
import { type ScalarAt, scalarsOf } from "./scalars.ts";

export interface ConfigText {
  source: SourceText;
  format: ConfigFormat;
}
export interface Rewritten {
  text: string;
  /** Paths whose values changed. */
  changed: readonly ConfigPath[];
}
export interface Replacement {
  at: ScalarAt;
  text: string;
  /** What the new scalar must be read as. */
  value: PlainScalar;
}

/** Encrypts the selected values; those already encrypted stay as they are. */
export async function encryptValues(
  file: ConfigText,
  selection: KeySelection,
  encrypter: Encrypter,
): Promise<Rewritten> {
  const chosen = [...scalarsIn(file)].filter(({ path, scalar }) =>
    selection.takes(path) && !isEncrypted(scalar.value)
  );
  const [missing] = selection.unmatched;
  if (missing !== undefined) {
    throw new UserError(
      `encrypt ${JSON.stringify(file.source.name)}: nothing at key ${JSON.stringify(missing)}`,
      {
        code: 2,
        hint: "keys are paths of single values, as `mdg config check` prints them",
      },
    );
  }
  const replacements: Replacement[] = [];
  for (const at of chosen) replacements.push(await sealed(file, at, encrypter));
  return rewrite(file, replacements);
}

/** Decrypts every encrypted value that `selection` takes (all when undefined). Every failure is reported at once. */
export async function decryptValues(
  file: ConfigText,
  selection: KeySelection | undefined,
  decrypter: Decrypter,
): Promise<Rewritten> {
  const replacements: Replacement[] = [];
  for (const { at, opened } of await openAll(file, decrypter, selection)) {
    const text = writtenAs(opened);
    replacements.push({ at, text, value: opened.value });
  }
  return rewrite(file, replacements);
}

/** Encrypts every encrypted value anew, for other keys and bound to where it stands. */
export async function rekeyValues(
  file: ConfigText,
  decrypter: Decrypter,
  encrypter: Encrypter,
): Promise<Rewritten> {
  const replacements: Replacement[] = [];
  for (const { at, opened } of await openAll(file, decrypter)) {
    const token = await seal({ ...opened, path: jsonPointer(at.path) }, encrypter);
    replacements.push({ at, text: `"${token}"`, value: token });
  }
  return rewrite(file, replacements);
}

export function scalarsIn(file: ConfigText): Generator<ScalarAt> {
  return scalarsOf(locateConfig(file.source, file.format));
}

export async function sealed(file: ConfigText, at: ScalarAt, encrypter: Encrypter): Promise<Replacement> {
  const { value } = at.scalar;
  const where = { offset: at.scalar.offset, path: at.path };
  if (typeof value === "bigint" || (typeof value === "number" && !Number.isFinite(value))) {
    throw problemAt(file, where, "this number cannot be kept exactly when encrypted: want quotes");
  }
  const { text } = extentOf(file, at);
  if (/^[&!]/.test(text)) {
    throw problemAt(file, where, "a tagged value cannot be encrypted: want a plain one");
  }
  if (text === "") throw problemAt(file, where, "an empty value cannot be encrypted: want a value");
  if (typeof value === "string") knownSecrets.add(value);
  const token = await seal({ value, path: jsonPointer(at.path), source: text }, encrypter);
  return { at, text: `"${token}"`, value: token };
}

async function openAll(
  file: ConfigText,
  decrypter: Decrypter,
  selection?: KeySelection,
): Promise<{ at: ScalarAt; opened: SealedValue }[]> {
  const problems = new ProblemList(file.source);
  const found: { at: ScalarAt; opened: SealedValue }[] = [];
  for (const at of scalarsIn(file)) {
    if (!isEncrypted(at.scalar.value) || selection?.takes(at.path) === false) continue;
    try {
      const opened = await open(at.scalar.value, decrypter);
      if (opened.path !== undefined && opened.path !== jsonPointer(at.path)) {
        throw new UserError(`encrypted for another key (${opened.path}): want it there`);
      }
      if (typeof opened.value === "string") knownSecrets.add(opened.value);
      found.push({ at, opened });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.add(at.scalar.offset, at.path, error.message);
    }
  }
  if (problems.size > 0) throw new ConfigError(file.source.name, problems.sorted(), problems.size);
  return found;
}

/** The literal to write: as it once was, else the one spelling that YAML and JSON5 share. */
function writtenAs(opened: SealedValue): string {
  return opened.source ?? JSON.stringify(opened.value);
}

/** The scalar's text without the line ends that a YAML block scalar counts as its own. */
export function extentOf(file: ConfigText, { scalar }: ScalarAt): { text: string; end: number } {
  const text = file.source.text.slice(scalar.offset, scalar.end).replace(/[\s]+$/, "");
  return { text, end: scalar.offset + text.length };
}

export function rewrite(file: ConfigText, replacements: readonly Replacement[]): Rewritten {
  const { source, format } = file;
  const before = [...scalarsIn(file)];
  const ordered = replacements.toSorted((a, b) => a.at.scalar.offset - b.at.scalar.offset);
  let text = "";
  let from = 0;
  for (const { at, text: literal } of ordered) {
    text += source.text.slice(from, at.scalar.offset) + literal;
    from = extentOf(file, at).end;
  }
  text += source.text.slice(from);
  const wanted = new Map(ordered.map(({ at, value }) => [jsonPointer(at.path), value]));
  const after = [...scalarsIn({ source: new SourceText(source.name, text), format })];
  const same = before.length === after.length && before.every(({ path, scalar }, i) => {
    const pointer = jsonPointer(path);
    const value = wanted.has(pointer) ? wanted.get(pointer) : scalar.value;
    return pointer === jsonPointer(after[i].path) && Object.is(after[i].scalar.value, value);
  });
  if (!same) {
    throw new UserError(
      `rewrite ${JSON.stringify(source.name)}: the new text would not read as intended; nothing written`,
    );
  }
  return { text, changed: ordered.map(({ at }) => at.path) };
}

function problemAt(
  file: ConfigText,
  where: { offset: number; path: ConfigPath },
  message: string,
): UserError {
  const problems = new ProblemList(file.source);
  problems.add(where.offset, where.path, message);
  return new UserError(problemText(problems.sorted()[0]), { code: 2 });
}
