/**
 * Plays recordings, merged by receive time, to the sources that they hold: as fast as their consumers work, or paced. One
 * record after the other and one batch at a time, so two runs do the same in the same order. May be paused, stepped, sped
 * up and sent to another place while it plays.
 */
import { type Clock, nextTurn, sleep } from "../../base/clock.ts";
import { UserError } from "../../base/errors.ts";
import type { Checkpoint, Mark } from "../../formats/recording/mark.ts";
import type { Records } from "../../formats/recording/open_records.ts";
import { RECORD, type RecordCursor } from "../../formats/recording/record.ts";
import { decodeAnswer } from "../../formats/recording/record.ts";
import { Pace } from "../../base/pace.ts";
import { RecordLane, RecordMerge } from "./record_merge.ts";
import type { ReplayClock } from "./replay_clock.ts";
import { connectionKey, type ReplayPart } from "./replay_part.ts";

/** Events of a part whose batches are not told. */
const BATCH_EVENTS = 512;
/** Sockets and timers are served at least this often. */
const TURN_MS = 8;

export interface PlayerOptions {
  records: readonly Records[];
  clock: ReplayClock;
  host: Clock;
  speed: number;
  from_us?: number;
  to_us?: number;
  /** Awaited after each batch: whoever writes on may have to wait for its reader. */
  throttle?(): Promise<void> | undefined;
}

export interface PlayerState {
  /** Unix epoch, microseconds. */
  at_us: number;
  records: number;
  speed: number;
  paused: boolean;
  finished: boolean;
}

export class ReplayPlayer {
  readonly pace: Pace;
  readonly #parts = new Map<string, ReplayPart>();
  /** By lane: number of a source → part. */
  readonly #numbers: Map<number, ReplayPart>[] = [];
  readonly #connections = new Map<number, ReplayPart>();
  #merge: RecordMerge | undefined;
  #records = 0;
  #paused = false;
  #steps = 0;
  #seek_us: number | undefined;
  /** Until this place nobody hears of anything. */
  #silent_until_us: number | undefined;
  /** Books are taken up from checkpoints: after a jump, or where the recording begins amid. */
  #takes_up = false;
  /** Symbols whose checkpoint was taken up. */
  readonly #taken_up = new Set<string>();
  #nudge: (() => void) | undefined;
  #stopped = false;
  #finished = false;
  #turn_ms = 0;
  #running: Promise<void> | undefined;
  #waiting_for = 0;
  #last_key = -1;
  #last_part: ReplayPart | undefined;

