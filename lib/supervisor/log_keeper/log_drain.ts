/**
 * One pipe into one rotating file. Bytes are spliced, never held here; a file ends with a whole line (looked up with
 * `tee` before anything is taken), unless a line is longer than MAX_LINE_BYTES. A full disk first leaves the bytes in the
 * pipe; when that is nearly full, they are thrown away, counted, and told in the log when writing works again, since a
 * program must not stand still for its log.
 */
import { dirname } from "node:path";
import type { Clock } from "../../base/clock.ts";
import { quoted, reasonOf } from "../../base/errors.ts";
import type { Log, RateLimitedLog } from "../../base/log.ts";
import { HeldPipe, makePipe, type PipePeek, SpliceFile } from "../../os/pipe_to_file.ts";
import type { DrainPlan } from "./keeper_plan.ts";
import { rotatedFiles, rotatedPath } from "./log_names.ts";

export interface DrainWorld {
  clock: Clock;
  log: Log;
  /** For what goes on and on: its log is not rotated. */
  complaints: RateLimitedLog;
  peek: PipePeek;
}

/** One turn per pipe, so that a loud program does not silence the others. */
const TURN_BYTES = 8 * 1_048_576;
const CHUNK_BYTES = 1_048_576;
/** A longer line is cut at a rotation. */
const MAX_LINE_BYTES = 1_048_576;
const RETRY_MS = 200;
const LOOK_MS = 1_000;
const LOG_MODE = 0o640;
const LINE_FEED = 10;

export class LogDrain implements Disposable {
  /** Bytes that a full disk made us throw away. */
  lost_bytes = 0;
  is_closed = false;
  readonly pipe: HeldPipe;
  #file: SpliceFile | undefined;
  #rotated: string[] | undefined;
  #retry_ms = 0;
  #look_ms = 0;
  #trash: SpliceFile | undefined;

  constructor(public plan: DrainPlan, readonly world: DrainWorld) {
    makePipe(plan.pipe, 0o600);
    this.pipe = new HeldPipe(plan.pipe);
  }
  /** Bytes wait, but the file does not take them now. */
  get is_held(): boolean {
    return this.world.clock.monotonic_ms() < this.#retry_ms;
  }
  /** Takes what is there, up to a bound. True: there may be more at once. */
  turn(): boolean {
    const now_ms = this.world.clock.monotonic_ms();
    if (now_ms < this.#retry_ms) return false;
    try {
      return this.#move(now_ms);
    } catch (error) {
      const { file } = this.plan;
      this.world.complaints.warn(file, "log file refuses", { file, why: reasonOf(error) });
      this.#retry_ms = now_ms + RETRY_MS;
      this.#closeFile();
      this.#throwAway();
      return false;
    }
  }
  [Symbol.dispose](): void {
    this.is_closed = true;
    this.#closeFile();
    this.#trash?.[Symbol.dispose]();
    this.pipe[Symbol.dispose]();
  }

  #move(now_ms: number): boolean {
    for (let moved = 0; moved < TURN_BYTES;) {
      const file = this.#openFile(now_ms);
      const size = file.seekEnd();
      const room = this.plan.max_bytes - size;
      const count = room > 0
        ? file.take(this.pipe, Math.min(room, CHUNK_BYTES))
        : this.#endFile(file, size - this.plan.max_bytes);
      if (count === 0) return false;
      moved += count;
    }
    return true;
  }
  /** The file is full: takes the rest of the line, then begins another. Returns what it took. */
  #endFile(file: SpliceFile, over: number): number {
    const next = this.world.peek.look(this.pipe);
    if (next.length === 0) return 0;
    const at = next.indexOf(LINE_FEED);
    const is_cut = over + next.length > MAX_LINE_BYTES;
    // the line that filled the file may have ended just there
    const line_bytes = over === 0 && this.#endsWithLine() ? 0 : at >= 0 ? at + 1 : next.length;
    let taken = 0;
    while (taken < line_bytes) {
      const count = file.take(this.pipe, line_bytes - taken);
      if (count === 0) break;
      taken += count;
    }
    if (at >= 0 || is_cut || line_bytes === 0) this.#rotate();
    return Math.max(taken, 1);
  }
  #endsWithLine(): boolean {
    using file = Deno.openSync(this.plan.file, { read: true });
    file.seekSync(-1, Deno.SeekMode.End);
    const last = new Uint8Array(1);
    file.readSync(last);
    return last[0] === LINE_FEED;
  }
  #rotate(): void {
    const { file, keep_files } = this.plan;
    this.#closeFile();
    const rotated = this.#rotated ??= rotatedFiles(file);
    const target = rotatedPath(file, this.world.clock.now_us(), rotated.at(-1));
    Deno.renameSync(file, target);
    rotated.push(target);
    while (rotated.length > keep_files) {
      const oldest = rotated.shift()!;
      try {
        Deno.removeSync(oldest);
      } catch (error) {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      }
    }
  }
  #openFile(now_ms: number): SpliceFile {
    if (this.#file && now_ms >= this.#look_ms) {
      this.#look_ms = now_ms + LOOK_MS;
      // somebody moved or removed it: what we write would be seen by nobody
      if (!isThere(this.plan.file)) this.#closeFile();
    }
    if (this.#file) return this.#file;
    // its folder may have been removed while we ran
    Deno.mkdirSync(dirname(this.plan.file), { recursive: true });
    this.#file = new SpliceFile(this.plan.file, LOG_MODE, this.world.peek);
    if (this.lost_bytes > 0) {
      this.#file.seekEnd();
      this.#file.write(`mdg: ${this.lost_bytes} bytes of this log were lost: the disk did not take them\n`);
      this.world.log.warn("log bytes lost", { file: this.plan.file, lost_bytes: this.lost_bytes });
      this.lost_bytes = 0;
    }
    return this.#file;
  }
  #closeFile(): void {
    this.#file?.[Symbol.dispose]();
    this.#file = undefined;
  }
  /** Only what the program could not write on top of: a pipe that still has room waits for the disk. */
  #throwAway(): void {
    // a page may hold little of it, so a pipe is full long before it holds what it could
    if (this.pipe.waiting_bytes < this.pipe.capacity_bytes / 4) return;
    this.#trash ??= new SpliceFile("/dev/null", LOG_MODE, this.world.peek);
    this.lost_bytes += this.#trash.take(this.pipe, CHUNK_BYTES);
  }
}

function isThere(path: string): boolean {
  try {
    return Deno.statSync(path).isFile;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new Error(`look at log file ${quoted(path, 200)}: ${reasonOf(error)}`);
  }
}
