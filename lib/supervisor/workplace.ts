/**
 * The supervisor's own folder: control socket, pipes, state. Only its user can enter it (0700), so whoever may not send
 * commands cannot even see the socket. One supervisor per folder, by a lock that the kernel takes back. Refuses a folder
 * of somebody else, which in a public place may have been laid out for us.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { quoted, reasonOf, UserError } from "../base/errors.ts";
import { ownUserId } from "../os/process_table.ts";

const FOLDER_MODE = 0o700;
const HASH_LENGTH = 12;
/** A socket's address has room for 107 bytes. */
const MAX_PATH_BYTES = 107 - "/notify/".length - HASH_LENGTH;

type Env = Readonly<Record<string, string | undefined>>;

/** Where the folder is when nobody says: the user's runtime folder, /run for root, else below /tmp. */
export function defaultDirectory(env: Env): string {
  if (env.MDG_SUPERVISE_DIRECTORY) return env.MDG_SUPERVISE_DIRECTORY;
  if (env.XDG_RUNTIME_DIR) return join(env.XDG_RUNTIME_DIR, "mdg-supervise");
  const user = ownUserId();
  return user === 0 ? "/run/mdg-supervise" : `/tmp/mdg-supervise-${user}`;
}

export class Workplace implements Disposable {
  readonly #lock: Deno.FsFile;

  private constructor(readonly directory: string, lock: Deno.FsFile) {
    this.#lock = lock;
  }
  /** Makes the folder and takes its lock; throws a UserError when it is another's. */
  static open(directory: string): Workplace {
    const fail = (reason: string, hint?: string): never => {
      throw new UserError(`open supervisor folder ${quoted(directory, 200)}: ${reason}`, { hint });
    };
    if (new TextEncoder().encode(directory).length > MAX_PATH_BYTES) {
      fail(`its name is too long for a socket, want at most ${MAX_PATH_BYTES} bytes`);
    }
    try {
      Deno.mkdirSync(directory, { recursive: true, mode: FOLDER_MODE });
      checkOwner(directory, fail);
      Deno.chmodSync(directory, FOLDER_MODE);
      for (const name of ["pipes", "notify"]) {
        Deno.mkdirSync(`${directory}/${name}`, { recursive: true, mode: FOLDER_MODE });
      }
      const lock = Deno.openSync(`${directory}/lock`, { read: true, write: true, create: true, mode: 0o600 });
      if (lock.tryLockSync(true)) {
        lock.truncateSync(0);
        lock.writeSync(new TextEncoder().encode(`${Deno.pid}\n`));
        return new Workplace(directory, lock);
      }
      lock.close();
      const holder = Deno.readTextFileSync(`${directory}/lock`).trim();
      return fail(
        `process ${holder} supervises there already, want one`,
        "give each supervise file a directory of its own, or use `mdg supervise reload`",
      );
    } catch (error) {
      if (error instanceof UserError) throw error;
      return fail(reasonOf(error));
    }
  }
  get control_path(): string {
    return controlPath(this.directory);
  }
  pipePath(app: string, stream: "out" | "err"): string {
    return `${this.directory}/pipes/${app}.${stream}`;
  }
  /** The same after every restart, and short whatever the app's name is. */
  notifyPath(app: string): string {
    const hash = createHash("sha256").update(app).digest("hex").slice(0, HASH_LENGTH);
    return `${this.directory}/notify/${hash}`;
  }
  [Symbol.dispose](): void {
    this.#lock.close();
  }
}

export function controlPath(directory: string): string {
  return `${directory}/control.sock`;
}

/** The folder itself, not what a link leads to, must be ours. */
function checkOwner(directory: string, fail: (reason: string) => never): void {
  const { uid, isDirectory } = Deno.lstatSync(directory);
  if (!isDirectory) fail("not a folder (a link?), want a folder");
  if (uid !== null && uid !== ownUserId()) fail(`it belongs to user ${uid}, want one of ours`);
}
