/**
 * Keys for reading and writing encrypted values, in age's own words: recipients (`age1…`), identity files
 * (`AGE-SECRET-KEY-…` lines), a passphrase. Taken from flags, else the environment. A key file that others can read is
 * refused, as ssh does. Refuses: keys in argv (a recipient is public, an identity is named by its file only).
 */
import { armor, Decrypter, Encrypter, identityToRecipient } from "age-encryption";
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import { knownSecrets } from "../../base/known_secrets.ts";
import type { Environment } from "../interpolate.ts";

export interface KeySources {
  recipients?: readonly string[];
  recipients_files?: readonly string[];
  identity_files?: readonly string[];
  passphrase?: string;
}

export interface KeyWorld {
  cwd: string;
  env: Environment;
  /** Asks a person for a passphrase; absent where nobody can be asked. */
  ask?: (question: string) => Promise<string>;
}

const MAX_KEY_FILE_BYTES = 64 * 1024;
const MAX_KEYS = 64;
const ARMOR = "-----BEGIN AGE ENCRYPTED FILE-----";
const AGE = "age-encryption.org/v1";
const HINT = "`mdg keygen -o FILE` makes a key; name it with --identity FILE or MDG_IDENTITY_FILE";

/** What opens encrypted values. UserError when no key is named at all. */
export async function decrypterFrom(sources: KeySources, world: KeyWorld): Promise<Decrypter> {
  const decrypter = new Decrypter();
  const identities = await identitiesFrom(sources, world);
  for (const identity of identities) decrypter.addIdentity(identity);
  const passphrase = sources.passphrase ?? world.env.MDG_PASSPHRASE;
  if (passphrase) {
    knownSecrets.add(passphrase);
    decrypter.addPassphrase(passphrase);
  }
  if (identities.length === 0 && !passphrase) {
    throw new UserError("decrypt: no key given, want an identity file or a passphrase", {
      code: 2,
      hint: HINT,
    });
  }
  return decrypter;
}

/** What closes values: the named recipients, else those of the named identities, else a passphrase. */
export async function encrypterFrom(sources: KeySources, world: KeyWorld): Promise<Encrypter> {
  const encrypter = new Encrypter();
  const recipients = [...sources.recipients ?? []];
  for (const path of sources.recipients_files ?? []) {
    recipients.push(...linesOf(new TextDecoder().decode(await keyFile(path, world, "recipients file"))));
  }
  const flagged = recipients.length > 0 || sources.identity_files?.length || sources.passphrase;
  if (!flagged) recipients.push(...(world.env.MDG_RECIPIENTS ?? "").split(/[\s,]+/).filter(Boolean));
  if (sources.passphrase || (!flagged && recipients.length === 0 && world.env.MDG_PASSPHRASE)) {
    if (recipients.length > 0) {
      throw new UserError("encrypt: a passphrase and recipients are given, want one of them", { code: 2 });
    }
    const passphrase = (sources.passphrase ?? world.env.MDG_PASSPHRASE)!;
    knownSecrets.add(passphrase);
    encrypter.setPassphrase(passphrase);
    return encrypter;
  }
  if (recipients.length === 0) {
    for (const identity of await identitiesFrom(sources, world)) {
      recipients.push(await identityToRecipient(identity));
    }
  }
  if (recipients.length === 0) {
    throw new UserError(
      "encrypt: no recipient given, want --recipient age1…, --identity FILE or a passphrase",
      {
        code: 2,
        hint: HINT,
      },
    );
  }
  refuseMany(recipients.length);
  for (const recipient of new Set(recipients)) {
    try {
      encrypter.addRecipient(recipient);
    } catch {
      throw new UserError(`read recipient ${quoted(recipient)}: not a key, want age1…`, { code: 2 });
    }
  }
  return encrypter;
}

async function identitiesFrom(sources: KeySources, world: KeyWorld): Promise<string[]> {
  const files = [...sources.identity_files ?? []];
  const identities: string[] = [];
  if (files.length === 0 && !sources.passphrase) {
    files.push(...(world.env.MDG_IDENTITY_FILE ?? "").split(",").filter(Boolean));
    identities.push(...identityLines(world.env.MDG_IDENTITY ?? "", "MDG_IDENTITY"));
  }
  for (const path of files) identities.push(...await identityFile(path, sources, world));
  refuseMany(identities.length);
  for (const identity of identities) {
    knownSecrets.add(identity);
    try {
      await identityToRecipient(identity);
    } catch {
      throw new UserError("read identity: damaged, want AGE-SECRET-KEY-… as `mdg keygen` wrote it", {
        code: 2,
      });
    }
  }
  return identities;
}

