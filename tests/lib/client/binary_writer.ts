/** The binary form written once more from the protocol's text, for the reader's tests: plain, slow, on numbers and texts. */
export class BinaryWriter {
  readonly bytes: number[] = [];

  byte(value: number): this {
    this.bytes.push(value);
    return this;
  }
  varint(value: number): this {
    let rest = BigInt(value);
    while (rest >= 128n) {
      this.bytes.push(Number(rest % 128n) + 128);
      rest /= 128n;
    }
    return this.byte(Number(rest));
  }
  zigzag(value: number): this {
    return this.varint(value >= 0 ? 2 * value : -2 * value - 1);
  }
  text(value: string): this {
    const bytes = new TextEncoder().encode(value);
    this.varint(bytes.length);
    this.bytes.push(...bytes);
    return this;
  }
  /** m / 10^d. */
  decimal(m: number, d: number): this {
    return this.byte(d).zigzag(m);
  }
  decimalText(text: string): this {
    return this.byte(255).text(text);
  }
  head(kind: number, handle: number, seq: number, timestamp: number): this {
    return this.byte(kind).varint(handle).varint(seq).varint(timestamp);
  }
  /** One side in units: prices by their differences. */
  side(levels: readonly (readonly [units: number, quantity: number])[]): this {
    this.varint(levels.length);
    let before = 0;
    for (const [units, quantity] of levels) {
      this.zigzag(units - before).varint(quantity);
      before = units;
    }
    return this;
  }
  done(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.bytes);
  }
}
