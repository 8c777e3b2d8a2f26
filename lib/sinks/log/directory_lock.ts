/**
 * One mdg per directory of log files. The kernel takes the lock back when its holder dies; the file it is on stays.
 */
import { quoted, reasonOf, UserError } from "../../base/errors.ts";

const NAME = ".mdg-log.lock";

/** Makes the directory where it is missing; throws a UserError when it cannot be had or is another's. */
export async function lockDirectory(directory: string): Promise<Deno.FsFile> {
  let file: Deno.FsFile;
  try {
    await Deno.mkdir(directory, { recursive: true });
    file = await Deno.open(`${directory}/${NAME}`, { read: true, write: true, create: true, mode: 0o644 });
  } catch (error) {
    throw failure(directory, error);
  }
  if (await file.tryLock(true)) {
    await file.truncate(0);
    await file.write(new TextEncoder().encode(`${Deno.pid}\n`));
    return file;
  }
  const holder = (await Deno.readTextFile(`${directory}/${NAME}`)).trim();
  file.close();
  throw new UserError(
    `open log directory ${quoted(directory, 200)}: process ${holder} writes to it, want one`,
    {
      hint: "give each gateway, and each of its log sinks, a directory of its own",
    },
  );
}

export function failure(directory: string, error: unknown): UserError {
  const fail = (reason: string) =>
    new UserError(`open log directory ${quoted(directory, 200)}: ${reason}`, { cause: error });
  const { errors } = Deno;
  if (error instanceof errors.PermissionDenied || error instanceof errors.NotCapable) {
    return fail("permission denied, want a writable one");
  }
  if (error instanceof errors.NotADirectory || error instanceof errors.AlreadyExists) {
    return fail("a part of it is a file, want a directory");
  }
  return fail(reasonOf(error));
}
