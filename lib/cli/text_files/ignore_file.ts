/** An ignore file: one pattern (glob.ts) a line, empty lines and `#` comments left out; none when there is no such file. */
import { quoted, UserError } from "../../base/errors.ts";
import { globToRegExp } from "./glob.ts";

/** Patterns of paths relative to `folder`, where the file lies. Negation (`!`) is refused, not misread. */
export async function readIgnoreFile(folder: string, name: string): Promise<RegExp[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(`${folder}/${name}`);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return [];
    throw error;
  }
  const lines = text.split(/\r?\n/).map((line) => line.trim());
  const negated = lines.findIndex((line) => line.startsWith("!"));
  if (negated >= 0) {
    throw new UserError(
      `read ignore file ${quoted(name)}: line ${negated + 1} negates, want patterns of what to leave out`,
      { code: 2 },
    );
  }
  return lines.filter((line) => line !== "" && !line.startsWith("#")).map(globToRegExp);
}
