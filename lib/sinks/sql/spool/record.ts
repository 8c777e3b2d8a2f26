/**
 * One record of a spool segment: a header with lengths, order and checksum, then the table's name and the rows. A record
 * that was torn by a crash, or rotted, is recognised and never read as rows.
 *
 *   0  u32  magic            16  u32  rows
 *   4  u32  length of body   20  u32  length of the table's name
 *   8  f64  sequence         24  u32  crc32 of bytes 4 … 23 and the body
 *                            28  body: name, rows (UTF-8)
 */
import { crc32 } from "node:zlib";

export const HEADER_BYTES = 28;
const MAGIC = 0x4d44_4731;
/** No batch is that large; a length beyond it is damage, and must not cost memory. */
export const MAX_BODY_BYTES = 256 * 1024 * 1024;

export interface SpoolRecord {
  /** Rises over all records of a spool: the order of loading. */
  readonly sequence: number;
  readonly table: string;
  readonly rows: string;
  readonly count: number;
}

const encoder = new TextEncoder();
const decoder = new TextDecoder();

export function encodeRecord(record: SpoolRecord): Uint8Array<ArrayBuffer> {
  const name = encoder.encode(record.table);
  const rows = encoder.encode(record.rows);
  const bytes = new Uint8Array(HEADER_BYTES + name.length + rows.length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, MAGIC, true);
  view.setUint32(4, name.length + rows.length, true);
  view.setFloat64(8, record.sequence, true);
  view.setUint32(16, record.count, true);
  view.setUint32(20, name.length, true);
  bytes.set(name, HEADER_BYTES);
  bytes.set(rows, HEADER_BYTES + name.length);
  view.setUint32(24, checksum(bytes), true);
  return bytes;
}

/** The length of the whole record that begins with this header; undefined when it is none. */
export function recordLength(header: Uint8Array): number | undefined {
  if (header.length < HEADER_BYTES) return undefined;
  const view = new DataView(header.buffer, header.byteOffset, HEADER_BYTES);
  const body = view.getUint32(4, true);
  const is_record = view.getUint32(0, true) === MAGIC && body <= MAX_BODY_BYTES &&
    view.getUint32(20, true) <= body;
  return is_record ? HEADER_BYTES + body : undefined;
}

/** Undefined when the checksum does not fit. `bytes` is one whole record. */
export function decodeRecord(bytes: Uint8Array): SpoolRecord | undefined {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (view.getUint32(24, true) !== checksum(bytes)) return undefined;
  const name_end = HEADER_BYTES + view.getUint32(20, true);
  return {
    sequence: view.getFloat64(8, true),
    table: decoder.decode(bytes.subarray(HEADER_BYTES, name_end)),
    rows: decoder.decode(bytes.subarray(name_end)),
    count: view.getUint32(16, true),
  };
}

function checksum(record: Uint8Array): number {
  return crc32(record.subarray(HEADER_BYTES), crc32(record.subarray(4, 24)));
}
