/**
 * The scan that a bundle must pass: every file's bytes are searched for secrets that can be told by their look, configs also
 * by their keys. It sees the very bytes that go into the archive and collects all findings before it refuses.
 */
import { UserError } from "../../base/errors.ts";
import type { Schema } from "../../config/schema_walk.ts";
import type { Inspector } from "../write_bundle.ts";
import type { AllowList } from "./allow_list.ts";
import { configFindings, isConfigName } from "./config_values.ts";
import { type Finding, findingText } from "./finding.ts";
import { TokenScanner } from "./token_scanner.ts";

/** A larger file is no config; its keys are not looked at. */
const MAX_CONFIG_BYTES = 4 * 1024 * 1024;
const MAX_REPORTED = 50;
/** Further ones are only counted. */
const MAX_KEPT = 10_000;

export class SecretScan {
  readonly #findings: Finding[] = [];
  #count = 0;

  /** `schema` marks the gateway's own secrets. */
  constructor(readonly schema: Schema | undefined, readonly allowed: AllowList) {}

  /** For the bytes of one file. */
  inspect(file: { name: string; bytes: number }): Inspector {
    const tokens = new TokenScanner(file.name);
    const kept: Uint8Array[] | undefined = isConfigName(file.name) && file.bytes <= MAX_CONFIG_BYTES
      ? []
      : undefined;
    return {
      push: (piece) => {
        tokens.push(piece);
        kept?.push(piece);
      },
      end: () => {
        tokens.end();
        const found = tokens.findings;
        this.#add(kept ? [...found, ...configFindings(file.name, textOf(kept), this.schema)] : found);
      },
    };
  }

  /** Throws when a plain secret was found that nobody allowed. */
  verdict(): void {
    if (this.#count === 0) return;
    const shown = this.#findings.slice(0, MAX_REPORTED).map((finding) => `  ${findingText(finding)}`);
    if (this.#count > shown.length) shown.push(`  … and ${this.#count - shown.length} more`);
    const noun = this.#count === 1 ? "1 secret" : `${this.#count} secrets`;
    throw new UserError(`bundle files: ${noun} in plain text, want none\n${shown.join("\n")}`, {
      hint:
        "`mdg encrypt file` encrypts config values; --ignore leaves a file out; --allow FILE:LINE:KIND lets one pass",
    });
  }

  #add(findings: readonly Finding[]): void {
    for (const finding of findings) {
      if (this.allowed.allows(finding)) continue;
      this.#count++;
      if (this.#findings.length < MAX_KEPT) this.#findings.push(finding);
    }
  }
}

function textOf(pieces: readonly Uint8Array[]): string {
  const decoder = new TextDecoder();
  return pieces.map((piece) => decoder.decode(piece, { stream: true })).join("") + decoder.decode();
}
