/**
 * The last frames of every stream of this edge, so that a client that comes back gets exactly what it missed. Bounded by
 * bytes over all streams and by age: the oldest frame goes first, whosever it is. All or nothing: `after` gives the whole
 * run up to now, or undefined when a part of it is gone.
 */
import type { Clock } from "../../../base/clock.ts";
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
interface Entry {
  readonly run: Run;
  readonly at_ms: number;
}
const COMPACT_AT = 1_024;
const GONE: Frame = new Uint8Array(0);

export class FrameHistory {
  readonly #runs = new Map<HistoryKey, Run>();
  /** One per frame, oldest first over all streams; those of runs that ended stand for nothing. */
  #entries: Entry[] = [];
  #head = 0;
  #bytes = 0;

  constructor(
    readonly clock: Pick<Clock, "monotonic_ms">,
    readonly max_bytes: number,
    readonly max_age_ms: number,
  ) {}

  get bytes(): number {
    return this.#bytes;
  }
  note(key: HistoryKey, seq: number, frame: Frame): void {
    if (this.max_bytes === 0) return;
    let run = this.#runs.get(key);
    if (run === undefined || seq !== run.first_seq + run.frames.length - run.head) {
      // A new beginning: what came before no longer leads here.
      this.forget(key);
      this.#runs.set(key, run = { first_seq: seq, frames: [], head: 0, bytes: 0 });
    }
    const at_ms = this.clock.monotonic_ms();
    run.frames.push(frame);
    run.bytes += frame.length;
    this.#bytes += frame.length;
    this.#entries.push({ run, at_ms });
    this.#trim(at_ms);
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
  #trim(now_ms: number): void {
    while (this.#head < this.#entries.length) {
      const { run, at_ms } = this.#entries[this.#head];
      const is_dead = run.head === run.frames.length;
      if (!is_dead && this.#bytes <= this.max_bytes && now_ms - at_ms <= this.max_age_ms) break;
      this.#head++;
      if (!is_dead) this.#drop(run);
    }
    if (this.#head >= COMPACT_AT && this.#head * 2 >= this.#entries.length) {
      this.#entries = this.#entries.slice(this.#head);
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
