/**
 * What goes into a bundle: the files and empty folders under the given paths, in byte order of their names. A symbolic link
 * is followed when it stays inside the folder, so that a bundle holds no links. Everything that cannot be bundled faithfully
 * (links that lead out, names that are not UTF-8, pipes) is reported at once, not left out in silence.
 */
import { isAbsolute, join, relative } from "node:path";
import { quoted, reasonOf, UserError } from "../base/errors.ts";
import { compareNames, foldedName, nameFault } from "../formats/zip/entry_name.ts";
import { MANIFEST_NAME, MAX_ENTRIES } from "../formats/zip/manifest.ts";

export interface BundleFile {
  /** In the archive. */
  name: string;
  /** On disk. */
  path: string;
  bytes: number;
  is_executable: boolean;
}
export interface FileList {
  files: BundleFile[];
  empty_folders: string[];
  /** Worth telling, no reason to stop. */
  warnings: string[];
}

export interface ListOptions {
  /** Names are relative to it; an absolute path. */
  root: string;
  /** Files and folders below it. */
  paths: readonly string[];
  ignored: readonly RegExp[];
  /** Real paths that never belong in: the archive itself. */
  excluded: ReadonlySet<string>;
}

const MAX_REPORTED = 20;
/** Version control and what this tool itself reads or writes. */
const NEVER = new Set([".git", ".zipignore", ".zipallow", MANIFEST_NAME]);

export async function listBundleFiles(options: ListOptions): Promise<FileList> {
  const lister = new Lister(options, await Deno.realPath(options.root));
  for (const path of options.paths) await lister.start(path);
  return lister.result();
}

/** A folder on the way: its real path and those above it, to recognise a loop. */
interface Folder {
  name: string;
  path: string;
  real_chain: readonly string[];
}

class Lister {
  readonly #files = new Map<string, BundleFile>();
  readonly #empty = new Set<string>();
  readonly #problems: string[] = [];
  readonly #warnings: string[] = [];

  constructor(readonly options: ListOptions, readonly real_root: string) {}

  async start(given: string): Promise<void> {
    const path = isAbsolute(given) ? given : join(this.options.root, given);
    const name = relative(this.options.root, path).replaceAll("\\", "/");
    if (name.startsWith("..") || isAbsolute(name)) {
      this.#problems.push(
        `${quoted(given, 200)}: outside the folder, want a path below it (or another --directory)`,
      );
      return;
    }
    await this.#add(name, path, []);
  }

  result(): FileList {
    if (this.#problems.length > 0) {
      const shown = this.#problems.slice(0, MAX_REPORTED).map((problem) => `  ${problem}`);
      const more = this.#problems.length - shown.length;
      if (more > 0) shown.push(`  … and ${more} more`);
      throw new UserError(`list files: ${this.#problems.length} cannot be bundled\n${shown.join("\n")}`, {
        hint: "leave them out with --ignore PATTERN or a line in .zipignore",
      });
    }
    const files = [...this.#files.values()].sort((a, b) => compareNames(a.name, b.name));
    const folded = new Map<string, string>();
    for (const { name } of files) {
      const other = folded.get(foldedName(name));
      if (other !== undefined) {
        this.#warnings.push(
          `${quoted(other, 200)} and ${quoted(name, 200)} are one file on Windows and macOS`,
        );
      }
      folded.set(foldedName(name), name);
    }
    return { files, empty_folders: [...this.#empty].sort(compareNames), warnings: this.#warnings };
  }

  async #add(name: string, path: string, chain: readonly string[]): Promise<void> {
    const say = (reason: string) => void this.#problems.push(`${quoted(name, 200)}: ${reason}`);
    try {
      const link = await Deno.lstat(path);
      const real = await Deno.realPath(path);
      if (link.isSymlink && !this.#isInside(real)) {
        return say("a link that leads out of the folder, want a copy");
      }
      const info = link.isSymlink ? await Deno.stat(path) : link;
      if (this.options.excluded.has(real)) return;
      if (info.isDirectory) {
        if (chain.includes(real)) return say("a link to a folder above it, want no loop");
        await this.#walk({ name, path, real_chain: [...chain, real] });
      } else if (!info.isFile) say("a pipe or device, want a regular file");
      else if (name === "") say("a file, want a folder");
      else {
        const fault = nameFault(name);
        if (fault) return say(`${fault}: want another name`);
        const is_executable = ((info.mode ?? 0) & 0o111) !== 0;
        this.#files.set(name, { name, path, bytes: info.size, is_executable });
        if (this.#files.size + this.#empty.size > MAX_ENTRIES) {
          throw new UserError(`list files: more than ${MAX_ENTRIES}, want a smaller folder`);
        }
      }
    } catch (error) {
      if (error instanceof UserError) throw error;
      const link_target = await Deno.readLink(path).catch(() => undefined);
      if (link_target !== undefined) return say(`a link to ${quoted(link_target, 200)}, which is not there`);
      if (!(error instanceof Deno.errors.NotFound)) return say(reasonOf(error));
      // the runtime shows bytes that are no UTF-8 as U+FFFD, under which nothing can be found
      say(name.includes("\uFFFD") ? "its name is not UTF-8, want another name" : "there is no such file");
    }
  }

  async #walk(folder: Folder): Promise<void> {
    let is_empty = true;
    const entries: string[] = [];
    for await (const { name } of Deno.readDir(folder.path)) entries.push(name);
    for (const entry of entries.sort(compareNames)) {
      is_empty = false;
      const name = folder.name === "" ? entry : `${folder.name}/${entry}`;
      if (this.#isLeftOut(name, entry)) continue;
      await this.#add(name, join(folder.path, entry), folder.real_chain);
    }
    if (!is_empty || folder.name === "") return;
    const fault = nameFault(folder.name);
    if (fault) this.#problems.push(`${quoted(folder.name, 200)}: ${fault}: want another name`);
    else this.#empty.add(folder.name);
  }

  #isLeftOut(name: string, entry: string): boolean {
    if (NEVER.has(name) || entry === ".git") {
      if (name === MANIFEST_NAME) this.#warnings.push(`${MANIFEST_NAME} is left out: a new one is made`);
      return true;
    }
    return this.options.ignored.some((pattern) => pattern.test(name));
  }

  #isInside(real: string): boolean {
    const inner = relative(this.real_root, real);
    return inner === "" || (!inner.startsWith("..") && !isAbsolute(inner));
  }
}
