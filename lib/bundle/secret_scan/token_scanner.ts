/**
 * Finds secrets that can be told by their look (keys, tokens of well-known services, passwords in URLs) in a stream of bytes,
 * across the borders of its pieces, in any file, text or not. Formats as their issuers document them.
 * Refuses: guessing by entropy, which cries wolf; looking into compressed files.
 */
import { Buffer } from "node:buffer";
import type { Finding } from "./finding.ts";
import { isPlaceholder } from "./placeholder.ts";

/** Kind → pattern; each starts with fixed characters, so that one search over all of them stays fast. */
const PATTERNS: Readonly<Record<string, string>> = {
  "age-identity": "AGE-SECRET-KEY-(?:PQ-)?1[02-9AC-HJ-NP-Z]{50,}",
  "private-key": "-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY(?: BLOCK)?-----",
  "aws-key": "\\b(?:AKIA|ASIA)[0-9A-Z]{16}\\b",
  "github-token": "\\bgh[pousr]_[A-Za-z0-9]{36}|\\bgithub_pat_[A-Za-z0-9_]{60}",
  "gitlab-token": "\\bglpat-[\\w-]{20}",
  "slack-token": "\\bxox[abeoprs]-[A-Za-z0-9-]{10}",
  "google-key": "\\bAIza[\\w-]{35}",
  "stripe-key": "\\b[rs]k_live_[0-9A-Za-z]{16}",
  "npm-token": "\\bnpm_[A-Za-z0-9]{36}\\b",
  "ai-key": "\\bsk-(?:proj|ant|or)-[\\w-]{20}",
  "telegram-token": "\\b[0-9]{8,10}:AA[\\w-]{33}\\b",
  "json-web-token": "\\beyJ[\\w-]{10,}\\.eyJ[\\w-]{10,}\\.[\\w-]{10}",
  "mdg-key": "\\bmdg_[a-z0-9]{6,32}_[a-z2-7]{52}\\b",
  // the group is the password
  "url-password": "://[^\\s/?#\"'<>:@\\x00-\\x1f]{0,256}:([^\\s/?#\"'<>@\\x00-\\x1f]{1,512})@[\\w.\\[-]",
};
const KINDS = Object.keys(PATTERNS);
const ALL = new RegExp(KINDS.map((kind) => `(?:${PATTERNS[kind]})()`).join("|"), "g");

/** Longer than any match that matters; the end of a piece this long is looked at again with the next one. */
const OVERLAP = 2_048;
/** A file with more is not read to be mended line by line. */
const MAX_FINDINGS = 100;

export class TokenScanner {
  readonly findings: Finding[] = [];
  /** The end of what was seen: one character of context (none at the start), then what is not yet judged. */
  #held = "";
  #context = 0;
  /** Line of the first character that is not yet judged. */
  #line = 1;
  /** So many characters of it belong to the last finding. */
  #taken = 0;

  constructor(readonly file: string) {}

  push(piece: Uint8Array): void {
    const text = this.#held +
      Buffer.from(piece.buffer, piece.byteOffset, piece.byteLength).toString("latin1");
    const cut = Math.max(this.#context, text.length - OVERLAP);
    this.#search(text, cut);
    this.#context = Math.min(1, cut);
    this.#held = text.slice(cut - this.#context);
  }

  end(): void {
    this.#search(this.#held, this.#held.length);
    this.#held = "";
  }

  /** Takes the matches that begin before `cut`; the others are found again with more text after them. */
  #search(text: string, cut: number): void {
    let counted = this.#context;
    ALL.lastIndex = this.#context + this.#taken;
    let last_end = ALL.lastIndex;
    for (let match; (match = ALL.exec(text)) !== null && match.index < cut;) {
      last_end = ALL.lastIndex;
      const kind = kindOf(match);
      if (kind === undefined || this.findings.length >= MAX_FINDINGS) continue;
      this.#line += lineEnds(text, counted, match.index);
      counted = match.index;
      this.findings.push({ file: this.file, line: this.#line, kind });
    }
    this.#line += lineEnds(text, counted, cut);
    this.#taken = Math.max(0, last_end - cut);
  }
}

/** The empty group behind each pattern tells which one it was. */
function kindOf(match: RegExpExecArray): string | undefined {
  const groups = match.slice(1);
  const password_at = KINDS.length - 1;
  if (groups[password_at] !== undefined) {
    const password = groups[password_at];
    return isPlaceholder(password) || isPlaceholder(decodedOr(password)) ? undefined : "url-password";
  }
  return KINDS[groups.findIndex((group) => group !== undefined)];
}

function decodedOr(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

function lineEnds(text: string, from: number, to: number): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count++;
  return count;
}
