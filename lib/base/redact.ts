/**
 * Takes secrets out of what will be logged or shown: by the name of the key (password, token, secret …) and out of
 * texts (userinfo and secret parameters of URLs). Bounded: deep, long and wide values are cut, so that a hostile
 * value cannot flood a log. Refuses: guessing secrets by their look.
 */
import { knownSecrets } from "./known_secrets.ts";

export const REDACTED = "***";

const SECRET_WORDS = new Set([
  "password",
  "passwords",
  "passwd",
  "passphrase",
  "token",
  "tokens",
  "secret",
  "secrets",
  "credential",
  "credentials",
  "authorization",
  "cookie",
  "apikey",
]);
const SECRET_PAIRS = new Set(["api key", "private key", "secret key", "access key"]);
const URL_USERINFO = /([a-z][a-z0-9+.-]*:\/\/)[^\s/?#"'<>]+@/gi;
const URL_SECRET = /([?&](?:password|token|access_token|secret|api_?key|signature|listenkey)=)[^&\s"'<>#]+/gi;

const MAX_DEPTH = 6;
const MAX_ITEMS = 100;
const MAX_TEXT = 4_000;

/** Whether a value under this key is a secret: `redis_password`, `apiToken`, `PRIVATE-KEY` are, `tokenizer` is not. */
export function isSecretKey(key: string): boolean {
  const words = key.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase().split(/[^a-z0-9]+/);
  return words.some((word, at) =>
    SECRET_WORDS.has(word) || (at > 0 && SECRET_PAIRS.has(`${words[at - 1]} ${word}`))
  );
}

/** The text with `scheme://user:password@` and secret URL parameters masked. */
export function redactText(text: string): string {
  const safe = knownSecrets.mask(text);
  const short = safe.length > MAX_TEXT ? `${safe.slice(0, MAX_TEXT)}…` : safe;
  if (!short.includes("://")) return short;
  return short.replace(URL_USERINFO, `$1${REDACTED}@`).replace(URL_SECRET, `$1${REDACTED}`);
}

/** A copy fit for a log: secrets masked, bounded in depth, width and length; errors become their message. */
export function redact(value: unknown, depth = 0): unknown {
  if (typeof value === "string") return redactText(value);
  if (typeof value === "bigint") return value.toString();
  if (typeof value !== "object" || value === null) return value;
  if (value instanceof Error) return redactText(value.message || value.name);
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
  if (ArrayBuffer.isView(value)) return `[${value.byteLength} bytes]`;
  if (depth >= MAX_DEPTH) return "[deep]";
  if (Array.isArray(value)) return cut(value.map((item) => redact(item, depth + 1)), value.length);
  const copy: Record<string, unknown> = {};
  let count = 0;
  for (const [key, inner] of Object.entries(value)) {
    if (++count > MAX_ITEMS) {
      copy["…"] = "[wide]";
      break;
    }
    copy[key] = isSecretKey(key) && isMaskable(key, inner) ? REDACTED : redact(inner, depth + 1);
  }
  return copy;
}

/** Absent stays absent and a count stays a count: `tokens: 12` is a number of tokens. */
function isMaskable(key: string, value: unknown): boolean {
  if (value === undefined || value === null || typeof value === "boolean") return false;
  return typeof value !== "number" || !/s$/i.test(key);
}

function cut(items: unknown[], length: number): unknown[] {
  return length > MAX_ITEMS ? [...items.slice(0, MAX_ITEMS), `[${length - MAX_ITEMS} more]`] : items;
}
