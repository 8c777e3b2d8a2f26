/**
 * A recording in the plain form of other tools: lines of `<ns> <frame>`, REST snapshots inline. What that form can't hold
 * (binary frames, what we sent, marks) is left out; line ends inside a frame, which JSON allows, become spaces.
 */
import { quoted, UserError } from "../../base/errors.ts";
import { nanosecondsText } from "./block.ts";
import { decodeAnswer, RECORD, RecordCursor } from "./record.ts";
import { SegmentReader } from "./read_segment.ts";
import { listSegments, SEGMENT_MAGIC } from "./segment_file.ts";

const NEWLINE = 10;
const CARRIAGE_RETURN = 13;
const SPACE = 32;
/** A time in digits, a space and a line end. */
const MAX_STAMP_BYTES = 32;

/** Whether this is what `mdg record` makes: a folder, or a segment of one. */
export async function isRecording(path: string): Promise<boolean> {
  try {
    return (await Deno.stat(path)).isDirectory || await isSegment(path);
  } catch {
    return false;
  }
}
export async function isSegment(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const start = new Uint8Array(SEGMENT_MAGIC.length);
  await file.read(start);
  return new TextDecoder().decode(start) === SEGMENT_MAGIC;
}

/** All of it, piece by piece. @throws UserError when a segment can't be read */
export async function* recordingLines(path: string): AsyncGenerator<Uint8Array> {
  const is_directory = (await Deno.stat(path)).isDirectory;
  const segments = is_directory ? (await listSegments(path)).map((name) => `${path}/${name}`) : [path];
  if (segments.length === 0) {
    throw new UserError(`read recording ${quoted(path, 200)}: the folder holds no segments`);
  }
  const lines = new PlainLines();
  for (const segment of segments) {
    const reader = await SegmentReader.open(segment);
    try {
      for await (const { bytes } of reader.blocks()) {
        const cursor = new RecordCursor(bytes);
        while (cursor.next()) lines.add(cursor);
        yield lines.take();
      }
      if (reader.end.torn !== undefined) throw new Error(reader.end.torn);
    } finally {
      reader.close();
    }
  }
}

/** Lines being gathered. */
export class PlainLines {
  #bytes = new Uint8Array(1024 * 1024);
  length = 0;

  /** One record's line. False when the form has no place for it. */
  add(cursor: RecordCursor): boolean {
    let { bytes, start, end } = cursor;
    if (cursor.kind === RECORD.answer) {
      const answer = decodeAnswer(cursor.payload);
      if (!answer?.head.used || answer.head.purpose !== "snapshot") return false;
      bytes = answer.body;
      start = 0;
      end = bytes.length;
    } else if (cursor.kind !== RECORD.received_text) return false;
    this.#reserve(end - start + MAX_STAMP_BYTES);
    const stamp = nanosecondsText(cursor.seconds, cursor.nanoseconds);
    for (let i = 0; i < stamp.length; i++) this.#bytes[this.length++] = stamp.charCodeAt(i);
    this.#bytes[this.length++] = SPACE;
    const from = this.length;
    this.#bytes.set(bytes.subarray(start, end), from);
    this.length += end - start;
    this.#straighten(from);
    this.#bytes[this.length++] = NEWLINE;
    return true;
  }
  /** What was gathered, as a copy; it begins anew. */
  take(): Uint8Array {
    const taken = this.#bytes.slice(0, this.length);
    this.length = 0;
    return taken;
  }
  #straighten(from: number): void {
    const frame = this.#bytes.subarray(from, this.length);
    for (const end of [NEWLINE, CARRIAGE_RETURN]) {
      for (let at = frame.indexOf(end); at >= 0; at = frame.indexOf(end, at + 1)) frame[at] = SPACE;
    }
  }
  #reserve(count: number): void {
    if (this.length + count <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(this.length + count, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.length));
    this.#bytes = grown;
  }
}
