/**
 * The folder of a recording as its writer sees it: the present segment, its certificate when it ends, the next one, and
 * what is kept of the older ones. Synchronous: it lives in a Worker, or in a converter. Every step may fail on a full
 * disk and may then be tried again; nothing is written twice.
 */
import { type BlockContent } from "../formats/recording/block.ts";
import { certify, type SegmentContent, type SegmentEnding } from "../formats/recording/certificate.ts";
import { certificateName, NO_CHAIN, segmentName, segmentNumber } from "../formats/recording/segment_file.ts";
import { SegmentWriter } from "../formats/recording/write_segment.ts";
import type { Keep } from "./messages.ts";

const CERTIFICATE_MODE = 0o640;

export interface StoreOptions {
  directory: string;
  recording: string;
  /** Number of the first segment to write. */
  segment: number;
  previous: string;
  mdg: string;
  keep: Keep;
  now_ms(): number;
}

export class SegmentStore {
  #writer: SegmentWriter | undefined;
  #name = "";
  #segment: number;
  #previous: string;
  /** The present segment has its index, but not yet its certificate. */
  #is_ended = false;

  constructor(readonly options: StoreOptions) {
    this.#segment = options.segment;
    this.#previous = options.previous || NO_CHAIN;
  }
  /** Number of the present segment. */
  get segment(): number {
    return this.#segment;
  }
  get segment_bytes(): number {
    return this.#writer?.bytes ?? 0;
  }
  /** Begins the present segment; nothing to do when it has begun. */
  open(): void {
    if (this.#writer) return;
    const { directory, recording, mdg, now_ms } = this.options;
    const created_ms = now_ms();
    this.#name = segmentName(this.#segment, created_ms);
    this.#is_ended = false;
    this.#writer = new SegmentWriter(`${directory}/${this.#name}`, {
      recording,
      segment: this.#segment,
      previous: this.#previous,
      created: new Date(created_ms).toISOString(),
      mdg,
    });
  }
  append(block: BlockContent): void {
    this.open();
    this.#writer!.append(block);
  }
  sync(): void {
    if (!this.#is_ended) this.#writer?.sync();
  }
  /** Ends the present segment with its certificate. */
  end(content: SegmentContent, ended: SegmentEnding): void {
    this.open();
    const writer = this.#writer!;
    const { bytes, blocks, chain } = writer;
    if (!this.#is_ended) writer.end();
    this.#is_ended = true;
    const { directory, recording } = this.options;
    const certificate = certify(content, {
      recording,
      segment: this.#segment,
      file: this.#name,
      bytes,
      blocks,
      ended,
      torn_bytes: 0,
      previous: this.#previous,
      chain,
    });
    writeWhole(`${directory}/${certificateName(this.#name)}`, JSON.stringify(certificate, null, 2) + "\n");
    this.#previous = chain;
    this.#segment++;
    this.#writer = undefined;
  }
  /** Lets the file go as it is. */
  abandon(): void {
    if (!this.#is_ended) this.#writer?.abandon();
    this.#writer = undefined;
  }

  /** Deletes ended segments beyond what is kept, oldest first; returns their names and why. */
  expire(): { name: string; why: string }[] {
    const { keep, now_ms } = this.options;
    const gone: { name: string; why: string }[] = [];
    if (keep.segments === undefined && keep.bytes === undefined && keep.age_ms === undefined) return gone;
    const old = this.#old();
    const oldest_ms = now_ms() - (keep.age_ms ?? Infinity);
    let bytes = old.reduce((sum, one) => sum + one.bytes, this.segment_bytes);
    for (let left = old.length + 1; old.length > 0; left--) {
      const [{ name, bytes: size, ended_ms }] = old;
      const why = left > (keep.segments ?? Infinity)
        ? "segments"
        : bytes > (keep.bytes ?? Infinity)
        ? "bytes"
        : ended_ms < oldest_ms
        ? "age"
        : undefined;
      if (why === undefined) break;
      this.#remove(name);
      bytes -= size;
      old.shift();
      gone.push({ name, why });
    }
    return gone;
  }
  /** Deletes the oldest ended segment to make room; undefined when there is none. */
  deleteOldest(): string | undefined {
    const [oldest] = this.#old();
    if (oldest) this.#remove(oldest.name);
    return oldest?.name;
  }
  #old(): { name: string; bytes: number; ended_ms: number }[] {
    const { directory } = this.options;
    const found: { name: string; bytes: number; ended_ms: number }[] = [];
    for (const { name, isFile } of Deno.readDirSync(directory)) {
      const number = isFile ? segmentNumber(name) : undefined;
      if (number === undefined || number >= this.#segment) continue;
      const { size, mtime } = Deno.statSync(`${directory}/${name}`);
      found.push({ name, bytes: size, ended_ms: mtime?.getTime() ?? 0 });
    }
    return found.sort((one, other) => segmentNumber(one.name)! - segmentNumber(other.name)!);
  }
  /** The certificate stays as long as the segment does, never longer. */
  #remove(name: string): void {
    const { directory } = this.options;
    Deno.removeSync(`${directory}/${name}`);
    try {
      Deno.removeSync(`${directory}/${certificateName(name)}`);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
}

/** Under its name only when it is whole and on the disk. */
export function writeWhole(path: string, text: string): void {
  const temporary = `${path}.tmp`;
  const file = Deno.openSync(temporary, {
    write: true,
    create: true,
    truncate: true,
    mode: CERTIFICATE_MODE,
  });
  try {
    const bytes = new TextEncoder().encode(text);
    for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
    file.syncSync();
  } finally {
    file.close();
  }
  Deno.renameSync(temporary, path);
}
