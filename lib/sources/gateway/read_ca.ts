/** The authorities that a config or a flag names instead of the well-known ones. */
import { isAbsolute, join } from "node:path";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";

/** PEM text. @throws UserError (exit 2) when the file can't be read */
export async function readCa(path: string | undefined, cwd = Deno.cwd()): Promise<string | undefined> {
  if (path === undefined) return undefined;
  try {
    return await Deno.readTextFile(isAbsolute(path) ? path : join(cwd, path));
  } catch (error) {
    throw new UserError(`read TLS file ${quoted(path)}: ${reasonOf(error)}`, { code: 2, cause: error });
  }
}
