/**
 * The content of one entry, streamed and bounded: never more bytes than the directory says, and not fewer, and with its
 * checksum. Compressed bytes go in by small pieces, so that what comes out at once is small as well.
 */
import { crc32 } from "node:zlib";
import { quoted, UserError } from "../../base/errors.ts";
import type { ReadAt, ZipEntry } from "./read_directory.ts";

/** Gives at most about 16 MiB of plain bytes each. */
const PACKED_PIECE_BYTES = 16 * 1024;
const STORED_PIECE_BYTES = 256 * 1024;

export async function* readEntry(readAt: ReadAt, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const refuse = (reason: string) => new UserError(`read archive: entry ${quoted(entry.name)}: ${reason}`);
  const content = entry.method === 0
    ? packed(readAt, entry, STORED_PIECE_BYTES)
    : inflated(packed(readAt, entry, PACKED_PIECE_BYTES), () => refuse("its packed bytes are damaged"));
  let bytes = 0;
  let sum = 0;
  for await (const piece of content) {
    bytes += piece.length;
    if (bytes > entry.bytes) throw refuse(`more than the ${entry.bytes} bytes that it says it has`);
    sum = crc32(piece, sum);
    yield piece;
  }
  if (bytes < entry.bytes) throw refuse(`${bytes} bytes, but it says it has ${entry.bytes}`);
  if (sum !== entry.crc32) throw refuse("its checksum differs");
}

async function* packed(
  readAt: ReadAt,
  entry: ZipEntry,
  piece_bytes: number,
): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for (let done = 0; done < entry.packed_bytes; done += piece_bytes) {
    const length = Math.min(piece_bytes, entry.packed_bytes - done);
    yield await readAt(entry.data_offset + done, length) as Uint8Array<ArrayBuffer>;
  }
}

async function* inflated(
  source: AsyncGenerator<Uint8Array<ArrayBuffer>>,
  damaged: () => UserError,
): AsyncGenerator<Uint8Array> {
  const reader = ReadableStream.from(source).pipeThrough(new DecompressionStream("deflate-raw")).getReader();
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return;
      yield value;
    }
  } catch (error) {
    throw error instanceof UserError ? error : damaged();
  } finally {
    await reader.cancel().catch(() => {});
  }
}
