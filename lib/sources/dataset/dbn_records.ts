/**
 * A DBN file, plain or zstd, in the shape of a recording's blocks: each of its records is a frame at the vendor's receive
 * time. The names of its instruments come first, as JSON. A torn end gives the whole records before it, and is told.
 */
import { createReadStream } from "node:fs";
import { createZstdDecompress } from "node:zlib";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import {
  dbnHeadBytes,
  type DbnMetadata,
  MAX_METADATA_BYTES,
  readDbnMetadata,
} from "../../formats/dbn/metadata.ts";
import { DbnRecord, dbnRecordBytes } from "../../formats/dbn/record.ts";
import { joined } from "../../formats/read_capture.ts";
import type { SourceMark } from "../../formats/recording/mark.ts";
import type { Records } from "../../formats/recording/open_records.ts";
import { RECORD, RecordBuffer, type RecordKind } from "../../formats/recording/record.ts";
import { DATASET_CONNECTION, datasetMarks } from "./dataset_marks.ts";

const CHUNK_BYTES = 1024 * 1024;
const BLOCK_BYTES = 1024 * 1024;
const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
const encoder = new TextEncoder();

export class DbnRecords implements Records {
  readonly trouble: string[] = [];

  private constructor(readonly path: string, readonly is_packed: boolean, readonly metadata: DbnMetadata) {}

  /** Undefined when the file is none. @throws UserError when it is one that can't be read */
  static async open(path: string): Promise<DbnRecords | undefined> {
    const is_packed = await startsWithZstd(path);
    const fail = (why: string) => new UserError(`read DBN file ${quoted(path, 200)}: ${why}`);
    let head: Uint8Array = new Uint8Array(0);
    try {
      for await (const chunk of chunksOf(path, is_packed)) {
        head = joined(head, chunk);
        const length = dbnHeadBytes(head);
        if (length === undefined) return undefined;
        if (length > MAX_METADATA_BYTES) throw fail(`a head of ${length} bytes`);
        if (head.length >= length) {
          return new DbnRecords(path, is_packed, readDbnMetadata(head.subarray(0, length)));
        }
      }
    } catch (error) {
      if (error instanceof RangeError) throw fail(error.message);
      if (error instanceof UserError) throw error;
      return undefined;
    }
    return undefined;
  }
  get venue(): string {
    return this.metadata.dataset;
  }
  // deno-lint-ignore require-await -- the contract reads files for it
  async sources(): Promise<SourceMark[]> {
    return [datasetMarks("dbn", this.venue).source];
  }
  async *blocks(): AsyncIterable<Uint8Array> {
    const filler = new BlockFiller();
    let rest: Uint8Array = new Uint8Array(0);
    let skip = -1;
    let has_begun = false;
    const record = new DbnRecord();
    try {
      for await (const chunk of chunksOf(this.path, this.is_packed)) {
        const bytes = rest.length > 0 ? joined(rest, chunk) : chunk;
        if (skip < 0) skip = dbnHeadBytes(bytes) ?? bytes.length;
        let at = Math.min(skip, bytes.length);
        skip -= at;
        while (skip === 0 && at < bytes.length) {
          const length = dbnRecordBytes(bytes[at]);
          if (length === 0) throw new Error("a record without length");
          if (at + length > bytes.length) break;
          const frame = bytes.subarray(at, at + length);
          const ns = record.take(frame).received_ns;
          const seconds = Number(ns / 1_000_000_000n);
          const nanoseconds = Number(ns % 1_000_000_000n);
          if (!has_begun) this.#begin(filler, seconds, nanoseconds);
          has_begun = true;
          filler.append(RECORD.received_binary, DATASET_CONNECTION, seconds, nanoseconds, frame);
          at += length;
        }
        rest = bytes.slice(at);
        yield* filler.take();
      }
      if (rest.length > 0) {
        this.trouble.push(`${this.path}: ${rest.length} bytes at the end are no whole record`);
      }
    } catch (error) {
      this.trouble.push(`${this.path}: ${reasonOf(error)}`);
      yield* filler.take();
    }
  }
  #begin(filler: BlockFiller, seconds: number, nanoseconds: number): void {
    const { source, opened } = datasetMarks("dbn", this.venue);
    for (const mark of [source, opened]) {
      filler.append(RECORD.mark, 0, seconds, nanoseconds, encoder.encode(JSON.stringify(mark)));
    }
    const names = encoder.encode(JSON.stringify({ symbols: [...this.metadata.symbols] }));
    filler.append(RECORD.received_text, DATASET_CONNECTION, seconds, nanoseconds, names);
  }
}

/** Records into blocks of a size; a long one gets its own. */
export class BlockFiller {
  #buffer = new RecordBuffer(BLOCK_BYTES);
  #full: RecordBuffer[] = [];

  append(
    kind: RecordKind,
    connection: number,
    seconds: number,
    nanoseconds: number,
    payload: Uint8Array,
  ): void {
    if (this.#buffer.appendAt(kind, connection, seconds, nanoseconds, payload)) return;
    this.#full.push(this.#buffer);
    this.#buffer = new RecordBuffer(Math.max(BLOCK_BYTES, payload.length + 64));
    this.#buffer.appendAt(kind, connection, seconds, nanoseconds, payload);
  }
  get is_full(): boolean {
    return this.#full.length > 0;
  }
  *take(): Iterable<Uint8Array> {
    const made = [...this.#full, this.#buffer].filter((one) => one.records > 0);
    this.#full = [];
    this.#buffer = new RecordBuffer(BLOCK_BYTES);
    for (const { bytes, length } of made) yield bytes.subarray(0, length);
  }
}

async function startsWithZstd(path: string): Promise<boolean> {
  using file = await Deno.open(path);
  const start = new Uint8Array(4);
  await file.read(start);
  return ZSTD_MAGIC.every((byte, i) => start[i] === byte);
}
async function* chunksOf(path: string, is_packed: boolean): AsyncGenerator<Uint8Array> {
  const raw = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  raw.on("error", () => {});
  const closed = new Promise<void>((resolve) => raw.once("close", resolve));
  try {
    if (!is_packed) yield* raw;
    else {
      const unpack = createZstdDecompress({ chunkSize: CHUNK_BYTES });
      raw.on("error", (error) => unpack.destroy(error));
      yield* raw.pipe(unpack);
    }
  } finally {
    raw.destroy();
    await closed;
  }
}
