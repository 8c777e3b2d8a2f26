/**
 * A rotating log file read as it grows: lines in order, none lost or told twice over a rotation, because the old file is
 * read to its end before the new one is opened. For `logs --follow` and for readiness by a line.
 */
import { type Clock, sleep } from "../base/clock.ts";
import { rotatedFiles } from "./log_keeper/log_names.ts";

const READ_BYTES = 262_144;
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
    this.#open();
    this.#file?.seekSync(0, Deno.SeekMode.End);
  }
  /** Complete lines that were written since the last call; without their line feed. */
  lines(): string[] {
    const found: string[] = [];
    this.#readTo(found);
    if (!this.#isCurrent()) {
      // it was rotated: what came between the two looks is in the old file
      this.#readTo(found);
      this.#file?.close();
      this.#file = undefined;
      this.#open();
      this.#readTo(found);
    }
    return found;
  }
  [Symbol.dispose](): void {
    this.#file?.close();
    this.#file = undefined;
  }

  #readTo(found: string[]): void {
    if (!this.#file) return;
    for (;;) {
      const count = this.#file.readSync(this.#buffer);
      if (count === null || count === 0) return;
      const parts = (this.#rest + this.#decoder.decode(this.#buffer.subarray(0, count), { stream: true }))
        .split("\n");
      this.#rest = parts.pop()!;
      for (const part of parts) found.push(part);
      if (this.#rest.length > MAX_LINE_LENGTH) {
        found.push(this.#rest);
        this.#rest = "";
      }
    }
  }
  #isCurrent(): boolean {
    const info = infoOf(this.path);
    return info === undefined
      ? this.#file !== undefined
      : this.#file !== undefined && info.ino === this.#inode;
  }
  #open(): void {
    try {
      this.#file = Deno.openSync(this.path, { read: true });
      this.#inode = this.#file.statSync().ino;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
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
  const last = follower.lines();
  if (last.length > 0) yield last;
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
