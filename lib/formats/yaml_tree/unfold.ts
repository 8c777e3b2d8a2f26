/**
 * One YAML mapping as a tree of files, the reverse of folding: mappings down to `depth` become folders, what they hold
 * files, other values of the root share `@root` files. Prefixes appear only where the order of names would not do.
 * Refuses keys that no file system everywhere takes for a name; the result folds back to the same text.
 */
import { quoted, UserError } from "../../base/errors.ts";
import type { SourceText } from "../source_text.ts";
import { SyntaxFault } from "../syntax_error.ts";
import { yamlString } from "../yaml/scalar_text.ts";
import {
  type BlockEntry,
  type BlockMap,
  type Body,
  entryLines,
  INDENT,
  isTrivia,
  mapLines,
  moved,
  withoutFirstBlanks,
} from "./block_tree.ts";
import { compareNames, isHidden, readEntryName } from "./entry_name.ts";
import { textBody } from "./text_body.ts";

export interface UnfoldedFile {
  /** Relative, with `/`. */
  path: string;
  text: string;
}

/** Longest name in bytes: Linux takes 255; prefix and extension need room. */
const MAX_NAME_BYTES = 240;
const MAX_FILES = 10_000;

/** @param depth levels of mappings that become folders; 0 writes one file */
export function unfold(source: SourceText, map: BlockMap, depth: number): UnfoldedFile[] {
  if (map.size === 0) return [{ path: "@root.yaml", text: joined([...map.tail, "{}"]) }];
  const files = new Unfolding(source).folder(map, "", depth, true);
  if (files.length > MAX_FILES) {
    throw new UserError(`unfold ${quoted(source.name, 200)}: more than ${MAX_FILES} files, want less depth`);
  }
  return files;
}

/** A file or folder of one folder, before it has its final name. */
interface Unit {
  /** Without prefix; of a run of entries that share a file `@root.yaml`. */
  name: string;
  is_folder: boolean;
  write(path: string): UnfoldedFile[];
}

class Unfolding {
  constructor(readonly source: SourceText) {}

  folder(map: BlockMap, path: string, depth: number, is_root: boolean): UnfoldedFile[] {
    const units: Unit[] = [];
    let run: string[] | undefined;
    const inRun = (lines: Iterable<string>) => {
      if (!run) {
        const shared: string[] = run = [];
        const write = (path: string) => [{ path, text: joined(withoutFirstBlanks(shared)) }];
        units.push({ name: "@root.yaml", is_folder: false, write });
      }
      run.push(...lines);
    };
    const last = Array.from(map.entries.values()).at(-1);
    for (const entry of map.entries.values()) {
      const { body } = entry;
      if (isFolder(entry, depth)) {
        run = undefined;
        units.push(this.#folderUnit(entry, (body as MapBody).map, depth));
      } else if (is_root) inRun(entryLines(entry, 0));
      else units.push(this.#fileUnit(entry, entry === last ? map.tail : []));
    }
    if (is_root && map.tail.length > 0) inRun(map.tail);
    return this.#named(units).flatMap(({ unit, name }) => unit.write(path === "" ? name : `${path}/${name}`));
  }

  #folderUnit(entry: BlockEntry, map: BlockMap, depth: number): Unit {
    const name = this.#name(entry);
    const about = withoutFirstBlanks(entry.lead);
    const last = Array.from(map.entries.values()).at(-1);
    // Only a file can take the comments below it along.
    if (last && isFolder(last, depth - 1)) about.push(...map.tail);
    return {
      name,
      is_folder: true,
      write: (path) => {
        const files = this.folder(map, path, depth - 1, false);
        return about.length > 0 ? [{ path: `${path}/@about.yaml`, text: joined(about) }, ...files] : files;
      },
    };
  }

  #fileUnit(entry: BlockEntry, tail: readonly string[]): Unit {
    const { body, head } = entry;
    const key = this.#name(entry);
    if ((head !== yamlString(entry.key) && !/^["']/.test(head)) || body.kind === "opaque") {
      this.#refuse(entry, "is written as no file name can be, as a number or with a property");
    }
    const text = tail.length === 0 ? plainText(entry) : undefined;
    const name = `${key}${text === undefined ? ".yaml" : ".txt"}`;
    return {
      name,
      is_folder: false,
      write: (path) => [{ path, text: text ?? fileText(entry.lead, body, tail) }],
    };
  }

  /** Names with prefixes when their own order, or a key that looks prefixed, asks for it. */
  #named(units: readonly Unit[]): { unit: Unit; name: string }[] {
    const fits = units.every(({ name, is_folder }, i) => {
      if (i > 0 && compareNames(units[i - 1].name, name) >= 0) return false;
      return !isHidden(name) && readEntryName(name, is_folder).order === Infinity;
    });
    const clash = new Set(units.map(({ name }) => name.normalize("NFC").toLowerCase())).size < units.length;
    if (units.length > 999 && (!fits || clash)) {
      throw new UserError(
        `unfold ${quoted(this.source.name, 200)}: ${units.length} entries in one folder, want at most 999`,
      );
    }
    const width = Math.max(2, String(units.length).length);
    return units.map((unit, i) => {
      const prefix = fits && !clash ? "" : `${String(i + 1).padStart(width, "0")}-`;
      return { unit, name: prefix + unit.name };
    });
  }

  #name(entry: BlockEntry): string {
    const { key } = entry;
    const problem = nameProblem(key);
    if (problem !== undefined) this.#refuse(entry, problem);
    return key;
  }

