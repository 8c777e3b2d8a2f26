/**
 * A ring of records in shared memory: one writer, any number of readers in other threads, each with its own place. The
 * writer never waits: a reader that falls behind by the whole ring is lapped, notices it by itself and starts anew at the
 * newest record. Records are copied out before the check, so that nothing half overwritten is ever taken for whole
 * (a sequence lock, one check a batch).
 */

/** Head: bytes written and published. */
const HEAD = 0;
/** Bytes the writer may have begun to overwrite. */
const RESERVED = 1;
const HEADER_BYTES = 64;
/** In Int32 units: bumped at each publish, readers wait on it. */
const TICK = 8;
const RECORD_HEADER_BYTES = 24;
const PADDING = 0;
/** Room that the writer claims ahead, so that a record costs no atomic write of its own. */
const RESERVE_STEP_BYTES = 65_536;
/** Most that a reader copies at once. */
const MAX_TAKE_BYTES = 262_144;

export interface RingRecord {
  /** 1 … 255; 0 is the ring's own. */
  kind: number;
  /** Small numbers of the caller's. */
  flags: number;
  to: number;
  stream: number;
  seq: number;
  payload: Uint8Array;
}

/** Shared memory for a ring of at least `bytes`. */
export function makeRing(bytes: number): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + Math.max(4 * RESERVE_STEP_BYTES, Math.ceil(bytes / 8) * 8));
}

export class RingWriter {
  readonly #state: BigInt64Array;
  readonly #ticks: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  readonly capacity: number;
  #position = 0;
  #reserved = 0;
  #published = 0;

