/**
 * One file of a spool: records appended at the end, read from the front, removed as a whole when all are loaded. An
 * append is on the disk when it resolves; one that fails leaves the file as it was. What a crash tore off is cut at the
 * next start; damage further in ends the segment there, and the file is kept aside for people to look at.
 */
import { decodeRecord, encodeRecord, HEADER_BYTES, recordLength, type SpoolRecord } from "./record.ts";

const OWNER_ONLY = 0o600;

export interface Damage {
  path: string;
  /** Bytes that could not be read as records. */
  bytes: number;
  /** At the very end: an append that a crash interrupted, promised to nobody. Else the file was changed on the disk. */
  is_torn_tail: boolean;
}

export class Segment {
  /** Bytes of whole records. */
  bytes = 0;
  /** Rows not yet loaded, by table. */
  readonly rows = new Map<string, number>();
  /** Where reading goes on, and up to where all is loaded; between them what was taken. */
  #read_at = 0;
  #loaded_to = 0;
  readonly #taken: { record: SpoolRecord; length: number }[] = [];
  #head: { record: SpoolRecord; length: number } | undefined;
  #appender: Deno.FsFile | undefined;
  #reader: Deno.FsFile | undefined;
  /** Found when it was read after all: the rest of the segment is not to be had. */
  damage: Damage | undefined;

  private constructor(readonly path: string) {}

  static async create(path: string): Promise<Segment> {
    const segment = new Segment(path);
    segment.#appender = await Deno.open(path, { createNew: true, append: true, mode: OWNER_ONLY });
    return segment;
  }
  /** Reads every record once to count rows and find where the good part ends. */
  static async recover(path: string, onRecord: (record: SpoolRecord) => void): Promise<Segment> {
    const segment = new Segment(path);
    const { size } = await Deno.stat(path);
    for (;;) {
      const found = await segment.#readAt(segment.bytes, size);
      if (found === undefined) break;
      segment.bytes += found.length;
      segment.#count(found.record, 1);
      onRecord(found.record);
    }
    if (segment.bytes < size) {
      const rest = size - segment.bytes;
      segment.damage = { path, bytes: rest, is_torn_tail: await segment.#isTorn(size) };
    }
    return segment;
  }
  /** Nothing in it is needed any longer. */
  get is_loaded(): boolean {
    return this.#loaded_to >= this.bytes;
  }
  get is_sealed(): boolean {
    return this.#appender === undefined;
  }
  /** Records are taken and not yet loaded. */
  get is_in_use(): boolean {
    return this.#taken.length > 0;
  }

  /** Rejects with the host's error (disk full), nothing added. Resolves with how to take it back. */
  async append(records: readonly SpoolRecord[]): Promise<() => Promise<void>> {
    const file = this.#appender;
    if (!file) throw new Error(`append to "${this.path}": closed`);
    let added = 0;
    try {
      for (const record of records) {
        const bytes = encodeRecord(record);
        for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
        added += bytes.length;
      }
      await file.syncData();
    } catch (error) {
      await file.truncate(this.bytes);
      throw error;
    }
    this.bytes += added;
    for (const record of records) this.#count(record, 1);
    return async () => {
      this.bytes -= added;
      for (const record of records) this.#count(record, -1);
      await file.truncate(this.bytes);
    };
  }
  /** The oldest record not yet taken; undefined when there is none. */
  async head(): Promise<SpoolRecord | undefined> {
    if (this.#head) return this.#head.record;
    if (this.#read_at >= this.bytes) return undefined;
    const found = await this.#readAt(this.#read_at, this.bytes);
    if (found) {
      this.#head = found;
      return found.record;
    }
    this.damage = { path: this.path, bytes: this.bytes - this.#read_at, is_torn_tail: false };
    // Counted as lost by the owner, who looks at `damage`.
    this.bytes = this.#read_at;
    return undefined;
  }
  /** Moves on past the head. Its rows count as waiting until `loaded`. */
  take(): void {
    this.#read_at += this.#head!.length;
    this.#taken.push(this.#head!);
    this.#head = undefined;
  }
  /** What was taken is in the database. */
  loaded(): void {
    for (const { record, length } of this.#taken.splice(0)) {
      this.#loaded_to += length;
      this.#count(record, -1);
    }
  }
  /** What was taken was not loaded and is read again. */
  rewind(): void {
    this.#taken.length = 0;
    this.#read_at = this.#loaded_to;
    this.#head = undefined;
  }
  /** Takes no more appends. */
  seal(): void {
    this.#appender?.close();
    this.#appender = undefined;
  }
  close(): void {
    this.seal();
    this.#reader?.close();
    this.#reader = undefined;
  }
  async remove(): Promise<void> {
    this.close();
    await Deno.remove(this.path);
  }
  /** Leaves the spool, yet not the disk. */
  async setAside(): Promise<void> {
    this.close();
    await Deno.rename(this.path, `${this.path}.damaged`);
  }

  #count({ table, count }: SpoolRecord, sign: 1 | -1): void {
    this.rows.set(table, (this.rows.get(table) ?? 0) + sign * count);
  }
  async #readAt(at: number, end: number): Promise<{ record: SpoolRecord; length: number } | undefined> {
    if (at + HEADER_BYTES > end) return undefined;
    this.#reader ??= await Deno.open(this.path, { read: true });
    const length = recordLength(await readFully(this.#reader, at, HEADER_BYTES));
    if (length === undefined || at + length > end) return undefined;
    const bytes = await readFully(this.#reader, at, length);
    const record = bytes.length === length ? decodeRecord(bytes) : undefined;
    return record && { record, length };
  }
  /** True when no whole record follows: the bad one reaches, or claims to reach, the end of the file. */
  async #isTorn(size: number): Promise<boolean> {
    const header = await readFully(this.#reader!, this.bytes, Math.min(HEADER_BYTES, size - this.bytes));
    if (header.length < HEADER_BYTES) return true;
    const length = recordLength(header);
    return length !== undefined && this.bytes + length >= size;
  }
}

async function readFully(file: Deno.FsFile, at: number, length: number): Promise<Uint8Array> {
  await file.seek(at, Deno.SeekMode.Start);
  const bytes = new Uint8Array(length);
  let done = 0;
  while (done < length) {
    const count = await file.read(bytes.subarray(done));
    if (count === null) break;
    done += count;
  }
  return bytes.subarray(0, done);
}
