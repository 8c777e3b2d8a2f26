/**
 * A rotating log file read as it grows: lines in order, none lost or told twice, however often it was rotated since the
 * last look (unless keep_files has removed it): each file is read to its end, then the one that followed it. For `logs --follow` and for readiness by a line.
 */
import { type Clock, sleep } from "../base/clock.ts";
import { rotatedFiles } from "./log_keeper/log_names.ts";

const READ_BYTES = 262_144;
const MAX_CALL_BYTES = 8 * 1_048_576;
/** What a line may have at most before it is given out in pieces. */
const MAX_LINE_LENGTH = 1_048_576;
const LOOK_MS = 50;

export class LogFollower implements Disposable {
  #file: Deno.FsFile | undefined;
  #inode: number | null | undefined;
  #decoder = new TextDecoder();
  #rest = "";
  readonly #buffer = new Uint8Array(READ_BYTES);

  /** Begins at the end of what is there now. */
  constructor(readonly path: string) {
    this.#open(path);
    this.#file?.seekSync(0, Deno.SeekMode.End);
  }
  /** Complete lines that were written since the last call, without their line feed; at most some MiB of them. */
  lines(): string[] {
    const found: string[] = [];
    for (let budget = MAX_CALL_BYTES; budget > 0;) {
      const count = this.#file?.readSync(this.#buffer) ?? 0;
      if (count > 0) {
        this.#split(count, found);
        budget -= count;
      } else if (!this.#advance()) break;
    }
    return found;
  }
  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #split(count: number, found: string[]): void {
    const text = this.#rest + this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true });
    const parts = text.split("\n");
    this.#rest = parts.pop()!;
    for (const part of parts) found.push(part);
    if (this.#rest.length > MAX_LINE_LENGTH) {
      found.push(this.#rest);
      this.#rest = "";
    }
  }
  /** At the end of a file: to the one that was written after it. False when there is none (yet). */
  #advance(): boolean {
    const info = infoOf(this.path);
    if (info === undefined || (this.#file && info.ino === this.#inode)) return false;
    const ended = this.#file;
    const inode = this.#inode;
    // opened first: if it is rotated meanwhile, the list has it, too
    if (!this.#open(this.path)) return false;
    const next = ended && nextAfter(inode, rotatedFiles(this.path));
    // what was written to the ended one since we read it, before it was rotated, is read first
    const count = ended?.readSync(this.#buffer) ?? 0;
    if (count > 0) {
      this.#file!.close();
      this.#file = ended;
      this.#inode = inode;
      ended!.seekSync(-count, Deno.SeekMode.Current);
      return true;
    }
    ended?.close();
    if (next !== undefined) {
      this.#file!.close();
      this.#open(next);
    }
    return true;
  }
  #open(path: string): boolean {
    try {
      this.#file = Deno.openSync(path, { read: true });
      this.#inode = this.#file.statSync().ino;
      return true;
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return false;
      throw error;
    }
  }
}

/** The rotated file that follows the one with this inode; the oldest where that one is gone by now. */
function nextAfter(inode: number | null | undefined, rotated: readonly string[]): string | undefined {
  const at = rotated.findLastIndex((path) => infoOf(path)?.ino === inode);
  return rotated[at + 1];
}

/** Lines as they come, looked for every so often, until the signal aborts. */
export async function* followLog(
  follower: LogFollower,
  clock: Clock,
  signal: AbortSignal,
): AsyncGenerator<string[]> {
  while (!signal.aborted) {
    const lines = follower.lines();
    if (lines.length > 0) yield lines;
    else await sleep(clock, LOOK_MS, signal);
  }
  for (let last = follower.lines(); last.length > 0; last = follower.lines()) yield last;
}

/** The last `count` lines, over rotated files where the current one has fewer. */
export function lastLines(path: string, count: number): string[] {
  let found: string[] = [];
  const files = [...rotatedFiles(path), path].reverse();
  for (const file of files) {
    if (found.length >= count) break;
    found = [...tailOf(file, count - found.length), ...found];
  }
  return found;
}

function tailOf(path: string, count: number): string[] {
  if (infoOf(path) === undefined) return [];
  using file = Deno.openSync(path, { read: true });
  const { size } = file.statSync();
  let text = "";
  for (let start = size; start > 0 && text.split("\n").length <= count + 1;) {
    const length = Math.min(READ_BYTES, start);
    start -= length;
    const bytes = new Uint8Array(length);
    file.seekSync(start, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      const read = file.readSync(bytes.subarray(done));
      if (read === null) break;
      done += read;
    }
    // one byte a character until all is there: a block may begin inside of one
    text = latin1(bytes) + text;
  }
  const lines = new TextDecoder().decode(Uint8Array.from(text, (char) => char.charCodeAt(0))).split("\n");
  if (lines.at(-1) === "") lines.pop();
  return lines.slice(-count);
}

function latin1(bytes: Uint8Array): string {
  let text = "";
  for (let i = 0; i < bytes.length; i += 8_192) text += String.fromCharCode(...bytes.subarray(i, i + 8_192));
  return text;
}

function infoOf(path: string): Deno.FileInfo | undefined {
  try {
    return Deno.statSync(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
