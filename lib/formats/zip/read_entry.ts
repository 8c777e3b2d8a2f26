/**
 * The content of one entry, streamed and bounded: never more bytes than the directory says, and not fewer, and with its
 * checksum. Compressed bytes are read in large pieces and inflated in small ones, because everything that a piece inflates
 * to (a thousand times its size, if it is a bomb) comes out at once.
 */
import { crc32 } from "node:zlib";
import { quoted, UserError } from "../../base/errors.ts";
import type { ReadAt, ZipEntry } from "./read_directory.ts";

const PIECE_BYTES = 64 * 1024;
/** Gives at most about 4 MiB of plain bytes. */
const INFLATED_PIECE_BYTES = 4 * 1024;

/** A piece is valid until the next one is asked for. */
export async function* readEntry(readAt: ReadAt, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  const refuse = (reason: string) => new UserError(`read archive: entry ${quoted(entry.name)}: ${reason}`);
  const content = entry.method === 0
    ? packed(readAt, entry)
    : inflated(readAt, entry, () => refuse("its packed bytes are damaged"));
  let bytes = 0;
  let sum = 0;
  for await (const piece of content) {
    bytes += piece.length;
    if (bytes > entry.bytes) throw refuse(`more than the ${entry.bytes} bytes that it says it has`);
    sum = crc32(piece, sum);
    yield piece;
    // freed now: the collector counts such memory late, and a bomb makes much of it
    (piece.buffer as ArrayBuffer).transfer(0);
  }
  if (bytes < entry.bytes) throw refuse(`${bytes} bytes, but it says it has ${entry.bytes}`);
  if (sum !== entry.crc32) throw refuse("its checksum differs");
}

async function* packed(readAt: ReadAt, entry: ZipEntry): AsyncGenerator<Uint8Array> {
  for (let done = 0; done < entry.packed_bytes; done += PIECE_BYTES) {
    yield await readAt(entry.data_offset + done, Math.min(PIECE_BYTES, entry.packed_bytes - done));
  }
}

async function* inflated(
  readAt: ReadAt,
  entry: ZipEntry,
  damaged: () => UserError,
): AsyncGenerator<Uint8Array> {
  const source = ReadableStream.from(inSmallPieces(packed(readAt, entry)));
  const reader = source.pipeThrough(new DecompressionStream("deflate-raw")).getReader();
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

async function* inSmallPieces(pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array<ArrayBuffer>> {
  for await (const piece of pieces) {
    for (let at = 0; at < piece.length; at += INFLATED_PIECE_BYTES) {
      yield piece.subarray(at, at + INFLATED_PIECE_BYTES) as Uint8Array<ArrayBuffer>;
    }
  }
}
