/**
 * One server message and its WebSocket frame (RFC 6455 §5.2: FIN, opcode 1 or 2, no mask). The bytes are built once and
 * may be written to many sockets in bursts; the payload is not checked, for a mock must be able to send invalid UTF-8.
 */
import { Buffer } from "node:buffer";

const FIN_TEXT = 0x81;
const FIN_BINARY = 0x82;

export class WireFrame {
  #bytes: Buffer | undefined;

  /**
   * Parts of the payload (one level each) that a checksum inside it vouches for: a fault may turn a digit there into
   * another, and a right client must notice at this very frame.
   */
  readonly checked: readonly string[];

  /** @param payload a string goes as text, bytes go as binary */
  constructor(readonly payload: string | Uint8Array, { checked = [] }: { checked?: readonly string[] } = {}) {
    this.checked = checked;
  }

  /** WebSocket frame bytes; not to be written to. */
  bytes(): Buffer {
    return this.#bytes ??= frameBytes(this.payload, typeof this.payload === "string");
  }
}

/** @param is_text bytes that stand for a (perhaps broken) text keep their opcode */
export function frameBytes(payload: string | Uint8Array, is_text: boolean): Buffer {
  const length = typeof payload === "string" ? Buffer.byteLength(payload) : payload.length;
  const header_bytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header_bytes + length);
  frame[0] = is_text ? FIN_TEXT : FIN_BINARY;
  if (header_bytes === 2) {
    frame[1] = length;
  } else if (header_bytes === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeUInt32BE(0, 2);
    frame.writeUInt32BE(length, 6);
  }
  if (typeof payload === "string") frame.write(payload, header_bytes);
  else frame.set(payload, header_bytes);
  return frame;
}
