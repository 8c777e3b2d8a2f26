/**
 * Segments: the files of a recording. `MDGREC1\n`, a JSON head, blocks, and when it was ended in order an index and the
 * place where that begins. The certificate lies beside it. A file that was not ended in order has neither; both are then
 * made from its blocks.
 */
import { createHash } from "node:crypto";
import { crc32 } from "node:zlib";

export const SEGMENT_SUFFIX = ".mdgr";
export const CERTIFICATE_SUFFIX = ".certificate.json";
export const SEGMENT_MAGIC = "MDGREC1\n";
export const NO_CHAIN = "0".repeat(64);
const MAX_HEAD_BYTES = 64 * 1024;
/** "MDGE" */
const INDEX_MAGIC = 0x4547444d;
const INDEX_HEAD_BYTES = 12;
const INDEX_TAIL_BYTES = 8;
const encoder = new TextEncoder();
const decoder = new TextDecoder();

export interface SegmentHead {
  /** The same in all segments of a recording. */
  recording: string;
  segment: number;
  /** The end of the segment before: its chain, hex; zeros for the first. */
  previous: string;
  created: string;
  mdg: string;
}

/** A block's offset, first and last time (seconds, nanoseconds), records. */
export type IndexEntry = [number, number, number, number, number, number];

/** "00000001-20261130T010141.000Z.mdgr" */
export function segmentName(segment: number, created_ms: number): string {
  const start = new Date(created_ms).toISOString().replaceAll("-", "").replaceAll(":", "");
  return `${String(segment).padStart(8, "0")}-${start}${SEGMENT_SUFFIX}`;
}
export function certificateName(segment_name: string): string {
  return segment_name.slice(0, -SEGMENT_SUFFIX.length) + CERTIFICATE_SUFFIX;
}
/** The number in the name; undefined for a file that is none of ours. */
export function segmentNumber(name: string): number | undefined {
  const match = /^(\d{8,})-\d{8}T\d{6}\.\d{3}Z\.mdgr$/.exec(name);
  return match ? Number(match[1]) : undefined;
}

/** Names of the segments in a folder, in order. */
export async function listSegments(directory: string): Promise<string[]> {
  const names: string[] = [];
  for await (const { name, isFile } of Deno.readDir(directory)) {
    if (isFile && segmentNumber(name) !== undefined) names.push(name);
  }
  return names.sort((one, other) => segmentNumber(one)! - segmentNumber(other)!);
}

export function encodeSegmentHead(head: SegmentHead): Uint8Array {
  const json = encoder.encode(JSON.stringify(head));
  const magic = encoder.encode(SEGMENT_MAGIC);
  const bytes = new Uint8Array(magic.length + 4 + json.length);
  bytes.set(magic);
  new DataView(bytes.buffer).setUint32(magic.length, json.length, true);
  bytes.set(json, magic.length + 4);
  return bytes;
}
/** The head and how many bytes it takes; undefined when the file does not begin like a segment. */
export function decodeSegmentHead(start: Uint8Array): { head: SegmentHead; bytes: number } | undefined {
  const magic = SEGMENT_MAGIC.length;
  if (start.length < magic + 4 || decoder.decode(start.subarray(0, magic)) !== SEGMENT_MAGIC) {
    return undefined;
  }
  const length = new DataView(start.buffer, start.byteOffset).getUint32(magic, true);
  if (length > MAX_HEAD_BYTES || magic + 4 + length > start.length) return undefined;
  try {
    const head = JSON.parse(decoder.decode(start.subarray(magic + 4, magic + 4 + length)));
    return { head, bytes: magic + 4 + length };
  } catch {
    return undefined;
  }
}
export const MAX_SEGMENT_HEAD_BYTES = SEGMENT_MAGIC.length + 4 + MAX_HEAD_BYTES;

/** The chain's first link in a segment. */
export function chainStart(head_bytes: Uint8Array): Uint8Array {
  return createHash("sha256").update(head_bytes).digest();
}
export function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

export function encodeIndex(entries: readonly IndexEntry[], offset: number): Uint8Array {
  const json = encoder.encode(JSON.stringify(entries));
  const bytes = new Uint8Array(INDEX_HEAD_BYTES + json.length + INDEX_TAIL_BYTES);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, INDEX_MAGIC, true);
  view.setUint32(4, json.length, true);
  view.setUint32(8, crc32(json), true);
  bytes.set(json, INDEX_HEAD_BYTES);
  view.setFloat64(bytes.length - INDEX_TAIL_BYTES, offset, true);
  return bytes;
}
export function isIndexHead(bytes: Uint8Array): boolean {
  return bytes.length >= 4 && new DataView(bytes.buffer, bytes.byteOffset).getUint32(0, true) === INDEX_MAGIC;
}

/** The index at the end of a file; undefined when the file has none (it was not ended in order). */
export async function readIndex(file: Deno.FsFile): Promise<IndexEntry[] | undefined> {
  const { size } = await file.stat();
  const tail = await readAt(file, size - INDEX_TAIL_BYTES, INDEX_TAIL_BYTES);
  if (tail === undefined) return undefined;
  const offset = new DataView(tail.buffer).getFloat64(0, true);
  const length = size - offset - INDEX_TAIL_BYTES;
  if (!Number.isSafeInteger(offset) || offset < SEGMENT_MAGIC.length || length < INDEX_HEAD_BYTES) {
    return undefined;
  }
  const bytes = await readAt(file, offset, length);
  if (bytes === undefined || !isIndexHead(bytes)) return undefined;
  const json = bytes.subarray(INDEX_HEAD_BYTES);
  if (crc32(json) !== new DataView(bytes.buffer).getUint32(8, true)) return undefined;
  return JSON.parse(decoder.decode(json));
}

/** Exactly so many bytes, or undefined when the file has them not. */
export async function readAt(
  file: Deno.FsFile,
  offset: number,
  length: number,
): Promise<Uint8Array<ArrayBuffer> | undefined> {
  if (offset < 0 || length < 0) return undefined;
  const bytes = new Uint8Array(length);
  await file.seek(offset, Deno.SeekMode.Start);
  for (let filled = 0; filled < length;) {
    const read = await file.read(bytes.subarray(filled));
    if (read === null) return undefined;
    filled += read;
  }
  return bytes;
}
