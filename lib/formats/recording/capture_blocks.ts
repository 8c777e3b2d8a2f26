/**
 * A capture of another tool (lines of `<ns> <frame>`, plain or gzip) in the shape of a recording's blocks, so that
 * whoever reads recordings reads captures too. All frames are of one connection; REST snapshots among them are answers.
 * A line without a time is skipped and counted; a torn end is told.
 */
import { reasonOf } from "../../base/errors.ts";
import { openCapture } from "../open_capture.ts";
import { joined } from "../read_capture.ts";
import type { Mark } from "./mark.ts";
import { encodeAnswer, RECORD, RECORD_HEAD_BYTES, RecordBuffer, type RecordKind } from "./record.ts";

const CHUNK_BYTES = 1024 * 1024;
const MAX_LINE_BYTES = 16 * 1024 * 1024;
/** A record's head takes no more than a time in digits does, mostly; where it does, there is a second block. */
const BLOCK_BYTES = CHUNK_BYTES + 64 * 1024;
const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
const encoder = new TextEncoder();
const SNAPSHOT = encoder.encode('{"lastUpdateId"');
export const CAPTURE_SOURCE = "capture";
const CONNECTION = 1;

export interface CaptureReading {
  bad_lines: number;
  torn?: string;
}

/** @param venue told in the marks at the beginning */
export async function* captureBlocks(
  path: string,
  venue: string,
  reading: CaptureReading,
): AsyncGenerator<Uint8Array> {
  const capture = await openCapture(path, CHUNK_BYTES);
  const lines = new LineBlocks(venue, reading);
  try {
    for await (const chunk of capture.chunks) {
      lines.take(chunk);
      yield* lines.blocks();
      if (lines.rest.length > MAX_LINE_BYTES) throw new Error(`a line has more than ${MAX_LINE_BYTES} bytes`);
    }
  } catch (error) {
    reading.torn = reasonOf(error);
    if (lines.rest.length > 0) reading.bad_lines++;
    return;
  } finally {
    await capture.close();
  }
  lines.finish();
  yield* lines.blocks();
}

class LineBlocks {
  rest: Uint8Array = new Uint8Array(0);
  #has_begun = false;
  #buffer = new RecordBuffer(BLOCK_BYTES);
  #full: RecordBuffer[] = [];

  constructor(readonly venue: string, readonly reading: CaptureReading) {}

  take(chunk: Uint8Array): void {
    const bytes = this.rest.length > 0 ? joined(this.rest, chunk) : chunk;
    let start = 0;
    for (let stop = bytes.indexOf(NEWLINE); stop >= 0; stop = bytes.indexOf(NEWLINE, start)) {
      this.#line(bytes, start, stop);
      start = stop + 1;
    }
    this.rest = bytes.slice(start);
  }
  finish(): void {
    this.#line(this.rest, 0, this.rest.length);
  }
  /** Those made of what was taken. */
  *blocks(): Iterable<Uint8Array> {
    const made = [...this.#full, this.#buffer].filter((one) => one.records > 0);
    this.#full = [];
    this.#buffer = new RecordBuffer(BLOCK_BYTES);
    for (const { bytes, length } of made) yield bytes.subarray(0, length);
  }

  #line(bytes: Uint8Array, start: number, stop: number): void {
    if (stop > start && bytes[stop - 1] === CARRIAGE_RETURN) stop--;
    if (stop === start) return;
    const stamp = stampOf(bytes, start, stop);
    if (stamp === undefined) {
      this.reading.bad_lines++;
      return;
    }
    if (!this.#has_begun) this.#begin(stamp);
    const frame = bytes.subarray(stamp.end + 1, stop);
    if (!isSnapshot(frame)) return this.#append(RECORD.received_text, CONNECTION, stamp, frame);
    const head = { source: CAPTURE_SOURCE, purpose: "snapshot" as const, url: "", status: 200, used: true };
    this.#append(RECORD.answer, 0, stamp, encodeAnswer(head, frame));
  }
  /** What a recording would say of its source; at the time of the first line. */
  #begin(stamp: Stamp): void {
    this.#has_begun = true;
    const head = { source: CAPTURE_SOURCE, venue: this.venue, symbols: [], channels: [] };
    const marks: Mark[] = [
      { mark: "source", ...head, number: 1, legs: 1 },
      { mark: "opened", ...head, connection: CONNECTION, id: CAPTURE_SOURCE, url: "", leg: 0 },
    ];
    for (const mark of marks) this.#append(RECORD.mark, 0, stamp, encoder.encode(JSON.stringify(mark)));
  }
  #append(kind: RecordKind, connection: number, { seconds, nanoseconds }: Stamp, payload: Uint8Array): void {
    if (this.#buffer.appendAt(kind, connection, seconds, nanoseconds, payload)) return;
    this.#full.push(this.#buffer);
    this.#buffer = new RecordBuffer(Math.max(BLOCK_BYTES, payload.length + RECORD_HEAD_BYTES));
    this.#buffer.appendAt(kind, connection, seconds, nanoseconds, payload);
  }
}

interface Stamp {
  seconds: number;
  nanoseconds: number;
  /** Of its digits. */
  end: number;
}

/** The digits before the first space, as a time; undefined when they are none. */
function stampOf(bytes: Uint8Array, start: number, stop: number): Stamp | undefined {
  const end = bytes.indexOf(SPACE, start);
  if (end <= start || end >= stop || end - start > 19) return undefined;
  const split = Math.max(start, end - 9);
  const seconds = integerOf(bytes, start, split);
  const nanoseconds = integerOf(bytes, split, end);
  return seconds <= 0xffff_ffff && nanoseconds >= 0 ? { seconds, nanoseconds, end } : undefined;
}
/** NaN when there is something else than digits. */
function integerOf(bytes: Uint8Array, start: number, stop: number): number {
  let value = 0;
  for (let p = start; p < stop; p++) {
    const digit = bytes[p] - 48;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    value = value * 10 + digit;
  }
  return value;
}

function isSnapshot(frame: Uint8Array): boolean {
  for (let i = 0; i < SNAPSHOT.length; i++) if (frame[i] !== SNAPSHOT[i]) return false;
  return true;
}
