/**
 * One encrypted value: `ENC[age,<base64url of an age file>]`. The age file's plaintext is a small JSON object and then
 * blanks up to a size class, so its length tells little; `age -d` and any JSON reader open it without us. age itself binds
 * nothing to a place, so the object names the path the value belongs to, and a reader that finds it elsewhere refuses.
 */
import { Decrypter, Encrypter } from "age-encryption";
import { UserError } from "../../base/errors.ts";

export type PlainScalar = string | number | boolean | null;

export interface SealedValue {
  value: PlainScalar;
  /** JSON Pointer (RFC 6901), list indexes included; absent: good anywhere. */
  path?: string;
  /** The value exactly as it was written in the file, so that decrypting gives every byte back. */
  source?: string;
}

const TOKEN = /^ENC\[age,([A-Za-z0-9_-]*)\]$/;
const LOOKS_LIKE = /^\s*ENC\[/;
/** The smallest size class; the further ones double. */
const MIN_PLAIN_BYTES = 128;
/** Longest token that is read, base64 included. */
const MAX_TOKEN_LENGTH = 1024 * 1024;

/** True for everything that claims to be encrypted, damaged tokens too. */
export function isEncrypted(text: unknown): text is string {
  return typeof text === "string" && LOOKS_LIKE.test(text);
}

/** The token, in a form that needs no escape in YAML, JSON5 or a shell's double quotes. */
export async function seal(sealed: SealedValue, encrypter: Encrypter): Promise<string> {
  const json = JSON.stringify({ mdg: 1, ...sealed });
  const bytes = new TextEncoder().encode(json);
  const padded = new Uint8Array(sizeClass(bytes.length)).fill(0x20);
  padded.set(bytes);
  const file = await encrypter.encrypt(padded);
  return `ENC[age,${file.toBase64({ alphabet: "base64url", omitPadding: true })}]`;
}

/** Opens a token; a UserError says why not, and never shows what was inside. */
export async function open(token: string, decrypter: Decrypter): Promise<SealedValue> {
  const [, base64] = token.length <= MAX_TOKEN_LENGTH ? TOKEN.exec(token.trim()) ?? [] : [];
  if (base64 === undefined) throw new UserError("damaged: want ENC[age,…] as `mdg encrypt` printed it");
  let file: Uint8Array;
  try {
    file = Uint8Array.fromBase64(base64, { alphabet: "base64url" });
  } catch {
    throw new UserError("damaged: not base64url, want ENC[age,…] as `mdg encrypt` printed it");
  }
  return readSealed(await openAge(file, decrypter));
}

/** Decrypts a whole age file; the library's own words are replaced, for they differ from version to version. */
export async function openAge(file: Uint8Array, decrypter: Decrypter): Promise<Uint8Array> {
  try {
    return await decrypter.decrypt(file);
  } catch (error) {
    const none = error instanceof Error && /no identity matched/i.test(error.message);
    throw new UserError(
      none ? "none of the keys at hand opens it" : "damaged: not an age file, or changed since it was made",
    );
  }
}

function readSealed(plain: Uint8Array): SealedValue {
  const wrong = new UserError(
    "opened, but its content is not a config value: want one made by `mdg encrypt`",
  );
  let content: unknown;
  try {
    content = JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(plain));
  } catch {
    throw wrong;
  }
  if (typeof content !== "object" || content === null) throw wrong;
  const { mdg, value, path, source } = content as Record<string, unknown>;
  const is_scalar = value === null || ["string", "number", "boolean"].includes(typeof value);
  const texts = [path, source].every((text) => text === undefined || typeof text === "string");
  if (mdg !== 1 || !is_scalar || !texts) throw wrong;
  return {
    value: value as PlainScalar,
    path: path as string | undefined,
    source: source as string | undefined,
  };
}

function sizeClass(length: number): number {
  let size = MIN_PLAIN_BYTES;
  while (size < length) size *= 2;
  return size;
}
