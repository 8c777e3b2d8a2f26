/**
 * Text frames whose payload is a short head of the receiver's own and a long tail that many receivers share: the tail is
 * encoded, and where asked for compressed, once. A compressed message is a stored deflate block with the head followed
 * by the shared blocks of the tail; as those only refer to themselves, it is right for every receiver, whatever it
 * decoded before (RFC 1951 §3.2.4, RFC 7692 §7.2.1). Refuses: masks and fragments.
 */
import { constants, deflateRawSync } from "node:zlib";
import type { ByteWriter } from "./byte_writer.ts";

const FIN_TEXT = 0x81;
const RSV1 = 0x40;
/** Two bytes, and eight more for a 64-bit length. */
const MAX_HEADER_BYTES = 10;
/** Block type and length of a stored deflate block that starts on a byte boundary. */
const STORED_BLOCK_BYTES = 5;
/** A flush ends in an empty block whose last four bytes the receiver adds by itself (RFC 7692 §7.2.1). */
const FLUSH_MARK_BYTES = 4;
const MAX_STORED_BYTES = 65_535;
/** Books are repetitive: a higher level costs three times as much for a few percent. */
const COMPRESSION_LEVEL = 3;

/** The bytes that `head` may add to a frame beside itself and the tail. */
export const MAX_FRAMING_BYTES = MAX_HEADER_BYTES + STORED_BLOCK_BYTES;

/** The shared part of a message. Never changed after birth. */
export class SharedTail {
  #deflated: Uint8Array | undefined;
  constructor(readonly plain: Uint8Array) {}
  /** Raw deflate blocks, made on first use. */
  get deflated(): Uint8Array {
    return this.#deflated ??= deflateRawSync(this.plain, {
      finishFlush: constants.Z_SYNC_FLUSH,
      level: COMPRESSION_LEVEL,
    }).subarray(0, -FLUSH_MARK_BYTES);
  }
}

/** Appends one frame: `head` (ASCII or UTF-8 bytes, at most 65,535) and the tail. */
export function writeHeadedFrame(
  writer: ByteWriter,
  head: Uint8Array,
  tail: SharedTail,
  compressed: boolean,
): void {
  if (!compressed) {
    writeHeader(writer, FIN_TEXT, head.length + tail.plain.length);
    writer.raw(head);
    writer.raw(tail.plain);
    return;
  }
  if (head.length > MAX_STORED_BYTES) {
    throw new RangeError(`frame a head: ${head.length} bytes, want at most ${MAX_STORED_BYTES}`);
  }
  const { deflated } = tail;
  writeHeader(writer, FIN_TEXT | RSV1, STORED_BLOCK_BYTES + head.length + deflated.length);
  writer.byte(0);
  writer.byte(head.length & 0xff);
  writer.byte(head.length >>> 8);
  writer.byte(~head.length & 0xff);
  writer.byte((~head.length >>> 8) & 0xff);
  writer.raw(head);
  writer.raw(deflated);
}

function writeHeader(writer: ByteWriter, first: number, length: number): void {
  writer.byte(first);
  if (length < 126) return writer.byte(length);
  if (length < 0x10000) {
    writer.byte(126);
  } else {
    writer.byte(127);
    for (let i = 0; i < 4; i++) writer.byte(0);
    writer.byte(length >>> 24);
    writer.byte((length >>> 16) & 0xff);
  }
  writer.byte((length >>> 8) & 0xff);
  writer.byte(length & 0xff);
}
