/**
 * Encrypted values of a config, opened in memory while it is loaded: every one is reported at its own place when it is
 * damaged, meant for another key, or bound to another path. What is opened is made known to everything that prints.
 */
import type { Decrypter } from "age-encryption";
import { UserError } from "../../base/errors.ts";
import { knownSecrets, MAX_SECRETS, MIN_LENGTH } from "../../base/known_secrets.ts";
import { REDACTED } from "../../base/redact.ts";
import { isEncrypted, open } from "../../formats/encrypted_value/token.ts";
import { jsonPointer } from "../../formats/json_pointer.ts";
import type { LocatedScalar, LocatedValue } from "../../formats/located.ts";
import type { ConfigPath, ProblemList } from "../problem.ts";
import { scalarsOf } from "./scalars.ts";

export interface Decrypted {
  value: LocatedValue;
  /** Scalars that were encrypted, as they are now. */
  opened: ReadonlySet<LocatedScalar>;
  /** Paths of those too short to be masked by their look. */
  unmaskable: readonly { path: ConfigPath; offset: number }[];
}

/** The tree with encrypted scalars replaced; `decrypter` is asked for only when there is one. */
export async function decryptTree(
  root: LocatedValue,
  decrypter: () => Promise<Decrypter>,
  problems: ProblemList,
): Promise<Decrypted> {
  const found = [...scalarsOf(root)].filter(({ scalar }) => isEncrypted(scalar.value));
  const replaced = new Map<LocatedValue, LocatedScalar>();
  const unmaskable: { path: ConfigPath; offset: number }[] = [];
  if (found.length === 0) return { value: root, opened: new Set(), unmaskable };
  if (found.length > MAX_SECRETS) {
    problems.add(
      found[MAX_SECRETS].scalar.offset,
      found[MAX_SECRETS].path,
      `more than ${MAX_SECRETS} encrypted values: want fewer`,
    );
    return { value: root, opened: new Set(), unmaskable };
  }
  const keys = await decrypter();
  for (const { scalar, path } of found) {
    try {
      const { value, path: bound } = await open(scalar.value as string, keys);
      if (bound !== undefined && bound !== jsonPointer(path)) {
        throw new UserError(`encrypted for another key (${bound}): want it there, or encrypted anew`);
      }
      if (typeof value === "string" && !knownSecrets.add(value) && value !== "") {
        unmaskable.push({ path, offset: scalar.offset });
      }
      replaced.set(scalar, { ...scalar, value, text: JSON.stringify(value) });
    } catch (error) {
      if (!(error instanceof UserError)) throw error;
      problems.add(scalar.offset, path, `encrypted value: ${error.message}`);
    }
  }
  // before rebuilding, which notes every other node in the same map
  const opened = new Set(replaced.values());
  return { value: rebuilt(root, replaced), opened, unmaskable };
}

/** What to say of a value that log masking cannot recognise. */
export const SHORT_SECRET =
  `shorter than ${MIN_LENGTH} characters: cannot be masked in logs, want a longer one`;

function rebuilt(root: LocatedValue, replaced: Map<LocatedValue, LocatedValue>): LocatedValue {
  const known = replaced.get(root);
  if (known) return known;
  const result: LocatedValue = root.kind === "mapping"
    ? { ...root, entries: root.entries.map((entry) => ({ ...entry, value: rebuilt(entry.value, replaced) })) }
    : root.kind === "sequence"
    ? { ...root, items: root.items.map((item) => rebuilt(item, replaced)) }
    : root;
  replaced.set(root, result);
  return result;
}

/** Plain data with what was decrypted replaced by stars, wherever it went. */
export function withoutOpened(value: unknown, opened: ReadonlySet<LocatedScalar>): unknown {
  const values = new Set([...opened].map((scalar) => scalar.value));
  const hide = (inner: unknown): unknown => {
    if (typeof inner === "string") return values.has(inner) ? REDACTED : knownSecrets.mask(inner);
    if (typeof inner === "number") return values.has(inner) ? REDACTED : inner;
    if (Array.isArray(inner)) return inner.map(hide);
    if (typeof inner !== "object" || inner === null) return inner;
    return Object.fromEntries(Object.entries(inner).map(([key, item]) => [key, hide(item)]));
  };
  return hide(value);
}
