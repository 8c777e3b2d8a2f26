/**
 * The last frames of every stream of this edge, so that a client that comes back gets exactly what it missed. Bounded by
 * bytes over all streams and by age: the oldest frame goes first, whosever it is. All or nothing: `after` gives the whole
 * run up to now, or undefined when a part of it is gone.
 */
import type { Frame } from "../../../wire/websocket_frame.ts";

/** Whose frames they are; compared by identity. */
export interface HistoryKey {
  /** Of the last frame that came. */
  readonly seq: number;
}

interface Run {
  /** Sequence of the oldest frame that is still here; the others follow by one. */
  first_seq: number;
  frames: Frame[];
  /** Frames before this index are gone. */
  head: number;
  bytes: number;
}
const COMPACT_AT = 1_024;
const GONE: Frame = new Uint8Array(0);

export class FrameHistory {
  readonly #runs = new Map<HistoryKey, Run>();
  // One entry per frame, oldest first over all streams, side by side; those of runs that ended stand for nothing.
  #owners: Run[] = [];
  #times_ms: number[] = [];
  #head = 0;
  #bytes = 0;
  #now_ms = 0;

  constructor(readonly max_bytes: number, readonly max_age_ms: number) {}

  get bytes(): number {
    return this.#bytes;
  }
  /** What time it is; between two words of it frames count as of the same age, so that none costs a look at the clock. */
  tick(now_ms: number): void {
    this.#now_ms = now_ms;
    this.#trim();
  }
  note(key: HistoryKey, seq: number, frame: Frame): void {
    if (this.max_bytes === 0) return;
    let run = this.#runs.get(key);
    if (run === undefined || seq !== run.first_seq + run.frames.length - run.head) {
      // A new beginning: what came before no longer leads here.
      this.forget(key);
      this.#runs.set(key, run = { first_seq: seq, frames: [], head: 0, bytes: 0 });
    }
    run.frames.push(frame);
    run.bytes += frame.length;
    this.#bytes += frame.length;
    this.#owners.push(run);
    this.#times_ms.push(this.#now_ms);
    if (this.#bytes > this.max_bytes) this.#trim();
  }
  /** Frames after `seq`, oldest first; undefined unless all of them are here. */
  after(key: HistoryKey, seq: number): readonly Frame[] | undefined {
    if (seq === key.seq) return [];
    const run = this.#runs.get(key);
    if (run === undefined || seq > key.seq || seq + 1 < run.first_seq) return undefined;
    return run.frames.slice(run.head + seq + 1 - run.first_seq);
  }
  /** The stream ends. */
  forget(key: HistoryKey): void {
    const run = this.#runs.get(key);
    if (run === undefined) return;
    this.#runs.delete(key);
    this.#bytes -= run.bytes;
    run.frames = [];
    run.head = 0;
    run.bytes = 0;
  }
  #trim(): void {
    const oldest_ms = this.#now_ms - this.max_age_ms;
    while (this.#head < this.#owners.length) {
      const run = this.#owners[this.#head];
      const is_dead = run.head === run.frames.length;
      if (!is_dead && this.#bytes <= this.max_bytes && this.#times_ms[this.#head] >= oldest_ms) break;
      this.#head++;
      if (!is_dead) this.#drop(run);
    }
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#owners.length) {
      this.#owners = this.#owners.slice(this.#head);
      this.#times_ms = this.#times_ms.slice(this.#head);
      this.#head = 0;
    }
  }
  #drop(run: Run): void {
    const { length } = run.frames[run.head];
    run.frames[run.head++] = GONE;
    run.first_seq++;
    run.bytes -= length;
    this.#bytes -= length;
    if (run.head >= COMPACT_AT && run.head * 2 >= run.frames.length) {
      run.frames = run.frames.slice(run.head);
      run.head = 0;
    }
  }
}