/** What passphrases opened for a command, so that it asks and derives once for each file. */
const opened_files = new WeakMap<KeyWorld, Map<string, string[]>>();

/** The keys of an identity file; one that is itself an age file is opened by a passphrase first, as `age -i` does it. */
async function identityFile(path: string, sources: KeySources, world: KeyWorld): Promise<string[]> {
  const bytes = await keyFile(path, world, "identity file");
  const text = new TextDecoder().decode(bytes);
  const is_armored = text.trimStart().startsWith(ARMOR);
  if (!is_armored && !text.startsWith(AGE)) return identityLines(text, quoted(path));
  const known = opened_files.get(world) ?? new Map<string, string[]>();
  const lines = known.get(path);
  if (lines) return lines;
  const passphrase = sources.passphrase ?? world.env.MDG_PASSPHRASE ??
    await world.ask?.(`Passphrase of ${quoted(path)}: `);
  const refuse = (reason: string) =>
    new UserError(`read identity file ${quoted(path)}: ${reason}`, { code: 2 });
  if (!passphrase) throw refuse("closed by a passphrase, want MDG_PASSPHRASE or a terminal to ask on");
  knownSecrets.add(passphrase);
  const decrypter = new Decrypter();
  decrypter.addPassphrase(passphrase);
  try {
    const opened = await decrypter.decrypt(is_armored ? armor.decode(text) : bytes);
    const keys = identityLines(new TextDecoder().decode(opened), quoted(path));
    opened_files.set(world, known.set(path, keys));
    return keys;
  } catch (error) {
    throw error instanceof UserError ? error : refuse("this passphrase does not open it, or it is damaged");
  }
}

/** The bytes of a key file. */
async function keyFile(
  path: string,
  world: KeyWorld,
  noun: "identity file" | "recipients file",
): Promise<Uint8Array> {
  const is_secret = noun === "identity file";
  const full = isAbsolute(path) ? path : join(world.cwd, path);
  try {
    // the opened file is judged, so that nobody can put another under its name in between
    using file = await Deno.open(full, { read: true });
    const { mode, isFile, size } = await file.stat();
    if (!isFile || size > MAX_KEY_FILE_BYTES) {
      throw new UserError(
        `read ${noun} ${quoted(path)}: want a regular file of at most ${MAX_KEY_FILE_BYTES} bytes`,
        { code: 2 },
      );
    }
    if (is_secret && Deno.build.os !== "windows" && mode !== null && (mode & 0o077) !== 0) {
      const shown = (mode & 0o777).toString(8).padStart(4, "0");
      throw new UserError(`read ${noun} ${quoted(path)}: others may use it (mode ${shown}), want 0600`, {
        hint: `chmod 600 ${path}`,
      });
    }
    const bytes = new Uint8Array(size);
    let filled = 0;
    for (let count; (count = await file.read(bytes.subarray(filled))) && filled < size;) filled += count;
    return bytes.subarray(0, filled);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : reasonOf(error);
    throw new UserError(`read ${noun} ${quoted(path)}: ${reason}`, { code: 2 });
  }
}

function identityLines(text: string, name: string): string[] {
  const lines = linesOf(text);
  const wrong = lines.findIndex((line) => !line.startsWith("AGE-SECRET-KEY-"));
  if (wrong >= 0) {
    throw new UserError(`read identity ${name}: key ${wrong + 1} is of another kind, want AGE-SECRET-KEY-…`, {
      code: 2,
    });
  }
  return lines;
}

/** Without comments and empty lines. */
function linesOf(text: string): string[] {
  return text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line && !line.startsWith("#"));
}

function refuseMany(count: number): void {
  if (count > MAX_KEYS) {
    throw new UserError(`read keys: ${count} keys, want at most ${MAX_KEYS}`, { code: 2 });
  }
}