  constructor(memory: SharedArrayBuffer) {
    this.#state = new BigInt64Array(memory, 0, 2);
    this.#ticks = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.#bytes = new Uint8Array(memory, HEADER_BYTES);
    this.#view = new DataView(memory, HEADER_BYTES);
    this.capacity = memory.byteLength - HEADER_BYTES;
  }
  /** The longest payload that fits: a record larger than a quarter of the ring would lap every reader. */
  get max_payload_bytes(): number {
    return Math.floor(this.capacity / 4);
  }
  /** False when the payload is too large: nothing was written. */
  write(kind: number, flags: number, to: number, stream: number, seq: number, payload: Uint8Array): boolean {
    if (payload.length > this.max_payload_bytes) return false;
    const size = Math.ceil((RECORD_HEADER_BYTES + payload.length) / 8) * 8;
    let at = this.#position % this.capacity;
    const to_end = this.capacity - at;
    if (size > to_end) {
      this.#claim(to_end);
      this.#view.setUint32(at, to_end, true);
      this.#view.setUint32(at + 4, PADDING, true);
      this.#position += to_end;
      at = 0;
    }
    this.#claim(size);
    this.#view.setUint32(at, RECORD_HEADER_BYTES + payload.length, true);
    this.#view.setUint32(at + 4, kind | (flags << 8) | (to << 16), true);
    this.#view.setFloat64(at + 8, stream, true);
    this.#view.setFloat64(at + 16, seq, true);
    this.#bytes.set(payload, at + RECORD_HEADER_BYTES);
    this.#position += size;
    return true;
  }
  /** Lets readers see what was written. */
  publish(): void {
    if (this.#position === this.#published) return;
    this.#published = this.#position;
    Atomics.store(this.#state, HEAD, BigInt(this.#position));
    Atomics.add(this.#ticks, TICK, 1);
    Atomics.notify(this.#ticks, TICK);
  }
  #claim(size: number): void {
    if (this.#position + size <= this.#reserved) return;
    this.#reserved = this.#position + Math.max(size, RESERVE_STEP_BYTES);
    Atomics.store(this.#state, RESERVED, BigInt(this.#reserved));
  }
}

export class RingReader {
  readonly #state: BigInt64Array;
  readonly #ticks: Int32Array;
  readonly #bytes: Uint8Array;
  readonly #capacity: number;
  #position: number;
  readonly #record: RingRecord = { kind: 0, flags: 0, to: 0, stream: 0, seq: 0, payload: new Uint8Array(0) };

  /** Begins with what is published from now on. */
  constructor(memory: SharedArrayBuffer) {
    this.#state = new BigInt64Array(memory, 0, 2);
    this.#ticks = new Int32Array(memory, 0, HEADER_BYTES / 4);
    this.#bytes = new Uint8Array(memory, HEADER_BYTES);
    this.#capacity = memory.byteLength - HEADER_BYTES;
    this.#position = Number(Atomics.load(this.#state, HEAD));
  }
  /** The newest tick: pass it to `wait` after `take` found nothing. */
  get tick(): number {
    return Atomics.load(this.#ticks, TICK);
  }
  /** Resolves when something was published after `tick`. */
  async wait(tick: number): Promise<void> {
    const waiting = Atomics.waitAsync(this.#ticks, TICK, tick);
    if (waiting.async) await waiting.value;
  }
  /** Ends a `wait` of this thread or another, with nothing published. */
  static wake(memory: SharedArrayBuffer): void {
    const ticks = new Int32Array(memory, 0, HEADER_BYTES / 4);
    Atomics.add(ticks, TICK, 1);
    Atomics.notify(ticks, TICK);
  }
  /**
   * Hands over a run of records, in order: "empty" when there was none, "lapped" when the writer went round: then nothing
   * was handed over and the next call begins at the newest. The record object is reused, its payload is memory of the
   * reader's own that lives on.
   */
  take(each: (record: RingRecord) => void): "some" | "empty" | "lapped" {
    const head = Number(Atomics.load(this.#state, HEAD));
    if (head === this.#position) return "empty";
    const at = this.#position % this.#capacity;
    const available = Math.min(head - this.#position, this.#capacity - at);
    const run = this.#copyRun(at, available);
    if (run === undefined || Number(Atomics.load(this.#state, RESERVED)) - this.#position > this.#capacity) {
      this.#position = Number(Atomics.load(this.#state, HEAD));
      return "lapped";
    }
    this.#position += run.length;
    this.#handOver(run, each);
    return "some";
  }
  /** Whole records only, at most `MAX_TAKE_BYTES` of them or the first; undefined when a length makes no sense. */
  #copyRun(at: number, available: number): Uint8Array<ArrayBuffer> | undefined {
    const first = this.#sizeAt(at);
    if (first < 8 || first > available) return undefined;
    if (available <= MAX_TAKE_BYTES) return copy(this.#bytes, at, available);
    let size = first;
    while (size < MAX_TAKE_BYTES) {
      const next = this.#sizeAt(at + size);
      if (next < 8 || size + next > available) return undefined;
      if (size + next > MAX_TAKE_BYTES) break;
      size += next;
    }
    return copy(this.#bytes, at, size);
  }
  #sizeAt(at: number): number {
    const length = this.#bytes[at] | (this.#bytes[at + 1] << 8) | (this.#bytes[at + 2] << 16) |
      (this.#bytes[at + 3] << 24);
    return Math.ceil((length >>> 0) / 8) * 8;
  }
  #handOver(run: Uint8Array<ArrayBuffer>, each: (record: RingRecord) => void): void {
    const view = new DataView(run.buffer);
    const record = this.#record;
    let at = 0;
    while (at < run.length) {
      const length = view.getUint32(at, true);
      const word = view.getUint32(at + 4, true);
      if (word !== PADDING) {
        record.kind = word & 0xff;
        record.flags = (word >>> 8) & 0xff;
        record.to = word >>> 16;
        record.stream = view.getFloat64(at + 8, true);
        record.seq = view.getFloat64(at + 16, true);
        record.payload = run.subarray(at + RECORD_HEADER_BYTES, at + length);
        each(record);
      }
      at += Math.ceil(length / 8) * 8;
    }
  }
}

function copy(bytes: Uint8Array, at: number, size: number): Uint8Array<ArrayBuffer> {
  const copied = new Uint8Array(size);
  copied.set(bytes.subarray(at, at + size));
  return copied;
}
