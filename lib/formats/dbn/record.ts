/**
 * Records of DBN: a head of 16 bytes (length in words of four, kind, publisher, instrument, event time), then what the
 * kind says. Prices are 64-bit integers of 1e-9; the largest one means none. The layouts of market-by-order and
 * market-by-price are the same in versions 1 to 3.
 */

export const DBN_KIND = {
  trades: 0x00,
  mbp_1: 0x01,
  mbp_10: 0x0a,
  symbol_mapping: 0x16,
  mbo: 0xa0,
} as const;
/** Of `flags`. */
export const DBN_FLAG = { last: 0x80, top_of_book: 0x40, snapshot: 0x20, maybe_bad_book: 0x04 } as const;

export const DBN_HEAD_BYTES = 16;
const UNDEFINED_PRICE_HIGH = 0x7fff_ffff;
const UNDEFINED_LOW = 0xffff_ffff;
const TWO_32 = 4_294_967_296;
const LEVEL_BYTES = 32;
const MBP_LEVELS_AT = 48;

/** Bytes of the record that begins here, from its first byte. */
export function dbnRecordBytes(first_byte: number): number {
  return first_byte * 4;
}

/** Reads fields of one record in place. */
export class DbnRecord {
  #bytes!: Uint8Array;
  #view!: DataView;

  take(bytes: Uint8Array): this {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    return this;
  }
  get kind(): number {
    return this.#bytes[1];
  }
  get length(): number {
    return this.#bytes.length;
  }
  get instrument(): number {
    return this.#view.getUint32(4, true);
  }
  /** The venue's time, milliseconds with a fraction; undefined when it has none. */
  get event_ms(): number | undefined {
    return this.#time_ms(8);
  }
  /** When the vendor received it: nanoseconds, or those of the event. */
  get received_ns(): bigint {
    const at = this.kind === DBN_KIND.mbo ? 40 : this.#hasReceiveTime() ? 32 : 8;
    const ns = this.#view.getBigUint64(at, true);
    return ns === 0xffff_ffff_ffff_ffffn ? this.#view.getBigUint64(8, true) : ns;
  }
  get action(): string {
    return String.fromCharCode(this.#bytes[this.kind === DBN_KIND.mbo ? 38 : 28]);
  }
  /** "B", "A" or "N". */
  get side(): string {
    return String.fromCharCode(this.#bytes[this.kind === DBN_KIND.mbo ? 39 : 29]);
  }
  get flags(): number {
    return this.#bytes[this.kind === DBN_KIND.mbo ? 36 : 30];
  }
  /** Undefined: it has none. */
  get price(): number | undefined {
    return this.#price(this.kind === DBN_KIND.mbo ? 24 : 16);
  }
  get size(): number {
    return this.#view.getUint32(this.kind === DBN_KIND.mbo ? 32 : 24, true);
  }
  /** Of market-by-order; a number while that is exact. */
  get order_id(): number | bigint {
    const high = this.#view.getUint32(20, true);
    return high < 0x20_0000
      ? high * TWO_32 + this.#view.getUint32(16, true)
      : this.#view.getBigUint64(16, true);
  }
  /** Levels of market-by-price, best first; sides end where they have no price. */
  levels(count: number, side: "bid" | "ask"): { price: number; quantity: number; order_count: number }[] {
    const found = [];
    const offset = side === "bid" ? 0 : 1;
    for (let i = 0; i < count; i++) {
      const at = MBP_LEVELS_AT + i * LEVEL_BYTES;
      const price = this.#price(at + 8 * offset);
      if (price === undefined) break;
      const quantity = this.#view.getUint32(at + 16 + 4 * offset, true);
      found.push({ price, quantity, order_count: this.#view.getUint32(at + 24 + 4 * offset, true) });
    }
    return found;
  }

  #hasReceiveTime(): boolean {
    const { kind } = this;
    return kind === DBN_KIND.trades || kind === DBN_KIND.mbp_1 || kind === DBN_KIND.mbp_10;
  }
  #price(at: number): number | undefined {
    const low = this.#view.getUint32(at, true);
    const high = this.#view.getInt32(at + 4, true);
    if (high === UNDEFINED_PRICE_HIGH && low === UNDEFINED_LOW) return undefined;
    return (high * TWO_32 + low) / 1e9;
  }
  #time_ms(at: number): number | undefined {
    const high = this.#view.getUint32(at + 4, true);
    const low = this.#view.getUint32(at, true);
    return high === UNDEFINED_LOW && low === UNDEFINED_LOW ? undefined : (high * TWO_32 + low) / 1e6;
  }
}
