/**
 * A few small files, read again when they change: tenants, keys, certificates. Polled by the clock rather than watched by
 * the system, since events miss what mounts, links and network disks do. Looks at size, times and inode, and for two
 * seconds after a change at the contents, because a second write within one tick of a file system's clock leaves no trace.
 */
import type { Clock, Timer } from "../base/clock.ts";
import { quoted, reasonOf, UserError } from "../base/errors.ts";

export interface WatchedFile {
  readonly path: string;
  readonly max_bytes: number;
  /** For errors: "TLS certificate". */
  readonly what: string;
}

/** After a change, times of the file system can't be told apart for as long. */
const YOUNG_MS = 2_000;

export interface FileWatchOptions {
  readonly clock: Clock;
  readonly period_ms: number;
  /** The contents changed, and this is what all files hold now. Must not throw. */
  onChange(texts: readonly string[]): void | Promise<void>;
  /** They cannot be read, told once until they can be again. */
  onUnreadable(reason: string): void;
}

export class FileWatch implements AsyncDisposable {
  readonly #timer: Timer;
  #state = "";
  #look_until_ms = 0;
  #texts: readonly string[];
  #unreadable = false;
  #checking: Promise<void> | undefined;
  #closed = false;

  /** `texts`: what the files held when their owner read them. */
  constructor(
    readonly files: readonly WatchedFile[],
    texts: readonly string[],
    readonly options: FileWatchOptions,
  ) {
    this.#texts = texts;
    this.#timer = options.clock.every(options.period_ms, () => void this.check());
  }
  /** Looks now; several calls at once are one. Never rejects. */
  check(): Promise<void> {
    return this.#checking ??= this.#check().finally(() => this.#checking = undefined);
  }
  async #check(): Promise<void> {
    if (this.#closed) return;
    const { clock, onChange, onUnreadable } = this.options;
    try {
      // what is wrong with them, reading tells in better words
      const state = await this.#stateOf().catch(() => "");
      if (state !== this.#state) this.#look_until_ms = clock.monotonic_ms() + YOUNG_MS;
      else if (clock.monotonic_ms() > this.#look_until_ms && !this.#unreadable) return;
      const texts = await readFiles(this.files);
      this.#state = state;
      this.#unreadable = false;
      if (this.#closed || texts.every((text, i) => text === this.#texts[i])) return;
      this.#texts = texts;
      await onChange(texts);
    } catch (error) {
      if (!this.#unreadable) onUnreadable(reasonOf(error));
      this.#unreadable = true;
    }
  }
  async #stateOf(): Promise<string> {
    const infos = await Promise.all(this.files.map(({ path }) => Deno.stat(path)));
    return infos.map(({ size, mtime, ctime, ino, dev }) =>
      `${dev} ${ino} ${size} ${mtime?.getTime()} ${ctime?.getTime()}`
    ).join("\n");
  }
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer.cancel();
    await this.#checking;
  }
}

/** All of them, in order. @throws UserError (exit 2) that names the one which can't be read, never what it holds */
export async function readFiles(files: readonly WatchedFile[]): Promise<string[]> {
  return await Promise.all(files.map(readFile));
}

async function readFile({ path, max_bytes, what }: WatchedFile): Promise<string> {
  const fail = (reason: string, cause?: unknown) =>
    new UserError(`read ${what} ${quoted(path, 200)}: ${reason}`, { code: 2, cause });
  try {
    const { size, isFile } = await Deno.stat(path);
    if (!isFile) throw fail("no regular file, want one");
    if (size > max_bytes) throw fail(`larger than ${max_bytes} bytes, want less`);
    const bytes = await Deno.readFile(path);
    if (bytes.length > max_bytes) throw fail(`larger than ${max_bytes} bytes, want less`);
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (error) {
    if (error instanceof UserError) throw error;
    if (error instanceof Deno.errors.NotFound) throw fail("there is no such file", error);
    if (error instanceof Deno.errors.PermissionDenied) {
      throw fail("permission denied, want a readable file", error);
    }
    if (error instanceof TypeError) throw fail("not UTF-8, want text", error);
    throw fail(reasonOf(error), error);
  }
}
