/**
 * The secrets that this process has decrypted, so that nothing that prints can show one. One instance per process: a log
 * line does not know which config it came from. Masked are the whole value, its trimmed form, each of its lines, and their
 * base64, hex, URL- and JSON-escaped forms. Refuses: masking below `MIN_LENGTH`, or ordinary words would vanish.
 */
const MASK = "***";
/** Shorter texts occur by chance. */
export const MIN_LENGTH = 6;
/** Each secret costs about twenty patterns, tried at every printed character. */
export const MAX_SECRETS = 1_000;
/** Our own API keys are known by their form; the first group is the id, which is no secret. */
export const API_KEY_FORM = "mdg_([a-z0-9]{6,32})_[a-z2-7]{52}";
const API_KEY = new RegExp(API_KEY_FORM, "g");

export class KnownSecrets {
  readonly #values = new Set<string>();
  readonly #forms = new Set<string>();
  #pattern: RegExp | undefined;

  get size(): number {
    return this.#values.size;
  }

  /** False when the value is too short to be masked; a RangeError past MAX_SECRETS. */
  add(value: string): boolean {
    if (this.#values.has(value)) return true;
    const forms = formsOf(value);
    if (forms.size === 0) return false;
    if (this.#values.size >= MAX_SECRETS) {
      throw new RangeError(`more than ${MAX_SECRETS} secrets, want fewer`);
    }
    this.#values.add(value);
    for (const form of forms) this.#forms.add(form);
    this.#pattern = undefined;
    return true;
  }

  /** The text with every form of every secret, and every API key of ours, replaced by stars. */
  mask(text: string): string {
    const keyless = text.includes("mdg_") ? text.replace(API_KEY, `mdg_$1_${MASK}`) : text;
    if (this.#forms.size === 0) return keyless;
    this.#pattern ??= patternOf(this.#forms);
    return keyless.replace(this.#pattern, MASK);
  }

  /**
   * A masker for text that comes in pieces: what may be the start of a secret is held back, at most the longest form
   * less one character, until the next piece decides or `flush` gives it out. Nothing is
   * held after a piece said to be complete (a whole line).
   */
  stream(): { push(piece: string, is_complete?: boolean): string; flush(): string } {
    let held = "";
    return {
      push: (piece, is_complete = false) => {
        const text = this.mask(held + piece);
        const keep = is_complete ? 0 : this.#possibleStart(text);
        held = text.slice(text.length - keep);
        return text.slice(0, text.length - keep);
      },
      flush: () => {
        const text = held;
        held = "";
        return text;
      },
    };
  }

  /** Length of the longest end of the text that begins a form. */
  #possibleStart(text: string): number {
    let longest = 0;
    for (const form of this.#forms) {
      for (let length = Math.min(form.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(form.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}

/** What every printer of this process asks. */
export const knownSecrets = new KnownSecrets();

function formsOf(value: string): Set<string> {
  const forms = new Set<string>();
  const add = (form: string) => {
    if (form.length >= MIN_LENGTH) forms.add(form);
  };
  for (const text of new Set([value, value.trim(), ...value.split(/\r?\n/).map((line) => line.trim())])) {
    if (text.length < MIN_LENGTH) continue;
    add(text);
    const escaped = JSON.stringify(text).slice(1, -1);
    add(escaped);
    add(escaped.replaceAll("/", "\\/"));
    const url = encodeURIComponent(text.toWellFormed());
    add(url);
    add(url.replaceAll("%20", "+"));
    add(url.replace(/%[0-9A-F]{2}/g, (code) => code.toLowerCase()));
    add(new URLSearchParams([["", text]]).toString().slice(1));
    const bytes = new TextEncoder().encode(text);
    add(bytes.toHex());
    add(bytes.toHex().toUpperCase());
    for (let shift = 0; shift < 3; shift++) {
      const base64 = base64Core(bytes, shift);
      add(base64);
      add(base64.replaceAll("+", "-").replaceAll("/", "_"));
    }
  }
  return forms;
}

/** The characters of a base64 text that depend on these bytes alone when `shift` bytes stand before them. */
function base64Core(bytes: Uint8Array, shift: number): string {
  const shifted = new Uint8Array(shift + bytes.length);
  shifted.set(bytes, shift);
  return shifted.toBase64().slice(Math.ceil(shift * 8 / 6), Math.floor(shifted.length * 8 / 6));
}

function patternOf(forms: ReadonlySet<string>): RegExp {
  // the longest first: an alternation takes the first that fits
  const sorted = [...forms].sort((a, b) => b.length - a.length);
  return new RegExp(sorted.map((form) => form.replace(/[\\^$.*+?()[\]{}|/]/g, "\\$&")).join("|"), "g");
}
