/**
 * Which values of a file are meant: paths as the errors print them (`sinks[0].password`, `["odd key"].x`) or JSON Pointers
 * (`/sinks/0/password`); `*` stands for any one key, `[*]` for any index. Without any, values whose key names a secret.
 */
import { quoted, UserError } from "../../base/errors.ts";
import { isSecretKey } from "../../base/redact.ts";
import type { ConfigPath } from "../problem.ts";

const MAX_PATTERN_LENGTH = 4_096;
const STEP = /\.?([^.[\]"'\s]+)|\[(\d+|\*)\]|\[("(?:[^"\\]|\\.)*")\]/y;

export class KeySelection {
  readonly #patterns: readonly { text: string; steps: readonly string[] }[];
  readonly #unmatched: Set<string>;

  constructor(patterns: readonly string[]) {
    this.#patterns = patterns.map((text) => ({ text, steps: stepsOf(text) }));
    this.#unmatched = new Set(patterns);
  }

  takes(path: ConfigPath): boolean {
    if (this.#patterns.length === 0) {
      return isNamedSecret(path);
    }
    let taken = false;
    for (const { text, steps } of this.#patterns) {
      const fits = steps.length === path.length &&
        steps.every((step, i) => step === "*" || step === String(path[i]));
      if (!fits) continue;
      taken = true;
      this.#unmatched.delete(text);
    }
    return taken;
  }

  /** Patterns that took nothing so far. */
  get unmatched(): readonly string[] {
    return [...this.#unmatched];
  }
}

/** Whether the key says that this is a secret; an item of a list counts by the key of the list. */
export function isNamedSecret(path: ConfigPath): boolean {
  const key = path.findLast((step) => typeof step === "string");
  return typeof key === "string" && isSecretKey(key) && path[0] !== "encryption";
}

/** A path that was given as text → JSON Pointer. */
export function pointerOf(text: string): string {
  return stepsOf(text).map((step) => `/${step.replaceAll("~", "~0").replaceAll("/", "~1")}`).join("");
}

function stepsOf(text: string): string[] {
  const wrong = () =>
    new UserError(`read key ${quoted(text)}: not a path, want sinks[0].password or /sinks/0/password`, {
      code: 2,
    });
  if (text.length > MAX_PATTERN_LENGTH) throw wrong();
  if (text.startsWith("/")) {
    if (/~(?![01])/.test(text)) throw wrong();
    return text.slice(1).split("/").map((step) => step.replaceAll("~1", "/").replaceAll("~0", "~"));
  }
  const steps: string[] = [];
  for (STEP.lastIndex = 0; STEP.lastIndex < text.length;) {
    const match = STEP.exec(text);
    if (!match) throw wrong();
    const [whole, word, index, quotedWord] = match;
    if (word !== undefined && whole.startsWith(".") !== steps.length > 0) throw wrong();
    steps.push(word ?? index ?? JSON.parse(quotedWord) as string);
  }
  if (steps.length === 0) throw wrong();
  return steps;
}
