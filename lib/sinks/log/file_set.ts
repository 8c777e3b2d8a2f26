/**
 * The files of one channel and instrument: the newest is appended to, rotates by size and at multiples of a period, and
 * of the older ones a number is kept. Not safe for calls that overlap: the sink makes one write at a time.
 */
import type { Archive } from "./archive.ts";
import { logFileName } from "./file_name.ts";
import { LogFile } from "./log_file.ts";

export interface FileSetOptions {
  readonly directory: string;
  readonly max_file_bytes: number;
  readonly rotate_every_ms: number;
  readonly keep_files: number;
  readonly mode: number;
  readonly fsync: "never" | "interval" | "write";
}

/** Starts of files that are there already. */
export interface KnownFiles {
  /** Oldest first. */
  readonly rotated_ms: readonly number[];
  /** Of the file to go on with. */
  readonly active_ms?: number;
}

export class FileSet {
  #file: LogFile | undefined;
  /** Of the active file; it may be closed for a while (`release`). */
  #start_ms: number | undefined;
  #last_start_ms: number;
  /** Names before compression, oldest first. */
  readonly #rotated: string[];

  constructor(
    readonly name: string,
    readonly options: FileSetOptions,
    readonly archive: Archive,
    known: KnownFiles = { rotated_ms: [] },
  ) {
    this.#rotated = known.rotated_ms.map((start_ms) => logFileName(name, start_ms));
    this.#start_ms = known.active_ms;
    this.#last_start_ms = known.active_ms ?? known.rotated_ms.at(-1) ?? 0;
  }
  /** Holds an open file. */
  get is_open(): boolean {
    return this.#file !== undefined;
  }
  /**
   * Appends whole lines; `ends` are the offsets behind each. When it rejects, `progress` says how many are written, in
   * order; nothing of the others is.
   */
  async append(
    lines: Uint8Array,
    ends: readonly number[],
    now_ms: number,
    progress: Progress,
  ): Promise<void> {
    const { max_file_bytes } = this.options;
    for (let from = 0, first = 0; first < ends.length;) {
      const file = await this.#fileFor(now_ms, ends[first] - from);
      let last = first;
      while (last + 1 < ends.length && file.bytes + ends[last + 1] - from <= max_file_bytes) last++;
      await file.append(lines.subarray(from, ends[last]));
      // when this fails the lines are in the file already and come once more: at least once beats maybe
      if (this.options.fsync === "write") await file.sync();
      from = ends[last];
      first = last + 1;
      progress.written = first;
    }
  }
  /** Begins a new file if the period is over, also when nothing is written. */
  async rotateIfDue(now_ms: number): Promise<void> {
    if (this.#start_ms !== undefined && this.#isOver(now_ms)) await this.#rotate();
  }
  async sync(): Promise<void> {
    await this.#file?.sync();
  }
  /** Closes the file, to be opened again when needed: a process has only so many. */
  async release(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    if (!file) return;
    try {
      if (this.options.fsync !== "never") await file.sync();
    } finally {
      file.close();
    }
  }

  async #fileFor(now_ms: number, bytes: number): Promise<LogFile> {
    if (this.#file?.broken) await this.release().catch(() => {});
    if (this.#start_ms !== undefined && this.#isOver(now_ms)) await this.#rotate();
    let file = this.#file ?? await this.#open(now_ms);
    if (file.bytes > 0 && file.bytes + bytes > this.options.max_file_bytes) {
      await this.#rotate();
      file = await this.#open(now_ms);
    }
    return file;
  }
  #isOver(now_ms: number): boolean {
    const { rotate_every_ms } = this.options;
    // a clock that was set back begins no files
    return Math.floor(now_ms / rotate_every_ms) > Math.floor(this.#start_ms! / rotate_every_ms);
  }
  async #open(now_ms: number): Promise<LogFile> {
    const { directory, mode } = this.options;
    // later than every file before it, also when the clock was set back or two begin within a millisecond
    const start_ms = this.#start_ms ?? Math.max(now_ms, this.#last_start_ms + 1);
    const path = `${directory}/${logFileName(this.name, start_ms)}`;
    const { file } = await LogFile.open(path, mode);
    this.#start_ms = this.#last_start_ms = start_ms;
    return this.#file = file;
  }
  async #rotate(): Promise<void> {
    await this.release();
    const { directory, keep_files } = this.options;
    const name = logFileName(this.name, this.#start_ms!);
    this.#start_ms = undefined;
    this.#rotated.push(name);
    this.archive.add(`${directory}/${name}`);
    while (this.#rotated.length > keep_files) await this.#delete(this.#rotated.shift()!);
  }
  async #delete(name: string): Promise<void> {
    for (const suffix of ["", ".gz", ".zst"]) {
      try {
        await Deno.remove(`${this.options.directory}/${name}${suffix}`);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }
}

/** How far an append came before it failed. */
export interface Progress {
  written: number;
}
