/**
 * Findings that a person looked at and let pass, one `file:line:kind` each, as the refusal prints them. By place on purpose:
 * a finding that moves is looked at again. An entry that lets nothing pass is told, so that the list does not rot.
 */
import { quoted, UserError } from "../../base/errors.ts";
import type { Finding } from "./finding.ts";

const ENTRY = /^(.+):(\d+):([a-z-]+)$/;

export class AllowList {
  readonly #unused: Set<string>;
  readonly #entries: ReadonlySet<string>;

  constructor(entries: readonly string[]) {
    for (const entry of entries) {
      if (!ENTRY.test(entry)) {
        throw new UserError(`read allowed finding ${quoted(entry)}: not a finding, want file:line:kind`, {
          code: 2,
        });
      }
    }
    this.#entries = new Set(entries);
    this.#unused = new Set(entries);
  }

  /** Entries of a file's text: one a line, `#` begins a comment. */
  static entriesOf(text: string): string[] {
    return text.split(/\r?\n/).map((line) => line.replace(/(?:^|\s)#.*$/, "").trim()).filter(Boolean);
  }

  allows({ file, line, kind }: Finding): boolean {
    const entry = `${file}:${line}:${kind}`;
    this.#unused.delete(entry);
    return this.#entries.has(entry);
  }

  /** Entries that let nothing pass so far. */
  get unused(): readonly string[] {
    return [...this.#unused];
  }
}
