/**
 * Server-side WebSocket frames (RFC 6455 §5.2: FIN, unmasked, never fragmented) made once and shared by every receiver.
 * The payload is written after room for the longest header; the header then goes right in front of it, so a message is
 * copied once. Refuses: masking and reading — receiving is the library's work.
 */
import type { ByteWriter } from "./byte_writer.ts";

/** Two bytes, and eight more for a 64-bit length. */
const MAX_HEADER_BYTES = 10;
const FIN = 0x80;
const TEXT = 0x1;
const BINARY = 0x2;
const MAX_CONTROL_BYTES = 125;

export type ControlOpcode = 0x8 | 0x9 | 0xa;
export const PING: ControlOpcode = 0x9;
export const PONG: ControlOpcode = 0xa;

/** A whole frame, ready for the socket. Never changed after birth: many clients hold the same one. */
export type Frame = Uint8Array<ArrayBuffer>;

/** Empties the writer and leaves room for the header; write the payload next. */
export function beginFrame(writer: ByteWriter): void {
  writer.reset();
  writer.reserve(MAX_HEADER_BYTES);
  writer.length = MAX_HEADER_BYTES;
}

/** What was written since `beginFrame`, as one text frame in bytes of its own. */
export function endTextFrame(writer: ByteWriter): Frame {
  return endFrame(writer, TEXT);
}
/** The same as a binary frame. */
export function endBinaryFrame(writer: ByteWriter): Frame {
  return endFrame(writer, BINARY);
}

function endFrame(writer: ByteWriter, opcode: number): Frame {
  const { bytes, length: end } = writer;
  const length = end - MAX_HEADER_BYTES;
  let start = MAX_HEADER_BYTES;
  if (length < 126) {
    start -= 2;
    bytes[start + 1] = length;
  } else if (length < 0x10000) {
    start -= 4;
    bytes[start + 1] = 126;
    bytes[start + 2] = length >>> 8;
    bytes[start + 3] = length & 0xff;
  } else {
    start -= 10;
    bytes[start + 1] = 127;
    const view = new DataView(bytes.buffer, bytes.byteOffset);
    view.setUint32(start + 2, Math.floor(length / 0x1_0000_0000));
    view.setUint32(start + 6, length >>> 0);
  }
  bytes[start] = FIN | opcode;
  return bytes.slice(start, end);
}

/** A ping or pong with at most 125 bytes of payload (RFC 6455 §5.5); throws a RangeError above. */
export function controlFrame(opcode: ControlOpcode, payload: Uint8Array): Frame {
  if (payload.length > MAX_CONTROL_BYTES) {
    throw new RangeError(
      `frame a control payload: ${payload.length} bytes, want at most ${MAX_CONTROL_BYTES}`,
    );
  }
  const frame = new Uint8Array(2 + payload.length);
  frame[0] = FIN | opcode;
  frame[1] = payload.length;
  frame.set(payload, 2);
  return frame;
}
