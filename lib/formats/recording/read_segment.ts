/**
 * Reads a segment block by block, the next one fetched and unpacked while the present one is worked on: memory is
 * bounded by two blocks. A torn or damaged place ends it and is told, never thrown: what stands before it is whole.
 */
import { zstdDecompress, zstdDecompressSync } from "node:zlib";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";
import {
  BLOCK_HEAD_BYTES,
  type BlockHead,
  isWhole,
  linkOf,
  MAX_BLOCK_BYTES,
  readBlockHead,
} from "./block.ts";
import {
  chainStart,
  decodeSegmentHead,
  hex,
  isIndexHead,
  MAX_SEGMENT_HEAD_BYTES,
  readAt,
  readIndex,
  type SegmentHead,
} from "./segment_file.ts";

/** Smaller blocks are unpacked sooner than a thread could be asked. */
const UNPACK_AT_ONCE_BYTES = 64 * 1024;
const READ_AHEAD_BYTES = 1024 * 1024;

export interface ReadBlock {
  head: BlockHead;
  offset: number;
  /** The records. */
  bytes: Uint8Array;
}

export interface SegmentEnd {
  /** Bytes of whole blocks, with the head. */
  whole_bytes: number;
  /** Bytes after them that are neither a block nor the index. */
  torn_bytes: number;
  /** Why they are none, when there are. */
  torn?: string;
  /** The index was there: the file was ended in order. */
  ended: boolean;
  /** Hex. */
  chain: string;
}

export class SegmentReader {
  #at: number;
  #chain: Uint8Array;
  #end: SegmentEnd | undefined;
  #ahead = new Uint8Array(0);
  #ahead_at = 0;

  private constructor(
    readonly path: string,
    readonly file: Deno.FsFile,
    readonly head: SegmentHead,
    head_bytes: Uint8Array,
    readonly size: number,
  ) {
    this.#at = head_bytes.length;
    this.#chain = chainStart(head_bytes);
  }
  /** @throws UserError when it can't be read or is no segment */
  static async open(path: string): Promise<SegmentReader> {
    const fail = (why: string) => new UserError(`read segment ${quoted(path, 200)}: ${why}`);
    let file: Deno.FsFile | undefined;
    try {
      file = await Deno.open(path);
      const { size } = await file.stat();
      const start = await readAt(file, 0, Math.min(size, MAX_SEGMENT_HEAD_BYTES));
      const found = start && decodeSegmentHead(start);
      if (!found) throw fail("it does not begin like one");
      return new SegmentReader(path, file, found.head, start.slice(0, found.bytes), size);
    } catch (error) {
      file?.close();
      if (error instanceof UserError) throw error;
      throw fail(error instanceof Deno.errors.NotFound ? "no such file" : reasonOf(error));
    }
  }
  /** Known once `blocks` is through. */
  get end(): SegmentEnd {
    if (this.#end === undefined) throw new Error("the segment was not read to its end");
    return this.#end;
  }
  close(): void {
    this.file.close();
  }
  /** When its first record was received; undefined when it has no whole block. */
  async start(): Promise<{ seconds: number; nanoseconds: number } | undefined> {
    const bytes = await readAt(this.file, this.#at, Math.min(BLOCK_HEAD_BYTES, this.size - this.#at));
    const head = bytes?.length === BLOCK_HEAD_BYTES ? readBlockHead(bytes) : undefined;
    return head && { seconds: head.first_s, nanoseconds: head.first_ns };
  }
  /** The offset of the last block that begins at or before this time, by the index; the first block without one. */
  async seek(seconds: number, nanoseconds: number): Promise<void> {
    const index = await readIndex(this.file) ?? [];
    for (const [offset, first_s, first_ns] of index) {
      if (first_s > seconds || (first_s === seconds && first_ns > nanoseconds)) break;
      this.#at = offset;
    }
  }
  async *blocks(): AsyncGenerator<ReadBlock> {
    let coming = this.#next();
    // A failure is heard by whoever awaits; nobody may, when the loop is left early.
    coming.catch(() => {});
    for (let block = await coming; block !== undefined; block = await coming) {
      coming = this.#next();
      coming.catch(() => {});
      yield block;
    }
  }
  async #next(): Promise<ReadBlock | undefined> {
    if (this.#end) return undefined;
    const offset = this.#at;
    const left = this.size - offset;
    if (left === 0) return this.#stop(undefined, false);
    const head_bytes = await this.#read(offset, Math.min(left, BLOCK_HEAD_BYTES));
    if (isIndexHead(head_bytes)) return this.#stop(undefined, true);
    const head = head_bytes.length === BLOCK_HEAD_BYTES ? readBlockHead(head_bytes) : undefined;
    if (head === undefined) return this.#stop("no head of a block", false);
    if (BLOCK_HEAD_BYTES + head.packed_bytes > left) return this.#stop("a block is cut off", false);
    const packed = await this.#read(offset + BLOCK_HEAD_BYTES, head.packed_bytes);
    if (!isWhole(head, head_bytes, packed)) return this.#stop("a block's checksum differs", false);
    const chain = linkOf(this.#chain, head_bytes, packed);
    const is_linked = head.chain.every((byte, i) => byte === chain[i]);
    let bytes: Uint8Array;
    try {
      const unpacked = await unpack(packed, head.raw_bytes);
      // Not a Buffer: parts of one cost several times as much.
      bytes = new Uint8Array(unpacked.buffer, unpacked.byteOffset, unpacked.length);
    } catch (error) {
      return this.#stop(`a block does not unpack: ${reasonOf(error)}`, false);
    }
    if (bytes.length !== head.raw_bytes) return this.#stop("a block unpacks to another length", false);
    // After a seek the link before is not known, and the block's own word counts.
    this.#chain = head.chain;
    if (!is_linked && offset !== 0) this.broken_links.push(offset);
    this.#at = offset + BLOCK_HEAD_BYTES + head.packed_bytes;
    return { head, offset, bytes };
  }
  /** Offsets of blocks whose link does not fit to the block before; after a `seek` the first one is among them. */
  readonly broken_links: number[] = [];

  #stop(torn: string | undefined, ended: boolean): undefined {
    const torn_bytes = ended ? 0 : this.size - this.#at;
    this.#end = { whole_bytes: this.#at, torn_bytes, torn, ended, chain: hex(this.#chain) };
    return undefined;
  }
  async #read(offset: number, length: number): Promise<Uint8Array> {
    const from = offset - this.#ahead_at;
    if (from >= 0 && from + length <= this.#ahead.length) return this.#ahead.subarray(from, from + length);
    const wanted = Math.min(Math.max(length, READ_AHEAD_BYTES), this.size - offset);
    const bytes = await readAt(this.file, offset, wanted);
    if (bytes === undefined) throw new UserError(`read segment ${quoted(this.path, 200)}: it became shorter`);
    this.#ahead = bytes;
    this.#ahead_at = offset;
    return bytes.subarray(0, length);
  }
}

function unpack(packed: Uint8Array, raw_bytes: number): Promise<Uint8Array> {
  const options = { maxOutputLength: Math.min(Math.max(raw_bytes, 1), MAX_BLOCK_BYTES) };
  if (raw_bytes <= UNPACK_AT_ONCE_BYTES) return Promise.resolve(zstdDecompressSync(packed, options));
  return new Promise((resolve, reject) =>
    zstdDecompress(packed, options, (error, bytes) => error ? reject(error) : resolve(bytes))
  );
}