  constructor(readonly options: PlayerOptions) {
    this.pace = new Pace(options.host, options.speed);
    this.#seek_us = options.from_us;
  }
  get state(): PlayerState {
    return {
      at_us: this.options.clock.at_us,
      records: this.#records,
      speed: this.pace.speed,
      paused: this.#paused,
      finished: this.#finished,
    };
  }
  /** All parts are there before the first starts. */
  add(recorded_name: string, part: ReplayPart): void {
    this.#parts.set(recorded_name, part);
    this.#waiting_for++;
  }
  /** A consumer is there; with the last one it begins. */
  started(): void {
    if (--this.#waiting_for > 0) return;
    this.#running = this.#play();
  }
  /** A consumer is gone: the others can't go on without it. */
  stop(): void {
    this.#stopped = true;
    this.#nudge?.();
  }
  pause(): void {
    this.#paused = true;
    this.#nudge?.();
  }
  resume(): void {
    this.#paused = false;
    this.pace.restart();
    this.#nudge?.();
  }
  /** Plays one batch, then waits again. */
  step(): void {
    this.#paused = true;
    this.#steps++;
    this.#nudge?.();
  }
  setSpeed(speed: number): void {
    this.pace.speed = speed;
    this.pace.restart();
    this.#nudge?.();
  }
  /** Goes on at another place: books are kept up silently from the nearest checkpoint before it. */
  seek(at_us: number): void {
    this.#seek_us = at_us;
    this.#nudge?.();
  }
  async finished(): Promise<void> {
    await this.#running;
  }

  async #play(): Promise<void> {
    try {
      if (this.#seek_us === undefined) this.#merge = this.#open();
      while (!this.#stopped) {
        if (this.#seek_us !== undefined) await this.#jump(this.#seek_us);
        const lane = this.#merge!.next();
        if (lane === undefined) {
          if (!await this.#merge!.load()) break;
          continue;
        }
        const cursor = lane.cursor!;
        const { at_us } = cursor;
        if (at_us > (this.options.to_us ?? Infinity)) break;
        if (this.#silent_until_us !== undefined) {
          if (at_us >= this.#silent_until_us) await this.#arrive(at_us);
        }
        if (this.#silent_until_us === undefined) {
          const wait_ms = this.pace.wait_ms(at_us);
          if (wait_ms > 0 || this.#paused) {
            await this.#wait(wait_ms, at_us);
            if (this.#stopped) break;
            if (this.#seek_us !== undefined) continue;
          }
        }
        this.options.clock.at_us = at_us;
        this.#records++;
        const delivered = this.#take(lane, cursor);
        if (delivered) await this.#after(delivered);
      }
      if (this.#silent_until_us !== undefined) await this.#arrive(this.options.clock.at_us);
      if (!this.#stopped) {
        for (const part of this.#parts.values()) await part.deliver();
      }
      this.#finish();
    } catch (error) {
      this.#finish(error);
    } finally {
      await this.#merge?.close();
    }
  }
  #finish(failure?: unknown): void {
    this.#finished = true;
    for (const part of this.#parts.values()) part.finish(failure);
  }
  #open(from_us?: number): RecordMerge {
    this.#numbers.length = 0;
    this.#connections.clear();
    this.#last_key = -1;
    return new RecordMerge(this.options.records.map((records, i) => {
      this.#numbers.push(new Map());
      return new RecordLane(i, records.blocks({ from_us }));
    }));
  }
  /** Returns the promise of a delivery that the record brought about. */
  #take(lane: RecordLane, cursor: RecordCursor): Promise<void> | undefined {
    switch (cursor.kind) {
      case RECORD.received_text:
      case RECORD.received_binary:
        return this.#frame(connectionKey(lane.number, cursor.connection), cursor);
      case RECORD.taken:
        return this.#numbers[lane.number].get(cursor.connection)?.deliver();
      case RECORD.mark:
        return void this.#mark(cursor.json() as Mark, cursor.at_us, lane.number);
      case RECORD.answer: {
        const source = decodeAnswer(cursor.payload)?.head.source;
        return void this.#parts.get(source ?? "")?.answer(cursor.payload, cursor.at_us);
      }
      case RECORD.checkpoint:
        return void this.#checkpoint(cursor.json() as Checkpoint, cursor.at_us);
    }
  }
  #frame(key: number, cursor: RecordCursor): Promise<void> | undefined {
    if (key !== this.#last_key) {
      this.#last_part = this.#connections.get(key);
      this.#last_key = key;
    }
    const part = this.#last_part;
    if (part === undefined) return undefined;
    part.frame(key, cursor.payload, cursor.at_us);
    if (part.told_batches) return undefined;
    // Paced, each frame goes by itself: waiting for others would only make it late.
    const enough = this.pace.speed === Infinity ? BATCH_EVENTS : 1;
    return part.filling.size >= enough ? part.deliver() : undefined;
  }
  #mark(mark: Mark, at_us: number, lane: number): void {
    if (mark.mark === "loss") return;
    if (mark.mark === "closed" || mark.mark === "symbols") {
      return this.#connections.get(connectionKey(lane, mark.connection))?.mark(mark, at_us, lane);
    }
    const part = this.#parts.get(mark.source);
    if (part === undefined) return;
    if (mark.mark === "source") {
      if (mark.again && this.#numbers[lane].size === 0) this.#takes_up = true;
      this.#numbers[lane].set(mark.number, part);
    }
    if (mark.mark === "opened") {
      this.#connections.set(connectionKey(lane, mark.connection), part);
      this.#last_key = -1;
    }
    part.mark(mark, at_us, lane);
  }
  #checkpoint(checkpoint: Checkpoint, at_us: number): void {
    if (!this.#takes_up) return;
    const key = `${checkpoint.source} ${checkpoint.symbol}`;
    if (this.#taken_up.has(key)) return;
    this.#taken_up.add(key);
    this.#parts.get(checkpoint.source)?.checkpoint(checkpoint, at_us);
  }

  async #after(delivered: Promise<void>): Promise<void> {
    await delivered;
    if (this.#steps > 0) this.#steps--;
    const { host, throttle } = this.options;
    const waits = throttle?.();
    if (waits) await waits;
    const now_ms = host.monotonic_ms();
    if (now_ms - this.#turn_ms < TURN_MS) return;
    await nextTurn();
    this.#turn_ms = host.monotonic_ms();
  }
  /** Until the record is due, or somebody wants something. */
  async #wait(first_wait_ms: number, at_us: number): Promise<void> {
    for (const part of this.#parts.values()) {
      const delivered = part.told_batches ? undefined : part.deliver();
      if (delivered === undefined) continue;
      await delivered;
      if (this.#steps > 0) this.#steps--;
    }
    let wait_ms = first_wait_ms;
    while (!this.#stopped && this.#seek_us === undefined && (wait_ms > 0 || this.#paused)) {
      if (this.#paused && this.#steps > 0) return;
      const nudged = new AbortController();
      this.#nudge = () => nudged.abort();
      await sleep(this.options.host, this.#paused ? 60_000 : wait_ms, nudged.signal);
      this.#nudge = undefined;
      wait_ms = this.#paused ? 0 : this.pace.wait_ms(at_us);
    }
    this.#turn_ms = this.options.host.monotonic_ms();
  }
  async #jump(to_us: number): Promise<void> {
    this.#seek_us = undefined;
    await this.#merge?.close();
    for (const part of this.#parts.values()) part.depart(this.options.clock.at_us);
    this.#taken_up.clear();
    this.#takes_up = true;
    this.#silent_until_us = to_us;
    this.#merge = this.#open(to_us);
  }
  async #arrive(at_us: number): Promise<void> {
    this.#silent_until_us = undefined;
    this.options.clock.at_us = at_us;
    this.pace.restart();
    for (const part of this.#parts.values()) {
      part.arrive(at_us);
      await part.deliver();
    }
  }
}

/** Epoch microseconds of an ISO time, or of digits of seconds to nanoseconds. @throws UserError (exit 2) */
export function timeOf(what: string, text: string): number {
  if (/^\d{10,19}$/.test(text)) return Number(text) * 10 ** (16 - text.length);
  const at_ms = Date.parse(text);
  if (Number.isFinite(at_ms)) return at_ms * 1_000;
  throw new UserError(`read ${what}: ${JSON.stringify(text)} is no time, want ISO 8601 or digits of ns`, {
    code: 2,
  });
}
