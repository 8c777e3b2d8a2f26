/**
 * A tree of files as one mapping. Folders and file stems are keys; files of the root, `@` files and `@` folders merge into
 * what holds them. Later ones (by prefix number, then name) meet earlier ones under the merge rules. A file of comments
 * only, merged into a folder, stands above the folder's key.
 */
import { quoted, UserError } from "../../base/errors.ts";
import type { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { yamlString } from "../yaml/scalar_text.ts";
import { type BlockEntry, BlockMap, type Body } from "./block_tree.ts";
import { compareNames, readEntryName } from "./entry_name.ts";
import { insert, type MergeRules, refuseTwice } from "./merge.ts";
import { readPart } from "./read_part.ts";
import { textBody } from "./text_body.ts";

export interface TreeFile {
  kind: "file";
  name: string;
  source: SourceText;
  /** Instead of the text, where it is none. */
  bytes?: Uint8Array;
}
export interface TreeFolder {
  kind: "folder";
  name: string;
  /** As errors call it. */
  path: string;
  entries: (TreeFile | TreeFolder)[];
}

export interface FoldOptions {
  /** Default: a key of two files is a fault that names both. */
  rules?: MergeRules;
  /** Prefixes order, but stay in the key. */
  keep_prefixes?: boolean;
  /** How a text file's text is spelled; default as it is. */
  spellText?: (text: string) => string;
}

/** The trees in order as one mapping; files of a format are read, and faults tell their place. */
export function foldTrees(trees: readonly TreeFolder[], options: FoldOptions = {}): BlockMap {
  const folding = new Folding(options);
  const root = new BlockMap();
  for (const tree of trees) folding.into(root, tree, true);
  root.tail = folding.pending;
  return root;
}

class Folding {
  /** Comments that wait for the next entry. */
  pending: string[] = [];

  constructor(readonly options: FoldOptions) {}

  /** Returns the comments about the folder itself. */
  into(map: BlockMap, folder: TreeFolder, is_root: boolean, path: readonly string[] = []): string[] {
    const { keep_prefixes } = this.options;
    const about: string[] = [];
    const entries = [...folder.entries].sort((a, b) => compareNames(a.name, b.name, keep_prefixes));
    for (const entry of entries) {
      const is_folder = entry.kind === "folder";
      const { key, merges, format } = readEntryName(entry.name, is_folder, keep_prefixes);
      if (is_folder && merges) about.push(...this.into(map, entry, false, path));
      else if (is_folder) this.#folder(map, key, entry, path);
      else if (format === "text") {
        if (merges) {
          throw new UserError(`${entry.source.name}: a text merges into nothing, want YAML or JSON`);
        }
        this.#text(map, key, entry.source, path);
      } else {
        const part = readPart(entry.source, format === "yaml" ? undefined : format);
        if (!merges && !is_root) {
          const place = { source: entry.source, offset: 0 };
          const body = part.body ?? nullBody();
          this.#add(map, { key, head: yamlString(key), lead: part.head, body, place }, path);
          this.pending = part.tail;
        } else if (part.body === undefined) (is_root ? this.pending : about).push(...part.head);
        else this.#merge(map, part, path);
      }
    }
    return about;
  }

  #folder(map: BlockMap, key: string, folder: TreeFolder, path: readonly string[]): void {
    const child = new BlockMap();
    const outer = this.pending;
    this.pending = [];
    const about = this.into(child, folder, false, [...path, key]);
    if (child.size === 0) {
      this.pending = [...outer, ...about, ...this.pending];
      return;
    }
    child.tail.push(...this.pending);
    this.pending = outer;
    const body: Body = { kind: "map", rest: "", map: child };
    this.#add(map, { key, head: yamlString(key), lead: about, body, place: { path: folder.path } }, path);
  }

  #text(map: BlockMap, key: string, source: SourceText, path: readonly string[]): void {
    const body = textBody(this.options.spellText?.(source.text) ?? source.text);
    this.#add(map, { key, head: yamlString(key), lead: [], body, place: { source, offset: 0 } }, path);
  }

  #merge(map: BlockMap, part: ReturnType<typeof readPart>, path: readonly string[]): void {
    const opened = part.body?.kind === "inline" ? part.body.open?.() : part.body;
    const is_empty = part.value.kind === "mapping" && part.value.entries.length === 0;
    if (!is_empty && (opened?.kind !== "map" || /^[&!]/.test(opened.rest))) {
      const reason = `this merges into its folder: want a mapping without tag and anchor`;
      throw new SyntaxFault(part.source, part.offset, reason);
    }
    this.pending.push(...part.head, ...(part.separated ? [""] : []));
    if (opened?.kind === "map") {
      if (opened.rest !== "") this.pending.push(opened.rest);
      for (const entry of opened.map.entries.values()) this.#add(map, entry, path);
      this.pending.push(...opened.map.tail);
    }
    this.pending.push(...part.tail);
  }

  #add(map: BlockMap, entry: BlockEntry, path: readonly string[]): void {
    if (entry.key === "" && "path" in entry.place) {
      throw new UserError(`fold ${quoted(entry.place.path, 200)}: its name has no key in it, want one`);
    }
    entry.lead = [...this.pending, ...entry.lead];
    this.pending = [];
    insert(map, entry, this.options.rules ?? refuseTwice, path);
  }
}

function nullBody(): Body {
  return {
    kind: "inline",
    rest: "null",
    lines: [],
    value: { kind: "scalar", value: null, text: "null", offset: 0, end: 0 },
  };
}
