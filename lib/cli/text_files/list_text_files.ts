/**
 * The JSON-family files under the given paths, sorted, for tools that recurse. Hidden entries and node_modules are left
 * out, symbolic links are not followed, an ignore file (one glob a line, `#` comments) leaves out more.
 * A file given by name is always in.
 */
import { quoted, UserError } from "../../base/errors.ts";
import { readIgnoreFile } from "./ignore_file.ts";
import { absolutePath } from "./read_text.ts";

const EXTENSION = /\.(json5|j5|jsonc|json)$/i;
/** More than that is a mistake in the path, not a tree of configs. */
const MAX_FILES = 100_000;

export async function listTextFiles(
  cwd: string,
  given: readonly string[],
  ignore_name: string,
): Promise<string[]> {
  const found: string[] = [];
  for (const path of given) {
    if (path === "-" || !(await isDirectory(absolutePath(cwd, path)))) {
      found.push(path);
      continue;
    }
    const ignored = await readIgnoreFile(absolutePath(cwd, path), ignore_name);
    const folders = [""];
    for (let folder = folders.pop(); folder !== undefined; folder = folders.pop()) {
      for await (const entry of Deno.readDir(absolutePath(cwd, `${path}/${folder}`))) {
        const inner = folder + entry.name;
        if (entry.name.startsWith(".") || entry.name === "node_modules") continue;
        if (ignored.some((pattern) => pattern.test(inner))) continue;
        if (entry.isDirectory) folders.push(`${inner}/`);
        else if (entry.isFile && EXTENSION.test(entry.name)) {
          found.push(path === "." ? inner : `${path}/${inner}`);
        }
      }
      if (found.length > MAX_FILES) {
        throw new UserError(`list ${quoted(path, 200)}: more than ${MAX_FILES} files, want a smaller folder`);
      }
    }
  }
  return found.sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
}

async function isDirectory(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}
