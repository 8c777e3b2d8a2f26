/**
 * A server's WebSocket text frame as bytes (RFC 6455 §5.2: FIN, opcode 1, no mask). Built once per event and written to
 * every client's socket in bursts; the payload is not checked, for a mock must be able to send invalid UTF-8.
 */
import { Buffer } from "node:buffer";

const FIN_TEXT = 0x81;

export function textFrame(payload: string | Uint8Array): Buffer {
  const length = typeof payload === "string" ? Buffer.byteLength(payload) : payload.length;
  const header_bytes = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(header_bytes + length);
  frame[0] = FIN_TEXT;
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
