/**
 * A folder of text files in memory, for tools that fold trees. Links are followed, but never back to a folder above;
 * dot-files are left out. Refuses whatever another machine would not read the same: names that differ only by case,
 * names and texts that are not UTF-8, pipes and devices; and more than the written bounds.
 */
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import type { TreeFile, TreeFolder } from "../../formats/yaml_tree/fold.ts";
import { isHidden, readEntryName } from "../../formats/yaml_tree/entry_name.ts";
import { SourceText } from "../../formats/source_text.ts";
import { absolutePath, decodeText, readBytes } from "./read_text.ts";

export const MAX_TREE_FILES = 10_000;
export const MAX_TREE_DEPTH = 100;
export const MAX_TREE_BYTES = 64 * 1024 * 1024;

export interface ReadTreeOptions {
  /** Leaves out files that are neither YAML nor of the JSON family. */
  data_only?: boolean;
  /** Takes files that are not UTF-8 as bytes; default false: they are refused. */
  binary?: boolean;
  /** Default MAX_TREE_FILES. */
  max_files?: number;
}

/** @param path as the user gave it; errors name files below it in the same way */
export async function readTree(
  cwd: string,
  path: string,
  options: ReadTreeOptions = {},
): Promise<TreeFolder> {
  if (path === "") throw new UserError('read "": an empty path, want a folder', { code: 2 });
  const reader = new TreeReader(cwd, options);
  const real = await reader.realFolder(path);
  return await reader.folder(path.replace(/(?<=.)\/+$/, ""), "", [real]);
}

class TreeReader {
  #files = 0;
  #bytes = 0;

  constructor(readonly cwd: string, readonly options: ReadTreeOptions) {}

  async realFolder(path: string): Promise<string> {
    const info = await this.#told(path, () => Deno.stat(absolutePath(this.cwd, path)));
    if (!info.isDirectory) refuse(path, "a file, want a folder");
    return await Deno.realPath(absolutePath(this.cwd, path));
  }

  /** `above` holds the real paths of the folders that lead here, itself included. */
  async folder(path: string, name: string, above: readonly string[]): Promise<TreeFolder> {
    if (above.length > MAX_TREE_DEPTH) refuse(path, `more than ${MAX_TREE_DEPTH} folders deep, want less`);
    const names = await this.#names(path);
    const entries: (TreeFile | TreeFolder)[] = [];
    for (const inner of names) {
      const inner_path = below(path, inner);
      const info = await this.#told(inner_path, () => Deno.stat(absolutePath(this.cwd, inner_path)));
      if (info.isDirectory) {
        const real = await Deno.realPath(absolutePath(this.cwd, inner_path));
        const loop = above.includes(real);
        if (loop) refuse(inner_path, "a link back to a folder that it lies in, want a tree");
        entries.push(await this.folder(inner_path, inner, [...above, real]));
      } else if (!info.isFile) {
        refuse(inner_path, "a pipe or device, want regular files");
      } else if (!this.options.data_only || readEntryName(inner, false).format !== "text") {
        this.#count(inner_path, info.size);
        const bytes = await readBytes({ cwd: this.cwd, stdin: NO_STDIN }, inner_path);
        entries.push({ kind: "file", name: inner, ...this.#content(inner_path, bytes) });
      }
    }
    return { kind: "folder", name, path, entries };
  }

  async #names(path: string): Promise<string[]> {
    const names = await this.#told(path, async () => {
      const found: string[] = [];
      for await (const { name } of Deno.readDir(absolutePath(this.cwd, path))) {
        if (!isHidden(name)) found.push(name);
      }
      return found.sort();
    });
    const by_folded = new Map<string, string>();
    for (const name of names) {
      // The runtime replaces what it cannot decode.
      if (name.includes("\uFFFD")) refuse(below(path, name), "a name that is not UTF-8, want UTF-8");
      const folded = name.normalize("NFC").toLowerCase();
      const other = by_folded.get(folded);
      if (other !== undefined) {
        refuse(
          below(path, name),
          `differs from ${quoted(other)} only by case or accents' spelling, want one of them`,
        );
      }
      by_folded.set(folded, name);
    }
    return names;
  }

  #content(path: string, bytes: Uint8Array): Pick<TreeFile, "source" | "bytes"> {
    try {
      return { source: decodeText(path, bytes) };
    } catch (error) {
      if (!this.options.binary) throw error;
      return { source: new SourceText(path, ""), bytes };
    }
  }

  #count(path: string, size: number): void {
    this.#bytes += size;
    const max_files = this.options.max_files ?? MAX_TREE_FILES;
    if (++this.#files > max_files) refuse(path, `more than ${max_files} files, want a smaller folder`);
    if (this.#bytes > MAX_TREE_BYTES) {
      refuse(path, `with it the files have more than ${MAX_TREE_BYTES} bytes, want less`);
    }
  }

  async #told<T>(path: string, work: () => Promise<T>): Promise<T> {
    try {
      return await work();
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) {
        const is_link = await Deno.lstat(absolutePath(this.cwd, path)).then(() => true, () => false);
        return refuse(path, is_link ? "a link to nothing, want a file or folder" : "there is no such folder");
      }
      if (error instanceof Deno.errors.FilesystemLoop) return refuse(path, "a link to itself, want a tree");
      if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
        return refuse(path, "permission denied, want it readable");
      }
      return refuse(path, reasonOf(error));
    }
  }
}

/** The path of what lies in a folder, as the user would type it. */
function below(path: string, name: string): string {
  return path === "." ? name : path === "/" ? `/${name}` : `${path}/${name}`;
}

/** Only "-" would read it, and no file of a tree is given as that. */
const NO_STDIN = new ReadableStream<Uint8Array>();

function refuse(path: string, reason: string): never {
  throw new UserError(`read ${quoted(path, 200)}: ${reason}`);
}