  #refuse({ key, place }: BlockEntry, problem: string): never {
    const offset = "offset" in place ? place.offset : 0;
    throw new SyntaxFault(
      this.source,
      offset,
      `key ${quoted(key)} ${problem}: want another, or less --depth`,
    );
  }
}

type MapBody = Extract<Body, { kind: "map" }>;

/** A folder has no place for properties, or for a comment behind its key; its key is a word to everyone. */
function isFolder({ key, head, body }: BlockEntry, depth: number): boolean {
  return depth > 0 && body.kind === "map" && body.rest === "" && head === yamlString(key);
}

/** Why a key is no name of a file on Linux, macOS and Windows. */
function nameProblem(key: string): string | undefined {
  if (key === "" || key === "." || key === "..") return "is no file name";
  if (/[/\\]/.test(key)) return "has a slash in it, which would lead to another folder";
  if (/[\p{Cc}\p{Cs}<>:"|?*]/u.test(key)) return "has a character that file names cannot have";
  if (key.startsWith("@")) return "begins with @, which merges";
  if (/[. ]$/.test(key)) return "ends with a dot or blank, which Windows drops";
  if (/^(con|prn|aux|nul|com\d|lpt\d)(\.|$)/i.test(key)) return "is a device on Windows";
  if (new TextEncoder().encode(key).length > MAX_NAME_BYTES) return "is too long for a file name";
  return undefined;
}

/** A block of text without comments that would be spelled the same again. */
function plainText({ lead, body }: BlockEntry): string | undefined {
  if (lead.length > 0 || body.kind !== "inline" || body.value.kind !== "scalar") return undefined;
  const { value } = body.value;
  if (typeof value !== "string" || !body.rest.startsWith("|")) return undefined;
  const again = textBody(value);
  return again.rest === body.rest && again.lines.join("\n") === body.lines.join("\n") ? value : undefined;
}

/** The file of a key: comments above, `---` where they could be taken for the value's own, the value, comments below. */
function fileText(
  lead: readonly string[],
  body: Exclude<Body, { kind: "opaque" }>,
  tail: readonly string[],
): string {
  if (body.kind === "inline") {
    const is_block = /^(?:[&!]\S*\s+)*[|>]/.test(body.rest);
    const lines = body.lines.map((line) => (is_block ? line : moved(line, -INDENT)));
    return joined([...lead, body.rest, ...lines, ...tail]);
  }
  const lines = body.kind === "map"
    ? Array.from(mapLines(body.map, 0))
    : body.lines.map((line) => moved(line, -INDENT));
  // Behind "..." a comment is not the value's own.
  if (tail.length > 0) lines.push("...", ...tail);
  if (body.rest !== "") return joined([...lead, `--- ${body.rest}`, ...lines]);
  const first = lines.findIndex((line) => !isTrivia(line));
  if (lines.slice(0, first).includes("")) return joined([...lead, "---", ...lines]);
  return joined([...lead, ...(lead.length > 0 ? [""] : []), ...lines]);
}

function joined(lines: readonly string[]): string {
  return lines.map((line) => `${line}\n`).join("");
}
