/** The program itself in the bundle: the running one when it is compiled, or one that was built for another machine. */
import { quoted, UserError } from "../base/errors.ts";
import { compareNames } from "../formats/zip/entry_name.ts";
import type { BundleFile, FileList } from "./list_files.ts";

/** Adds it under the name mdg (mdg.exe) and gives its record back. */
export async function includeBinary(list: FileList, path: string | undefined): Promise<BundleFile> {
  if (path === undefined && !Deno.build.standalone) {
    throw new UserError("include binary: this is mdg run from source, want a compiled one", {
      code: 2,
      hint: "`deno task compile` makes it; --binary FILE names it",
    });
  }
  const source = path ?? Deno.execPath();
  const info = await Deno.stat(source).catch(() => undefined);
  if (!info?.isFile) {
    throw new UserError(`include binary ${quoted(source, 200)}: there is no such file`, { code: 2 });
  }
  const name = source.toLowerCase().endsWith(".exe") ? "mdg.exe" : "mdg";
  if (list.files.some((file) => file.name === name)) {
    throw new UserError(`include binary: the bundle has a file ${quoted(name)} already, want one`);
  }
  const program = { name, path: source, bytes: info.size, is_executable: true };
  list.files.push(program);
  list.files.sort((a, b) => compareNames(a.name, b.name));
  return program;
}
