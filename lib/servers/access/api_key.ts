/**
 * API keys: `mdg_<key id>_<secret>`. The id finds the entry, the secret proves it. The secret is 256 random bits, so a plain
 * SHA-256 is the right thing to store: nobody can try them out, and a slow hash (bcrypt, scrypt) would only let strangers
 * spend our CPU at every connect. Hashes are compared in constant time, with a made-up one for ids that do not exist.
 */
import { createHash, timingSafeEqual } from "node:crypto";
import { API_KEY_FORM } from "../../base/known_secrets.ts";

const ID_BYTES = 8;
const SECRET_BYTES = 32;
const KEY = new RegExp(`^${API_KEY_FORM}$`);
export const KEY_ID = /^[a-z0-9]{6,32}$/;
/** `sha256:` and 64 hex digits. */
export const KEY_HASH = /^sha256:[0-9a-f]{64}$/;

const ALPHABET = "abcdefghijklmnopqrstuvwxyz234567";
/** Of nothing that has a preimage anybody knows. */
const NO_HASH = "sha256:" + "0".repeat(64);

export interface NewKey {
  id: string;
  /** Shown once, kept nowhere. */
  key: string;
  hash: string;
}

/** Letters and digits only, so that a double click selects all of it. */
export function makeKey(): NewKey {
  const id = base32(crypto.getRandomValues(new Uint8Array(ID_BYTES)));
  const secret = base32(crypto.getRandomValues(new Uint8Array(SECRET_BYTES)));
  const key = `mdg_${id}_${secret}`;
  return { id, key, hash: hashOf(key) };
}

/** The id in a text that has the form of a key. */
export function keyIdOf(token: string): string | undefined {
  return KEY.exec(token)?.[1];
}

/** The id is hashed with it: a hash moved to another entry is worth nothing. */
export function hashOf(key: string): string {
  return "sha256:" + createHash("sha256").update(key).digest("hex");
}

/** Constant time in the contents; `hash` absent: false, after the same work. */
export function matchesKey(key: string, hash: string | undefined): boolean {
  const is_equal = timingSafeEqual(bytes(hashOf(key)), bytes(hash ?? NO_HASH));
  return is_equal && hash !== undefined;
}

const encoder = new TextEncoder();
const bytes = (text: string) => encoder.encode(text);

/** RFC 4648 in lower case, without padding. */
function base32(data: Uint8Array): string {
  let text = "";
  let bits = 0;
  let held = 0;
  for (const byte of data) {
    held = (held << 8 | byte) & 0xffff;
    for (bits += 8; bits >= 5; bits -= 5) text += ALPHABET[held >> (bits - 5) & 31];
  }
  return bits > 0 ? text + ALPHABET[held << (5 - bits) & 31] : text;
}
