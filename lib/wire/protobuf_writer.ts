/** Writes protobuf fields, for mocks and tests: slow and obvious. Source: Protocol Buffers, "Encoding". */
export class ProtobufWriter {
  readonly #bytes: number[] = [];

  int(field: number, value: bigint): this {
    this.#varint(BigInt(field) << 3n);
    return this.#varint(BigInt.asUintN(64, value));
  }
  sint(field: number, value: bigint): this {
    return this.int(field, BigInt.asUintN(64, (value << 1n) ^ (value >> 63n)));
  }
  float(field: number, value: number): this {
    return this.#tagged(field, 5, new Uint8Array(Float32Array.of(value).buffer));
  }
  double(field: number, value: number): this {
    return this.#tagged(field, 1, new Uint8Array(Float64Array.of(value).buffer));
  }
  text(field: number, value: string): this {
    return this.message(field, new TextEncoder().encode(value));
  }
  message(field: number, value: Uint8Array): this {
    this.#varint((BigInt(field) << 3n) | 2n);
    this.#varint(BigInt(value.length));
    this.#bytes.push(...value);
    return this;
  }
  bytes(): Uint8Array<ArrayBuffer> {
    return Uint8Array.from(this.#bytes);
  }

  #tagged(field: number, wire: number, value: Uint8Array): this {
    this.#varint((BigInt(field) << 3n) | BigInt(wire));
    this.#bytes.push(...value);
    return this;
  }
  #varint(value: bigint): this {
    while (value > 127n) {
      this.#bytes.push(Number(value & 127n) | 128);
      value >>= 7n;
    }
    this.#bytes.push(Number(value));
    return this;
  }
}
