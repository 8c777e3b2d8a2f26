/**
 * Cuts a byte stream into frames: four bytes of size, then the body. Keeps what is incomplete, never more than one frame
 * of the agreed size: a larger one is refused before its bytes are awaited.
 */
const SIZE_BYTES = 4;
const NOTHING = new Uint8Array(0);

export class FrameSplitter {
  #rest: Uint8Array<ArrayBuffer> = NOTHING;

  constructor(public max_bytes: number) {}

  /** The bodies that `chunk` completes, in order; views into it or into bytes of their own. Throws on an oversized frame. */
  push(chunk: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer>[] {
    const bytes = this.#joined(chunk);
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    const bodies: Uint8Array<ArrayBuffer>[] = [];
    let at = 0;
    while (bytes.length - at >= SIZE_BYTES) {
      const size = view.getUint32(at);
      if (size > this.max_bytes) {
        throw new RangeError(`read frame: ${size} bytes, want at most ${this.max_bytes}`);
      }
      if (bytes.length - at - SIZE_BYTES < size) break;
      bodies.push(bytes.subarray(at + SIZE_BYTES, at + SIZE_BYTES + size));
      at += SIZE_BYTES + size;
    }
    // A copy: the caller's buffer is used again.
    this.#rest = at === bytes.length ? NOTHING : bytes.slice(at);
    return bodies;
  }

  #joined(chunk: Uint8Array<ArrayBuffer>): Uint8Array<ArrayBuffer> {
    if (this.#rest.length === 0) return chunk;
    const joined = new Uint8Array(this.#rest.length + chunk.length);
    joined.set(this.#rest);
    joined.set(chunk, this.#rest.length);
    return joined;
  }
}
