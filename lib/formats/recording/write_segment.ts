/**
 * Writes one segment, synchronously: it runs in a Worker or a converter, never in the feed's thread. A block that could
 * not be written whole is cut off again, so that a full disk leaves a whole file behind and the same block may be tried
 * once more.
 */
import { type BlockContent, packBlock } from "./block.ts";
import {
  chainStart,
  encodeIndex,
  encodeSegmentHead,
  hex,
  type IndexEntry,
  type SegmentHead,
} from "./segment_file.ts";

export class SegmentWriter {
  readonly #file: Deno.FsFile;
  readonly #index: IndexEntry[] = [];
  #chain: Uint8Array;
  bytes: number;
  #unsynced = true;

  /** Makes the file; throws when it is there already. */
  constructor(readonly path: string, readonly head: SegmentHead, mode = 0o640) {
    const head_bytes = encodeSegmentHead(head);
    this.#file = Deno.openSync(path, { read: true, write: true, createNew: true, mode });
    try {
      writeAll(this.#file, head_bytes);
    } catch (error) {
      this.#file.close();
      Deno.removeSync(path);
      throw error;
    }
    this.#chain = chainStart(head_bytes);
    this.bytes = head_bytes.length;
  }
  get blocks(): number {
    return this.#index.length;
  }
  /** The chain's end, hex. */
  get chain(): string {
    return hex(this.#chain);
  }
  append(content: BlockContent): void {
    const { bytes, chain } = packBlock(content, this.#chain);
    this.#write(bytes);
    const { first_s, first_ns, last_s, last_ns, records } = content;
    this.#index.push([this.bytes, first_s, first_ns, last_s, last_ns, records]);
    this.bytes += bytes.length;
    this.#chain = chain;
  }
  sync(): void {
    if (this.#unsynced) this.#file.syncDataSync();
    this.#unsynced = false;
  }
  /** Writes the index and closes. */
  end(): void {
    this.#write(encodeIndex(this.#index, this.bytes));
    this.#file.syncSync();
    this.#file.close();
  }
  /** Closes as it is. */
  abandon(): void {
    this.#file.close();
  }
  #write(bytes: Uint8Array): void {
    this.#unsynced = true;
    try {
      writeAll(this.#file, bytes);
    } catch (error) {
      this.#file.truncateSync(this.bytes);
      this.#file.seekSync(this.bytes, Deno.SeekMode.Start);
      throw error;
    }
  }
}

function writeAll(file: Deno.FsFile, bytes: Uint8Array): void {
  for (let written = 0; written < bytes.length;) written += file.writeSync(bytes.subarray(written));
}
