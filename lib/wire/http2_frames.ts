/**
 * Walks the frames of one direction of an HTTP/2 connection (RFC 9113 §4.1: length 24, type 8, flags 8, R and stream 32)
 * as its bytes pass by, in whatever pieces. Reads headers only, keeps nothing of the payload.
 */
const HEADER_BYTES = 9;

/** What a client sends before its first frame (RFC 9113 §3.4). */
export const PREFACE_BYTES = 24;

export const DATA = 0x0;
export const PRIORITY = 0x2;
export const RST_STREAM = 0x3;
export const SETTINGS = 0x4;
export const PING = 0x6;

export interface FrameReader {
  /** A header has gone by. */
  onFrame?(type: number, stream: number): void;
  /** So much of a frame's payload is in this piece. */
  onPayload?(type: number, stream: number, bytes: number): void;
}

export class Http2Frames {
  readonly #header = new Uint8Array(HEADER_BYTES);
  #header_bytes = 0;
  #left: number;
  #type = -1;
  #stream = 0;

  /** `skip_bytes`: what comes before the first frame. */
  constructor(readonly reader: FrameReader, skip_bytes = 0) {
    this.#left = skip_bytes;
  }
  pass(piece: Uint8Array): void {
    let at = 0;
    while (at < piece.length) {
      if (this.#left > 0) {
        const bytes = Math.min(this.#left, piece.length - at);
        if (this.#type >= 0) this.reader.onPayload?.(this.#type, this.#stream, bytes);
        this.#left -= bytes;
        at += bytes;
        continue;
      }
      while (this.#header_bytes < HEADER_BYTES && at < piece.length) {
        this.#header[this.#header_bytes++] = piece[at++];
      }
      if (this.#header_bytes < HEADER_BYTES) return;
      const header = this.#header;
      this.#header_bytes = 0;
      this.#left = (header[0] << 16) | (header[1] << 8) | header[2];
      this.#type = header[3];
      this.#stream = ((header[5] & 0x7f) << 24) | (header[6] << 16) | (header[7] << 8) | header[8];
      this.reader.onFrame?.(this.#type, this.#stream);
    }
  }
}
