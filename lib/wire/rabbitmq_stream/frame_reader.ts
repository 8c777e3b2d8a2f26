/**
 * Reads the body of one frame, all big-endian. Reading past its end throws: a broken frame is an error of the
 * connection, never a wrong value.
 */
const decoder = new TextDecoder();

export class FrameReader {
  readonly #view: DataView;
  #at = 0;

  constructor(readonly body: Uint8Array<ArrayBuffer>) {
    this.#view = new DataView(body.buffer, body.byteOffset, body.byteLength);
  }
  /** Bytes not yet read. */
  get left(): number {
    return this.body.length - this.#at;
  }
  u8(): number {
    return this.#view.getUint8(this.#take(1));
  }
  u16(): number {
    return this.#view.getUint16(this.#take(2));
  }
  u32(): number {
    return this.#view.getUint32(this.#take(4));
  }
  i32(): number {
    return this.#view.getInt32(this.#take(4));
  }
  u64(): bigint {
    return this.#view.getBigUint64(this.#take(8));
  }
  i64(): bigint {
    return this.#view.getBigInt64(this.#take(8));
  }
  f32(): number {
    return this.#view.getFloat32(this.#take(4));
  }
  f64(): number {
    return this.#view.getFloat64(this.#take(8));
  }
  /** A view, not a copy. */
  bytes(count: number): Uint8Array<ArrayBuffer> {
    const at = this.#take(count);
    return this.body.subarray(at, at + count);
  }
  text(count: number): string {
    return decoder.decode(this.bytes(count));
  }
  /** Text after two bytes of length; −1 is null, read as "". */
  string(): string {
    const count = this.u16();
    return count === 0xffff ? "" : this.text(count);
  }
  map(): Map<string, string> {
    const entries = new Map<string, string>();
    for (let left = this.u32(); left > 0; left--) entries.set(this.string(), this.string());
    return entries;
  }

  #take(count: number): number {
    const at = this.#at;
    if (count > this.left) throw new RangeError(`read frame: ${this.left} bytes left, want ${count}`);
    this.#at = at + count;
    return at;
  }
}
