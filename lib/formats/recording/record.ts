/**
 * Records: what a recording holds, one after another inside a block. A head of 16 bytes (little endian: length, seconds,
 * nanoseconds, connection, kind), then the payload as it came from the wire. Times are receive times to the nanosecond;
 * a clock of 0.25 µs comes back bit by bit, so a replay stamps its events exactly as the live run did.
 */

export const RECORD = {
  received_text: 1,
  received_binary: 2,
  /** What we said to the venue; secrets masked. */
  sent: 3,
  /** A REST answer: u32 length of its JSON head, the head, the body. */
  answer: 4,
  /** JSON: what happened to a source or a connection (mark.ts). */
  mark: 5,
  /** JSON: what is known of the sequences so far, for streams that changed since the record before (ledger). */
  ledger: 6,
  /** JSON: a whole book as the gateway held it, so that a reader may begin here. */
  checkpoint: 7,
  /** The gateway took all frames before this one as one batch; `connection` is the source's number. No payload. */
  taken: 8,
} as const;
export type RecordKind = typeof RECORD[keyof typeof RECORD];

export const RECORD_HEAD_BYTES = 16;
const MICROSECONDS = 1_000_000;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

/** Records being gathered into one block. Fixed room: `append` says when it is full. */
export class RecordBuffer {
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly #view: DataView;
  length = 0;
  records = 0;
  first_s = 0;
  first_ns = 0;
  last_s = 0;
  last_ns = 0;

  constructor(room: number | ArrayBuffer) {
    this.bytes = typeof room === "number" ? new Uint8Array(room) : new Uint8Array(room);
    this.#view = new DataView(this.bytes.buffer);
  }
  /** False, and nothing done, when there is no room. `at_us`: Unix epoch, microseconds. */
  append(kind: RecordKind, connection: number, at_us: number, payload: Uint8Array): boolean {
    const seconds = Math.floor(at_us / MICROSECONDS);
    return this.appendAt(
      kind,
      connection,
      seconds,
      Math.round((at_us - seconds * MICROSECONDS) * 1_000),
      payload,
    );
  }
  appendAt(
    kind: RecordKind,
    connection: number,
    seconds: number,
    nanoseconds: number,
    payload: Uint8Array,
  ): boolean {
    const at = this.length;
    const end = at + RECORD_HEAD_BYTES + payload.length;
    if (end > this.bytes.length) return false;
    const view = this.#view;
    view.setUint32(at, payload.length, true);
    view.setUint32(at + 4, seconds, true);
    view.setUint32(at + 8, nanoseconds, true);
    view.setUint16(at + 12, connection, true);
    view.setUint16(at + 14, kind, true);
    this.bytes.set(payload, at + RECORD_HEAD_BYTES);
    this.length = end;
    if (this.records++ === 0) {
      this.first_s = seconds;
      this.first_ns = nanoseconds;
    }
    this.last_s = seconds;
    this.last_ns = nanoseconds;
    return true;
  }
}

/** Walks over the records of one block, in place. Stops, with `broken`, at a length that leaves the block. */
export class RecordCursor {
  readonly #view: DataView;
  #next = 0;
  kind = 0;
  connection = 0;
  seconds = 0;
  nanoseconds = 0;
  /** The payload is `bytes[start, end)`. */
  start = 0;
  end = 0;
  broken = false;

  constructor(readonly bytes: Uint8Array) {
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  /** Unix epoch, microseconds. */
  get at_us(): number {
    return this.seconds * MICROSECONDS + this.nanoseconds / 1_000;
  }
  get payload(): Uint8Array {
    return this.bytes.subarray(this.start, this.end);
  }
  next(): boolean {
    const at = this.#next;
    if (at === this.bytes.length) return false;
    const start = at + RECORD_HEAD_BYTES;
    const length = start <= this.bytes.length ? this.#view.getUint32(at, true) : Infinity;
    if (start + length > this.bytes.length) {
      this.broken = true;
      return false;
    }
    const view = this.#view;
    this.seconds = view.getUint32(at + 4, true);
    this.nanoseconds = view.getUint32(at + 8, true);
    this.connection = view.getUint16(at + 12, true);
    this.kind = view.getUint16(at + 14, true);
    this.start = start;
    this.end = this.#next = start + length;
    return true;
  }
  json(): unknown {
    return JSON.parse(decoder.decode(this.payload));
  }
}

/** What a REST answer was an answer to. */
export interface AnswerHead {
  /** Name of the source that asked. */
  source: string;
  purpose: "snapshot" | "instruments";
  url: string;
  status: number;
  symbol?: string;
  depth_limit?: number;
  /** False: it came too late and nobody used it. */
  used: boolean;
}

export function encodeAnswer(head: AnswerHead, body: Uint8Array): Uint8Array {
  const text = encoder.encode(JSON.stringify(head));
  const bytes = new Uint8Array(4 + text.length + body.length);
  new DataView(bytes.buffer).setUint32(0, text.length, true);
  bytes.set(text, 4);
  bytes.set(body, 4 + text.length);
  return bytes;
}
/** Undefined when it is none. */
export function decodeAnswer(payload: Uint8Array): { head: AnswerHead; body: Uint8Array } | undefined {
  if (payload.length < 4) return undefined;
  const length = new DataView(payload.buffer, payload.byteOffset).getUint32(0, true);
  if (4 + length > payload.length) return undefined;
  try {
    const head = JSON.parse(decoder.decode(payload.subarray(4, 4 + length)));
    return { head, body: payload.subarray(4 + length) };
  } catch {
    return undefined;
  }
}
