/**
 * Length-prefixed messages (doc/PROTOCOL-HTTP2.md): one byte that says compressed, four bytes of length, the message.
 * Requests here are a symbol and a number or two, so a small bound does; compressed ones are refused, which the standard
 * answers with UNIMPLEMENTED.
 */
import { GrpcError, RESOURCE_EXHAUSTED, UNIMPLEMENTED } from "./status.ts";

const PREFIX_BYTES = 5;
export const MAX_REQUEST_BYTES = 4_096;

/** The message with its prefix, in bytes that many calls may share. */
export function prefixed(message: Uint8Array): Uint8Array {
  const framed = new Uint8Array(PREFIX_BYTES + message.length);
  new DataView(framed.buffer).setUint32(1, message.length);
  framed.set(message, PREFIX_BYTES);
  return framed;
}

export class MessageReader {
  #bytes: Uint8Array = new Uint8Array(0);

  /** Bytes of a message that is not whole yet. */
  get pending_bytes(): number {
    return this.#bytes.length;
  }
  /** The messages that this piece completes. @throws GrpcError */
  take(piece: Uint8Array): Uint8Array[] {
    const bytes = new Uint8Array(this.#bytes.length + piece.length);
    bytes.set(this.#bytes);
    bytes.set(piece, this.#bytes.length);
    const messages: Uint8Array[] = [];
    let at = 0;
    while (bytes.length - at >= PREFIX_BYTES) {
      if (bytes[at] !== 0) {
        throw new GrpcError(UNIMPLEMENTED, "read the request: compressed, want it as it is (identity)");
      }
      const length = new DataView(bytes.buffer).getUint32(at + 1);
      if (length > MAX_REQUEST_BYTES) {
        const message = `read the request: ${length} bytes, want at most ${MAX_REQUEST_BYTES}`;
        throw new GrpcError(RESOURCE_EXHAUSTED, message);
      }
      if (bytes.length - at - PREFIX_BYTES < length) break;
      messages.push(bytes.slice(at + PREFIX_BYTES, at + PREFIX_BYTES + length));
      at += PREFIX_BYTES + length;
    }
    this.#bytes = bytes.slice(at);
    return messages;
  }
}
