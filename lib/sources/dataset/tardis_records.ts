/**
 * A CSV or NDJSON file as Tardis publishes it, plain or gzip, in the shape of a recording's blocks: rows of one message
 * (same symbol, local time and kind) are a frame at the local time, and the header row is the first frame.
 */
import { reasonOf } from "../../base/errors.ts";
import { openCapture } from "../../formats/open_capture.ts";
import type { SourceMark } from "../../formats/recording/mark.ts";
import type { Records } from "../../formats/recording/open_records.ts";
import { RECORD } from "../../formats/recording/record.ts";
import { DATASET_CONNECTION, datasetMarks } from "./dataset_marks.ts";
import { BlockFiller } from "./dbn_records.ts";

const CHUNK_BYTES = 1024 * 1024;
const MAX_LINE_CHARACTERS = 16 * 1024 * 1024;
const SYMBOL = 1;
const LOCAL_TIME = 3;
const IS_SNAPSHOT = 4;
const encoder = new TextEncoder();

type Form = "csv" | "ndjson";

export class TardisRecords implements Records {
  readonly trouble: string[] = [];
  bad_lines = 0;

  private constructor(readonly path: string, readonly form: Form, readonly venue: string) {}

  /** Undefined when the file is none. */
  static async open(path: string): Promise<TardisRecords | undefined> {
    for await (const [first, second] of firstLines(path)) {
      if (first.startsWith("exchange,symbol,timestamp,local_timestamp,")) {
        return new TardisRecords(path, "csv", second?.split(",")[0] ?? "");
      }
      const line = parsed(first);
      if (typeof line?.exchange === "string" && typeof line.localTimestamp === "string") {
        return new TardisRecords(path, "ndjson", line.exchange);
      }
    }
    return undefined;
  }
  // deno-lint-ignore require-await -- the contract reads files for it
  async sources(): Promise<SourceMark[]> {
    return [datasetMarks("tardis", this.venue).source];
  }
  async *blocks(): AsyncIterable<Uint8Array> {
    const filler = new BlockFiller();
    const groups = this.form === "csv" ? new RowGroups(filler, this.venue) : new Lines(filler, this.venue);
    try {
      for await (const line of linesOf(this.path)) {
        if (!groups.take(line)) this.bad_lines++;
        if (filler.is_full) yield* filler.take();
      }
      groups.finish();
    } catch (error) {
      this.trouble.push(`${this.path}: ${reasonOf(error)}`);
    }
    if (this.bad_lines > 0) this.trouble.push(`${this.path}: ${this.bad_lines} lines are none of theirs`);
    yield* filler.take();
  }
}

/** Says the marks before the first frame. */
class Frames {
  #has_begun = false;
  constructor(readonly filler: BlockFiller, readonly venue: string) {}

  add(text: string, at_us: number, header?: string): void {
    const seconds = Math.floor(at_us / 1e6);
    const nanoseconds = Math.round((at_us - seconds * 1e6) * 1_000);
    if (!this.#has_begun) {
      this.#has_begun = true;
      const { source, opened } = datasetMarks("tardis", this.venue);
      for (const mark of [source, opened]) {
        this.filler.append(RECORD.mark, 0, seconds, nanoseconds, encoder.encode(JSON.stringify(mark)));
      }
      if (header !== undefined) {
        this.filler.append(
          RECORD.received_text,
          DATASET_CONNECTION,
          seconds,
          nanoseconds,
          encoder.encode(header),
        );
      }
    }
    this.filler.append(RECORD.received_text, DATASET_CONNECTION, seconds, nanoseconds, encoder.encode(text));
  }
}

class RowGroups {
  readonly #frames: Frames;
  #header: string | undefined;
  #key = "";
  #rows: string[] = [];
  #at_us = 0;
  #has_snapshots = false;

  constructor(filler: BlockFiller, venue: string) {
    this.#frames = new Frames(filler, venue);
  }
  take(line: string): boolean {
    if (this.#header === undefined) {
      this.#header = line;
      this.#has_snapshots = line.split(",")[IS_SNAPSHOT] === "is_snapshot";
      return true;
    }
    const cells = line.split(",", IS_SNAPSHOT + 1);
    const at_us = Number(cells[LOCAL_TIME]);
    if (!(at_us > 0) || !Number.isFinite(at_us)) return false;
    const key = `${cells[LOCAL_TIME]} ${cells[SYMBOL]} ${this.#has_snapshots ? cells[IS_SNAPSHOT] : ""}`;
    if (key !== this.#key) this.finish();
    this.#key = key;
    this.#at_us = at_us;
    this.#rows.push(line);
    return true;
  }
  finish(): void {
    if (this.#rows.length === 0) return;
    this.#frames.add(this.#rows.join("\n"), this.#at_us, this.#header);
    this.#rows = [];
  }
}

class Lines {
  readonly #frames: Frames;
  constructor(filler: BlockFiller, venue: string) {
    this.#frames = new Frames(filler, venue);
  }
  take(line: string): boolean {
    const value = parsed(line);
    const at_us = typeof value?.localTimestamp === "string" ? microseconds(value.localTimestamp) : NaN;
    if (!(at_us > 0)) return false;
    this.#frames.add(line, at_us);
    return true;
  }
  finish(): void {}
}

/** ISO 8601 with as many digits of a second as there are. */
function microseconds(text: string): number {
  const match = /^(.*:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text);
  if (!match) return NaN;
  return Date.parse(match[1] + match[3]) * 1_000 + Number((match[2] ?? "").padEnd(9, "0")) / 1_000;
}
function parsed(line: string): Record<string, unknown> | undefined {
  if (!line.startsWith("{")) return undefined;
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

async function* linesOf(path: string): AsyncGenerator<string> {
  const capture = await openCapture(path, CHUNK_BYTES);
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of capture.chunks) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      if (rest.length > MAX_LINE_CHARACTERS) {
        throw new Error(`a line of more than ${MAX_LINE_CHARACTERS} characters`);
      }
      for (const line of lines) {
        if (line !== "" && line !== "\r") {
          yield line.endsWith("\r") ? line.slice(0, -1) : line;
        }
      }
    }
    if (rest !== "") yield rest;
  } finally {
    await capture.close();
  }
}
/** The first two lines, once; nothing when the file has no lines. */
async function* firstLines(path: string): AsyncGenerator<string[]> {
  const found: string[] = [];
  try {
    for await (const line of linesOf(path)) {
      found.push(line);
      if (found.length === 2) break;
    }
  } catch {
    // what can't be read as lines is none of theirs
  }
  if (found.length > 0) yield found;
}
