/**
 * Reads protobuf messages field by field straight from frame bytes: no schema compiler, nothing allocated per field.
 * `next` stands on a field; read its value by the method that fits, or pass on and it is skipped. Wire types 0, 1, 2 and 5
 * (Protocol Buffers, "Encoding"); groups (3, 4) are refused as malformed, as are lengths past the end.
 * A bad message sets `failed` and ends; callers look once, at the end.
 */

const MAX_VARINT_BYTES = 10;
const VARINT = 0;
const FIXED64 = 1;
const BYTES = 2;
const FIXED32 = 5;
const TWO_TO_25 = 2 ** 25;
const TWO_TO_28 = 2 ** 28;

export class ProtobufReader {
  #bytes: Uint8Array = new Uint8Array(0);
  #view = new DataView(this.#bytes.buffer);
  #at = 0;
  #end = 0;
  #value_at = 0;
  #value_start = 0;
  #low = 0;
  #high = 0;
  /** Number and wire type of the field that `next` found. */
  field = 0;
  wire = 0;
  failed = false;

  /** Begins a message: all of `bytes`, or the part [start, end). */
  open(bytes: Uint8Array, start = 0, end = bytes.length): void {
    if (this.#bytes.buffer !== bytes.buffer || this.#bytes.byteOffset !== bytes.byteOffset) {
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    this.failed = end > bytes.length || start > end;
    if (this.failed) this.#end = start;
  }
  /** Moves to the next field; false at the end, also of a bad message. */
  next(): boolean {
    if (this.#at >= this.#end) return false;
    const tag = this.#varint();
    this.field = Math.floor(tag / 8);
    this.wire = tag % 8;
    this.#value_at = this.#at;
    if (this.failed || this.field === 0 || tag > 0xffff_ffff) return this.#fail();
    switch (this.wire) {
      case VARINT:
        this.#skipVarint();
        break;
      case FIXED64:
        this.#at += 8;
        break;
      case BYTES:
        this.#skipBytes();
        break;
      case FIXED32:
        this.#at += 4;
        break;
      default:
        return this.#fail();
    }
    return this.failed || this.#at > this.#end ? this.#fail() : true;
  }
  /** Where the value of a length-delimited field lies in the bytes given to `open`. */
  get start(): number {
    return this.#value_start;
  }
  get end(): number {
    return this.#at;
  }
  /** An unsigned varint; NaN past 2^53, or when the field is none. */
  uint(): number {
    if (this.wire !== VARINT) return NaN;
    this.#readHalves();
    return this.#high < TWO_TO_25 ? this.#high * TWO_TO_28 + this.#low : NaN;
  }
  /** An int64 varint: two's complement in 64 bits; NaN past ±2^53. */
  int(): number {
    const value = this.uint();
    return Number.isNaN(value) && this.wire === VARINT ? safe(BigInt.asIntN(64, this.#big())) : value;
  }
  /** A zigzag varint (sint64); NaN past ±2^53. */
  sint(): number {
    const value = this.uint();
    if (!Number.isNaN(value)) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    if (this.wire !== VARINT) return NaN;
    const big = BigInt.asUintN(64, this.#big());
    return safe((big >> 1n) ^ -(big & 1n));
  }
  float(): number {
    return this.wire === FIXED32 ? this.#view.getFloat32(this.#value_at, true) : NaN;
  }
  double(): number {
    return this.wire === FIXED64 ? this.#view.getFloat64(this.#value_at, true) : NaN;
  }
  /** The bytes of a length-delimited field as UTF-8; undefined when the field is none, or no UTF-8. */
  text(): string | undefined {
    if (this.wire !== BYTES) return undefined;
    try {
      return decoder.decode(this.#bytes.subarray(this.start, this.end));
    } catch {
      return undefined;
    }
  }

  #fail(): false {
    this.failed = true;
    this.#at = this.#end;
    return false;
  }
  #skipBytes(): void {
    const length = this.#varint();
    this.#value_start = this.#at;
    if (!(length <= this.#end - this.#at)) this.failed = true;
    else this.#at += length;
  }
  #skipVarint(): void {
    const limit = Math.min(this.#end, this.#at + MAX_VARINT_BYTES);
    while (this.#at < limit) if (this.#bytes[this.#at++] < 0x80) return;
    this.failed = true;
  }
  /** A tag or a length. */
  #varint(): number {
    let value = 0;
    let scale = 1;
    const limit = Math.min(this.#end, this.#at + 5);
    while (this.#at < limit) {
      const byte = this.#bytes[this.#at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
    this.failed = true;
    return 0;
  }
  /** The low 28 bits and the rest of the varint at hand. */
  #readHalves(): void {
    let low = 0;
    let high = 0;
    let scale = 1;
    for (let i = 0, p = this.#value_at; p < this.#at; i++, p++) {
      if (i === 4) scale = 1;
      const bits = (this.#bytes[p] & 0x7f) * scale;
      if (i < 4) low += bits;
      else high += bits;
      scale *= 128;
    }
    this.#low = low;
    this.#high = high;
  }
  #big(): bigint {
    return (BigInt(this.#high) << 28n) | BigInt(this.#low);
  }
}

function safe(value: bigint): number {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : NaN;
}

const decoder = new TextDecoder("utf-8", { fatal: true });
