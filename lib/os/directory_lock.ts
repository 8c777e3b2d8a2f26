/**
 * One mdg per directory of files that grow. The kernel takes the lock back when its holder dies; the file it is on stays.
 */
import { quoted, reasonOf, UserError } from "../base/errors.ts";

/** What the directory is to whoever wants it, for names and words. */
export interface DirectoryUse {
  /** "log": the lock is on ".mdg-log.lock", errors speak of the "log directory". */
  readonly word: string;
  /** What to do when it is another's. */
  readonly hint: string;
}

/** Makes the directory where it is missing; throws a UserError when it cannot be had or is another's. */
export async function lockDirectory(directory: string, use: DirectoryUse): Promise<Deno.FsFile> {
  const path = `${directory}/.mdg-${use.word}.lock`;
  let file: Deno.FsFile;
  try {
    await Deno.mkdir(directory, { recursive: true });
    file = await Deno.open(path, { read: true, write: true, create: true, mode: 0o644 });
  } catch (error) {
    throw directoryFailure(directory, use.word, error);
  }
  if (await file.tryLock(true)) {
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
    return file;
  }
  const holder = (await Deno.readTextFile(path)).trim();
  file.close();
  throw new UserError(
    `open ${use.word} directory ${quoted(directory, 200)}: process ${holder} writes to it, want one`,
    { hint: use.hint },
  );
}

export function directoryFailure(directory: string, word: string, error: unknown): UserError {
  const fail = (reason: string) =>
    new UserError(`open ${word} directory ${quoted(directory, 200)}: ${reason}`, { cause: error });
  const { errors } = Deno;
  if (error instanceof errors.PermissionDenied || error instanceof errors.NotCapable) {
    return fail("permission denied, want a writable one");
  }
  if (error instanceof errors.NotADirectory || error instanceof errors.AlreadyExists) {
    return fail("a part of it is a file, want a directory");
  }
  return fail(reasonOf(error));
}
