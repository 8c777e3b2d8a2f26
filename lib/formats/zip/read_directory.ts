/**
 * The table of contents of a zip, read strictly: every record where it must be, no byte that belongs to nobody, no two
 * entries over the same bytes. What a lenient unpacker and a strict one would read differently is refused by name.
 * Source: PKWARE APPNOTE 6.3.10, sections 4.3.7 to 4.5.3. Refuses: several disks, encryption, links.
 */
import { quoted, UserError } from "../../base/errors.ts";
import { nameFault } from "./entry_name.ts";
import { MAX_ENTRIES } from "./manifest.ts";

/** Reads exactly `length` bytes at `offset`, or throws. */
export type ReadAt = (offset: number, length: number) => Promise<Uint8Array>;

export interface ZipEntry {
  name: string;
  /** 0 stored, 8 deflated. */
  method: 0 | 8;
  crc32: number;
  bytes: number;
  packed_bytes: number;
  /** Permission bits; undefined when the archive does not say. */
  mode: number | undefined;
  /** Where the packed bytes begin. */
  data_offset: number;
}

const [LOCAL, CENTRAL, END, END64, LOCATOR64, DESCRIPTOR] = [
  0x04034b50,
  0x02014b50,
  0x06054b50,
  0x06064b50,
  0x07064b50,
  0x08074b50,
];
const END_BYTES = 22;
const MAX_COMMENT = 0xffff;
const MAX_DIRECTORY_BYTES = 64 * 1024 * 1024;
/** deflate cannot do better: 258 bytes for two bits. */
const MAX_RATIO = 1_032;

interface Central {
  name: string;
  flags: number;
  method: number;
  crc32: number;
  packed_bytes: number;
  bytes: number;
  attributes: number;
  made_by: number;
  offset: number;
}

/** All entries in file order. Throws a UserError at the first thing that is not as it must be. */
export async function readDirectory(readAt: ReadAt, size: number): Promise<ZipEntry[]> {
  const end = await findEnd(readAt, size);
  if (end.count > MAX_ENTRIES) throw fault(`${end.count} entries, want at most ${MAX_ENTRIES}`);
  if (end.length > MAX_DIRECTORY_BYTES) {
    throw fault(`a directory of ${end.length} bytes, want at most ${MAX_DIRECTORY_BYTES}`);
  }
  if (end.offset + end.length !== end.record_offset) {
    throw fault("the directory is not where the end record says");
  }
  const records = parseDirectory(await readAt(end.offset, end.length), end.count);
  const names = new Set<string>();
  for (const { name } of records) {
    if (names.has(name)) throw fault(`two entries are called ${quoted(name)}, want one`);
    names.add(name);
  }
  const entries: ZipEntry[] = [];
  let at = 0;
  for (const record of records.toSorted((a, b) => a.offset - b.offset)) {
    if (record.offset !== at) {
      const what = record.offset < at
        ? "overlaps the entry before it"
        : "follows bytes that belong to no entry";
      throw fault(`entry ${quoted(record.name)} ${what}`);
    }
    const { entry, end: next } = await locate(readAt, record, end.offset);
    entries.push(entry);
    at = next;
  }
  if (at !== end.offset) throw fault("bytes before the directory belong to no entry");
  return entries;
}

async function findEnd(readAt: ReadAt, size: number) {
  if (size < END_BYTES) throw fault("too short, want a zip");
  const tail_length = Math.min(size, END_BYTES + MAX_COMMENT);
  const tail = viewOf(await readAt(size - tail_length, tail_length));
  let at = tail_length - END_BYTES;
  while (
    at >= 0 && !(tail.getUint32(at, true) === END && at + END_BYTES + u16(tail, at + 20) === tail_length)
  ) at--;
  if (at < 0) throw fault("no end record, want a whole zip");
  if (u16(tail, at + 4) !== 0 || u16(tail, at + 6) !== 0) throw fault("part of several disks, want one file");
  const record_offset = size - tail_length + at;
  const end = {
    count: u16(tail, at + 10),
    length: u32(tail, at + 12),
    offset: u32(tail, at + 16),
    record_offset,
  };
  if (end.count !== 0xffff && end.length !== 0xffffffff && end.offset !== 0xffffffff) return end;
  const locator = viewOf(await readAt(record_offset - 20, 20));
  if (u32(locator, 0) !== LOCATOR64) throw fault("no zip64 locator before the end record");
  const record64 = u64(locator, 8);
  const wide = viewOf(await readAt(record64, 56));
  if (u32(wide, 0) !== END64 || record64 + 12 + u64(wide, 4) !== record_offset - 20) {
    throw fault("the zip64 end record is damaged");
  }
  return { count: u64(wide, 32), length: u64(wide, 40), offset: u64(wide, 48), record_offset: record64 };
}

function parseDirectory(bytes: Uint8Array, count: number): Central[] {
  const view = viewOf(bytes);
  const records: Central[] = [];
  let at = 0;
  for (let i = 0; i < count; i++) {
    if (at + 46 > bytes.length || u32(view, at) !== CENTRAL) {
      throw fault(`record ${i + 1} of the directory is damaged`);
    }
    const [name_length, extra_length, comment_length] = [28, 30, 32].map((field) => u16(view, at + field));
    const next = at + 46 + name_length + extra_length + comment_length;
    if (next > bytes.length) throw fault(`record ${i + 1} of the directory is cut off`);
    const name = nameOf(bytes.subarray(at + 46, at + 46 + name_length));
    const record: Central = {
      name,
      made_by: view.getUint8(at + 5),
      flags: u16(view, at + 8),
      method: u16(view, at + 10),
      crc32: u32(view, at + 16),
      packed_bytes: u32(view, at + 20),
      bytes: u32(view, at + 24),
      attributes: u32(view, at + 38),
      offset: u32(view, at + 42),
    };
    widen(record, view, at + 46 + name_length, extra_length);
    judge(record);
    records.push(record);
    at = next;
  }
  if (at !== bytes.length) throw fault("the directory is longer than its records");
  return records;
}

