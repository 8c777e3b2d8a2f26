/**
 * Several files below one folder, all or none: folders that are missing are made first and taken away again when a file
 * cannot be written. Refuses links on the way (they could lead out of the folder) and, unless told, files that exist.
 */
import { dirname, join } from "node:path";
import { quoted, UserError } from "../base/errors.ts";
import { writeWholeFiles } from "./write_whole_file.ts";

export interface TreeOptions {
  /** Files that exist are replaced; default false: they are refused. */
  replace?: boolean;
}

/** @param files paths relative to `folder`, with `/`, without `..`: the caller's to know */
export async function writeWholeTree(
  folder: string,
  files: readonly { path: string; text: string }[],
  options: TreeOptions = {},
): Promise<void> {
  const made: string[] = [];
  try {
    for (const { path } of files) {
      const target = join(folder, path);
      const there = await infoOf(target);
      if (there && (!there.isFile || !options.replace)) {
        const reason = there.isFile ? "it exists, want a new place or --replace" : "no plain file, want one";
        throw new UserError(`write ${quoted(target, 200)}: ${reason}`);
      }
      await makeFolders(folder, dirname(target), made);
    }
    await writeWholeFiles(files.map(({ path, text }) => ({ path: join(folder, path), content: text })));
  } catch (error) {
    // Only what is empty goes: another program may have put something there.
    for (const one of made.reverse()) await Deno.remove(one).catch(() => {});
    throw error;
  }
}

async function makeFolders(folder: string, wanted: string, made: string[]): Promise<void> {
  const there = wanted === folder ? await Deno.stat(wanted).catch(() => undefined) : await infoOf(wanted);
  if (there?.isDirectory) return;
  if (there) {
    const found = there.isSymlink ? "a link, which may lead elsewhere" : "a file";
    throw new UserError(`write below ${quoted(wanted, 200)}: ${found}, want a folder`);
  }
  if (wanted !== folder) await makeFolders(folder, dirname(wanted), made);
  try {
    await Deno.mkdir(wanted);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) {
      throw new UserError(
        `make folder ${quoted(wanted, 200)}: the one above does not exist, want an existing one`,
      );
    }
    if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
      throw new UserError(`make folder ${quoted(wanted, 200)}: permission denied, want a writable place`);
    }
    throw error;
  }
  made.push(wanted);
}

async function infoOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.lstat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound || error instanceof Deno.errors.NotADirectory) return undefined;
    throw error;
  }
}
