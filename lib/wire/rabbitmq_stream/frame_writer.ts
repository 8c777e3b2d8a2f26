/**
 * Builds one frame: size, key, version, body, all big-endian. The size is patched in at the end. The bytes handed out
 * are the frame's own, so the writer may be used again at once.
 */
const encoder = new TextEncoder();
const VERSION = 1;
const SIZE_BYTES = 4;

export class FrameWriter {
  #bytes: Uint8Array<ArrayBuffer>;
  #view: DataView;
  #length = 0;

  constructor(capacity = 256) {
    this.#bytes = new Uint8Array(capacity);
    this.#view = new DataView(this.#bytes.buffer);
  }
  get length(): number {
    return this.#length;
  }
  /** Starts a frame of this command. */
  begin(key: number): this {
    this.#length = SIZE_BYTES;
    return this.u16(key).u16(VERSION);
  }
  /** The whole frame, as a copy. */
  end(): Uint8Array<ArrayBuffer> {
    this.#view.setUint32(0, this.#length - SIZE_BYTES);
    return this.#bytes.slice(0, this.#length);
  }
  /** What was written so far without a frame around it, as a copy. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.#bytes.slice(0, this.#length);
  }
  u8(value: number): this {
    this.#reserve(1);
    this.#bytes[this.#length++] = value;
    return this;
  }
  u16(value: number): this {
    this.#reserve(2);
    this.#view.setUint16(this.#length, value);
    this.#length += 2;
    return this;
  }
  u32(value: number): this {
    this.#reserve(4);
    this.#view.setUint32(this.#length, value);
    this.#length += 4;
    return this;
  }
  u64(value: bigint): this {
    this.#reserve(8);
    this.#view.setBigUint64(this.#length, value);
    this.#length += 8;
    return this;
  }
  /** Bytes as they are. */
  raw(part: Uint8Array): this {
    this.#reserve(part.length);
    this.#bytes.set(part, this.#length);
    this.#length += part.length;
    return this;
  }
  /** Bytes after their length, four bytes of it. */
  bytes(part: Uint8Array): this {
    return this.u32(part.length).raw(part);
  }
  /** Text after its length in bytes, two bytes of it. */
  string(text: string): this {
    const part = encoder.encode(text);
    return this.u16(part.length).raw(part);
  }
  /** A map of texts. */
  map(entries: Readonly<Record<string, string>>): this {
    const pairs = Object.entries(entries);
    this.u32(pairs.length);
    for (const [key, value] of pairs) this.string(key).string(value);
    return this;
  }
  /** Sets four bytes written before. */
  patchU32(at: number, value: number): void {
    this.#view.setUint32(at, value);
  }

  #reserve(count: number): void {
    const needed = this.#length + count;
    if (needed <= this.#bytes.length) return;
    const grown = new Uint8Array(Math.max(needed, this.#bytes.length * 2));
    grown.set(this.#bytes.subarray(0, this.#length));
    this.#bytes = grown;
    this.#view = new DataView(grown.buffer);
  }
}