/** The zip64 field holds, in this order, those numbers that did not fit. */
function widen(record: Central, view: DataView, at: number, length: number): void {
  const end = at + length;
  while (at + 4 <= end) {
    const [id, field_length] = [u16(view, at), u16(view, at + 2)];
    const field_end = at + 4 + field_length;
    if (field_end > end) throw fault(`entry ${quoted(record.name)}: a damaged extra field`);
    if (id === 1) {
      let from = at + 4;
      for (const key of ["bytes", "packed_bytes", "offset"] as const) {
        if (record[key] !== 0xffffffff) continue;
        if (from + 8 > field_end) throw fault(`entry ${quoted(record.name)}: a damaged zip64 field`);
        record[key] = u64(view, from);
        from += 8;
      }
    }
    at = field_end;
  }
}

function judge({ name, flags, method, bytes, packed_bytes, attributes, made_by }: Central): void {
  const refuse = (reason: string) => fault(`entry ${quoted(name)}: ${reason}`);
  const wrong_name = nameFault(name);
  if (wrong_name) throw refuse(wrong_name);
  if (flags & 0x2041) throw refuse("encrypted, want a plain entry");
  if (method !== 0 && method !== 8) throw refuse(`compression method ${method}, want stored or deflated`);
  if (method === 0 && bytes !== packed_bytes) throw refuse("stored, but its two sizes differ");
  if (bytes > packed_bytes * MAX_RATIO) throw refuse("larger than its packed bytes can give");
  if (name.endsWith("/") && bytes > 0) throw refuse("a folder with content");
  const kind = (attributes >>> 16) & 0o170000;
  if (made_by === 3 && kind !== 0 && kind !== 0o100000 && kind !== 0o040000) {
    throw refuse("a link or a device, want files and folders only");
  }
}

async function locate(
  readAt: ReadAt,
  record: Central,
  limit: number,
): Promise<{ entry: ZipEntry; end: number }> {
  const refuse = (reason: string) => fault(`entry ${quoted(record.name)}: ${reason}`);
  if (record.offset + 30 > limit) throw refuse("its header lies outside the archive");
  const head = viewOf(await readAt(record.offset, 30));
  if (u32(head, 0) !== LOCAL) throw refuse("no header where the directory says");
  const [name_length, extra_length] = [u16(head, 26), u16(head, 28)];
  const data_offset = record.offset + 30 + name_length + extra_length;
  if (data_offset + record.packed_bytes > limit) throw refuse("its bytes lie outside the archive");
  if (nameOf(await readAt(record.offset + 30, name_length)) !== record.name) {
    throw refuse("its own header has another name");
  }
  if (u16(head, 6) !== record.flags || u16(head, 8) !== record.method) throw refuse("its own header differs");
  const has_descriptor = (record.flags & 8) !== 0;
  if (!sizesAgree(head, record, has_descriptor)) throw refuse("its own header differs");
  const data_end = data_offset + record.packed_bytes;
  const { attributes, made_by, name, crc32, bytes, packed_bytes } = record;
  const mode = made_by === 3 && attributes >>> 16 !== 0 ? (attributes >>> 16) & 0o7777 : undefined;
  return {
    entry: { name, method: record.method as 0 | 8, crc32, bytes, packed_bytes, mode, data_offset },
    end: has_descriptor ? data_end + await descriptorLength(readAt, record, data_end, limit) : data_end,
  };
}

/** The entry's own header says the same, or "see zip64", or, with a record after the bytes, nothing. */
function sizesAgree(
  head: DataView,
  { bytes, packed_bytes, crc32 }: Central,
  has_descriptor: boolean,
): boolean {
  const agrees = (stated: number, known: number) =>
    stated === known || stated === 0xffffffff || (has_descriptor && stated === 0);
  return agrees(u32(head, 14), crc32) && agrees(u32(head, 18), packed_bytes) && agrees(u32(head, 22), bytes);
}

/** With zip64 its sizes have eight bytes each; which it is, only the numbers themselves tell. */
async function descriptorLength(readAt: ReadAt, record: Central, at: number, limit: number): Promise<number> {
  const view = viewOf(await readAt(at, Math.min(24, limit - at)));
  if (view.byteLength >= 16 && u32(view, 0) === DESCRIPTOR && u32(view, 4) === record.crc32) {
    const is_wide = view.byteLength === 24 && view.getBigUint64(8, true) === BigInt(record.packed_bytes) &&
      view.getBigUint64(16, true) === BigInt(record.bytes);
    if (is_wide) return 24;
    if (u32(view, 8) === record.packed_bytes && u32(view, 12) === record.bytes) return 16;
  }
  throw fault(`entry ${quoted(record.name)}: the record after its bytes differs from the directory`);
}

function nameOf(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw fault(`the name ${quoted(new TextDecoder().decode(bytes))} is not UTF-8`);
  }
}

const viewOf = (bytes: Uint8Array) => new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
const u16 = (view: DataView, at: number) => view.getUint16(at, true);
const u32 = (view: DataView, at: number) => view.getUint32(at, true);

function u64(view: DataView, at: number): number {
  const value = view.getUint32(at + 4, true) * 2 ** 32 + view.getUint32(at, true);
  if (!Number.isSafeInteger(value)) throw fault("a size or offset beyond all files");
  return value;
}

function fault(reason: string): UserError {
  return new UserError(`read archive: ${reason}`);
}
