/**
 * Blocks: records compressed together (zstd), each with a checksum and a link of the hash chain. A block is whole or it
 * is not there: whatever tears the end of a file, the blocks before it stand. The chain's link covers the link before,
 * the head and the packed bytes, so nothing inside can be changed, removed or put in without every later link changing.
 */
import { createHash } from "node:crypto";
import { constants, crc32, zstdCompressSync } from "node:zlib";

export const BLOCK_HEAD_BYTES = 72;
const HASHED_HEAD_BYTES = 40;
const CHECKED_HEAD_BYTES = 32;
/** "MDGB" */
const MAGIC = 0x4247444d;
/** A frame has at most 16 MiB; a block of one such frame must fit. */
export const MAX_BLOCK_BYTES = 40 * 1024 * 1024;
/** Level 1 of zstd packs market data as well as 3 does, at half the cost. */
const LEVEL = { params: { [constants.ZSTD_c_compressionLevel]: 1 } };

export interface BlockHead {
  packed_bytes: number;
  raw_bytes: number;
  records: number;
  first_s: number;
  first_ns: number;
  last_s: number;
  last_ns: number;
  crc: number;
  chain: Uint8Array;
}

/** What the records of a block say of themselves. */
export interface BlockContent {
  bytes: Uint8Array;
  length: number;
  records: number;
  first_s: number;
  first_ns: number;
  last_s: number;
  last_ns: number;
}

/** Head and packed bytes, ready to be appended, and the chain's new end. */
export function packBlock(
  content: BlockContent,
  chain: Uint8Array,
): { bytes: Uint8Array; chain: Uint8Array } {
  const packed = zstdCompressSync(content.bytes.subarray(0, content.length), LEVEL);
  const bytes = new Uint8Array(BLOCK_HEAD_BYTES + packed.length);
  const view = new DataView(bytes.buffer);
  const { length, records, first_s, first_ns, last_s, last_ns } = content;
  [MAGIC, packed.length, length, records, first_s, first_ns, last_s, last_ns]
    .forEach((value, i) => view.setUint32(4 * i, value, true));
  bytes.set(packed, BLOCK_HEAD_BYTES);
  view.setUint32(32, crc32(packed, crc32(bytes.subarray(0, CHECKED_HEAD_BYTES))), true);
  const next = linkOf(chain, bytes.subarray(0, BLOCK_HEAD_BYTES), packed);
  bytes.set(next, HASHED_HEAD_BYTES);
  return { bytes, chain: next };
}

/** Undefined when these 72 bytes are no block's head. */
export function readBlockHead(bytes: Uint8Array): BlockHead | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, BLOCK_HEAD_BYTES);
  if (view.getUint32(0, true) !== MAGIC) return undefined;
  const [packed_bytes, raw_bytes, records, first_s, first_ns, last_s, last_ns, crc] = Array.from(
    { length: 8 },
    (_, i) => view.getUint32(4 + 4 * i, true),
  );
  if (packed_bytes > MAX_BLOCK_BYTES || raw_bytes > MAX_BLOCK_BYTES) return undefined;
  const chain = bytes.slice(HASHED_HEAD_BYTES, BLOCK_HEAD_BYTES);
  return { packed_bytes, raw_bytes, records, first_s, first_ns, last_s, last_ns, crc, chain };
}
/** Whether head and packed bytes are those that were written. */
export function isWhole(head: BlockHead, head_bytes: Uint8Array, packed: Uint8Array): boolean {
  return crc32(packed, crc32(head_bytes.subarray(0, CHECKED_HEAD_BYTES))) === head.crc;
}
export function linkOf(chain: Uint8Array, head_bytes: Uint8Array, packed: Uint8Array): Uint8Array {
  return createHash("sha256").update(chain).update(head_bytes.subarray(0, HASHED_HEAD_BYTES)).update(packed)
    .digest();
}

/** `seconds` and `nanoseconds` as digits: "1793628600003161535". */
export function nanosecondsText(seconds: number, nanoseconds: number): string {
  return `${seconds}${String(nanoseconds).padStart(9, "0")}`;
}
