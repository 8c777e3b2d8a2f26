/**
 * A folder that only this user can enter, in memory where the system has such a place, gone on every way out that a process
 * can see: normal, by error, by signal, by exit. What a kill −9 left behind is removed by the next one.
 */
import { join } from "node:path";
import process from "node:process";
import { reasonOf, UserError } from "../base/errors.ts";

export interface PrivateFolder extends Disposable {
  readonly path: string;
  /** False: on disk, from which removed bytes may be read back. */
  readonly is_in_memory: boolean;
}

/**
 * `runtime_dir` is XDG_RUNTIME_DIR, which systems keep in memory. Nothing else will do: what lies below /dev is closed to
 * programs that run without every permission.
 */
export function privateFolder(prefix: string, runtime_dir: string | undefined): PrivateFolder {
  const name = `${prefix}${Deno.pid}-`;
  if (runtime_dir) {
    try {
      sweep(runtime_dir, prefix);
      return new Folder(Deno.makeTempDirSync({ dir: runtime_dir, prefix: name }), true);
    } catch {
      // not there, or not ours: the disk
    }
  }
  try {
    return new Folder(Deno.makeTempDirSync({ prefix: name }), false);
  } catch (error) {
    throw new UserError(`make a private folder: ${reasonOf(error)}`);
  }
}

class Folder implements PrivateFolder {
  readonly #remove = () => {
    try {
      Deno.removeSync(this.path, { recursive: true });
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  };

  constructor(readonly path: string, readonly is_in_memory: boolean) {
    // comes with every Deno.exit, a second Ctrl-C among them
    globalThis.addEventListener("unload", this.#remove);
    if (Deno.build.os !== "windows") Deno.chmodSync(path, 0o700);
  }

  [Symbol.dispose](): void {
    globalThis.removeEventListener("unload", this.#remove);
    this.#remove();
  }
}

/** Folders of this name whose process is gone; those of other users cannot be removed and stay. */
function sweep(dir: string, prefix: string): void {
  for (const { name, isDirectory } of Deno.readDirSync(dir)) {
    if (!isDirectory || !name.startsWith(prefix)) continue;
    const pid = /^(\d+)-/.exec(name.slice(prefix.length))?.[1];
    if (pid === undefined || isRunning(Number(pid))) continue;
    try {
      Deno.removeSync(join(dir, name), { recursive: true });
    } catch {
      // someone else's
    }
  }
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // anything but "no such process" means that it may run
    return (error as { code?: string }).code !== "ESRCH";
  }
}
