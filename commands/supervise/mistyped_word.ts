/** `mdg supervise statsu` is a mistyped word and no file. */
import { quoted, UserError } from "../../lib/base/errors.ts";
import { nearestWord } from "../../lib/config/nearest_word.ts";

/** Throws a UserError when the file's name has no extension and is near to one of the words. */
export function refuseMistypedWord(file: string, words: readonly string[]): void {
  if (/[./]/.test(file)) return;
  const near = nearestWord(file, words);
  if (near === undefined) return;
  throw new UserError(`unknown command ${quoted(file)}`, {
    code: 2,
    hint: `did you mean ${near}? see mdg supervise --help`,
  });
}
