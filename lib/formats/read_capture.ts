/**
 * Captures: lines of `<local receive time in ns> <raw frame>`, plain or gzip, REST snapshots inline. Read as a stream, so
 * a recording of any length takes bounded memory; lines are handed out in place, without a copy.
 * A torn end (a recorder that was killed) gives what is whole and says that it was torn.
 */
import { reasonOf, UserError } from "../base/errors.ts";
import { openCapture } from "./open_capture.ts";

/** The longest frame accepted; a snapshot of 5,000 levels has about 300 kB. */
const MAX_LINE_BYTES = 16 * 1024 * 1024;
const CHUNK_BYTES = 1024 * 1024;

export interface CaptureEnd {
  lines: number;
  /** Lines that have no `<ns> ` in front; skipped. */
  bad_lines: number;
  /** Why the end is torn, when it is. */
  torn?: string;
}

/**
 * Calls `each` for every line: the frame is `bytes[start, end)`, valid during the call only. `received_us` is the
 * line's local receive time in microseconds; its digits of nanoseconds are `bytes[stamp, start - 1)`.
 */
export async function readCapture(
  path: string,
  each: (bytes: Uint8Array, start: number, end: number, received_us: number, stamp: number) => void,
  signal?: AbortSignal,
): Promise<CaptureEnd> {
  const end: CaptureEnd = { lines: 0, bad_lines: 0 };
  let rest: Uint8Array = new Uint8Array(0);
  const take = (bytes: Uint8Array, start: number, stop: number) => {
    if (stop > start && bytes[stop - 1] === 13) stop--;
    if (stop === start) return;
    end.lines++;
    const space = bytes.indexOf(32, start);
    const received_us = space > start && space < stop ? nanosecondsToMicroseconds(bytes, start, space) : NaN;
    if (Number.isNaN(received_us)) end.bad_lines++;
    else each(bytes, space + 1, stop, received_us, start);
  };
  const capture = await openCapture(path, CHUNK_BYTES);
  try {
    for await (const chunk of capture.chunks) {
      if (signal?.aborted) return end;
      const bytes = rest.length > 0 ? joined(rest, chunk) : chunk;
      let start = 0;
      for (let stop = bytes.indexOf(10); stop >= 0; stop = bytes.indexOf(10, start)) {
        take(bytes, start, stop);
        start = stop + 1;
      }
      rest = bytes.slice(start);
      if (rest.length > MAX_LINE_BYTES) throw new Error(`a line has more than ${MAX_LINE_BYTES} bytes`);
    }
  } catch (error) {
    if (error instanceof UserError) throw error;
    end.torn = reasonOf(error);
  } finally {
    await capture.close();
  }
  if (rest.length > 0) {
    if (end.torn) end.bad_lines++;
    else take(rest, 0, rest.length);
  }
  return end;
}

/** Both, one after the other, as bytes of their own. */
export function joined(head: Uint8Array, tail: Uint8Array): Uint8Array {
  const both = new Uint8Array(head.length + tail.length);
  both.set(head);
  both.set(tail, head.length);
  return both;
}

/** Digits of nanoseconds to microseconds; NaN when they are none. */
function nanosecondsToMicroseconds(bytes: Uint8Array, start: number, stop: number): number {
  let us = 0;
  const whole = stop - 3;
  for (let p = start; p < whole; p++) {
    const digit = bytes[p] - 48;
    if (digit < 0 || digit > 9) return NaN;
    us = us * 10 + digit;
  }
  let ns = 0;
  for (let p = Math.max(start, whole); p < stop; p++) {
    const digit = bytes[p] - 48;
    if (digit < 0 || digit > 9) return NaN;
    ns = ns * 10 + digit;
  }
  return us + ns / 1000;
}
