/**
 * Protobuf messages for mocks that speak them, field by field in the order of the calls: wire types 0, 1, 2 and 5
 * (Protocol Buffers, "Encoding"). Whatever is written is there; leaving out proto3's defaults is the caller's affair.
 */
import { Buffer } from "node:buffer";

const VARINT = 0n;
const FIXED64 = 1n;
const BYTES = 2n;
const FIXED32 = 5n;

export class ProtobufWriter {
  readonly #parts: Uint8Array[] = [];

  /** int32, int64, uint64, bool, enum; negative numbers take ten bytes. */
  integer(field: number, value: number | bigint): this {
    return this.#varint(tagOf(field, VARINT)).#varint(BigInt.asUintN(64, BigInt(value)));
  }
  /** sint32, sint64. */
  zigzag(field: number, value: number | bigint): this {
    const whole = BigInt(value);
    return this.integer(field, (whole << 1n) ^ (whole >> 63n));
  }
  text(field: number, value: string): this {
    return this.bytes(field, Buffer.from(value));
  }
  bytes(field: number, value: Uint8Array): this {
    this.#varint(tagOf(field, BYTES)).#varint(BigInt(value.length)).#parts.push(value);
    return this;
  }
  /** A message within. */
  message(field: number, inner: ProtobufWriter): this {
    return this.bytes(field, inner.finish());
  }
  float32(field: number, value: number): this {
    const bytes = Buffer.alloc(4);
    bytes.writeFloatLE(value);
    this.#varint(tagOf(field, FIXED32)).#parts.push(bytes);
    return this;
  }
  float64(field: number, value: number): this {
    const bytes = Buffer.alloc(8);
    bytes.writeDoubleLE(value);
    this.#varint(tagOf(field, FIXED64)).#parts.push(bytes);
    return this;
  }
  finish(): Uint8Array {
    return new Uint8Array(Buffer.concat(this.#parts));
  }

  #varint(value: bigint): this {
    const bytes: number[] = [];
    for (let rest = value;;) {
      const low = Number(rest & 0x7fn);
      rest >>= 7n;
      bytes.push(rest > 0n ? low | 0x80 : low);
      if (rest === 0n) break;
    }
    this.#parts.push(Uint8Array.from(bytes));
    return this;
  }
}

function tagOf(field: number, wire: bigint): bigint {
  return BigInt(field) << 3n | wire;
}
