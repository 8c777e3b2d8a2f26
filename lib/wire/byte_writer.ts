/**
 * A growing byte buffer for encoders on the hot path. Numbers are printed digit by digit from exact integers (mantissa
 * and decimals), which is several times faster than `String(number)` and never prints an exponent.
 * The buffer is reused; `copy` hands out bytes that live on.
 */
import { EXACT_MANTISSA_LIMIT, formatDecimal, POWERS_OF_TEN } from "../base/decimal.ts";

const DIGIT_PAIRS = new Uint8Array(200);
for (let i = 0; i < 100; i++) {
  DIGIT_PAIRS[2 * i] = 48 + Math.floor(i / 10);
  DIGIT_PAIRS[2 * i + 1] = 48 + i % 10;
}
const MINUS = 45;
const POINT = 46;
const ZERO = 48;
const QUOTE = 34;
/** Symbols mostly: nothing in it needs an escape. */
const PLAIN_JSON_TEXT = /^[\w:./-]*$/;
/** Beyond this the fraction no longer fits two runs of nine digits. */
const MAX_FAST_DECIMALS = 18;
const MAX_INT32 = 0x7fff_ffff;
/** Sign, 15 digits, point, 18 digits, with room to spare. */
const MAX_DECIMAL_BYTES = 40;
const encoder = new TextEncoder();

export class ByteWriter {
  bytes: Uint8Array<ArrayBuffer>;
  length = 0;

  constructor(capacity = 4096) {
    this.bytes = new Uint8Array(capacity);
  }
  reset(): void {
    this.length = 0;
  }
  /** Makes room for `count` more bytes. */
  reserve(count: number): void {
    if (this.length + count <= this.bytes.length) return;
    const grown = new Uint8Array(Math.max(this.length + count, this.bytes.length * 2));
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }
  /** What was written, as a copy of its own. */
  copy(): Uint8Array<ArrayBuffer> {
    return this.bytes.slice(0, this.length);
  }
  byte(value: number): void {
    if (this.length === this.bytes.length) this.reserve(1);
    this.bytes[this.length++] = value;
  }
  /** Bytes prepared once, such as fixed parts of a message. */
  raw(part: Uint8Array): void {
    this.reserve(part.length);
    if (part.length < 32) {
      for (let i = 0; i < part.length; i++) this.bytes[this.length + i] = part[i];
    } else {
      this.bytes.set(part, this.length);
    }
    this.length += part.length;
  }
  /** Text, as UTF-8. */
  text(part: string): void {
    this.reserve(part.length * 3);
    for (let i = 0; i < part.length; i++) {
      const code = part.charCodeAt(i);
      if (code > 127) {
        this.length += encoder.encodeInto(part.slice(i), this.bytes.subarray(this.length)).written;
        return;
      }
      this.bytes[this.length++] = code;
    }
  }
  /** A JSON string, quoted and escaped. */
  jsonString(part: string): void {
    if (!PLAIN_JSON_TEXT.test(part)) return this.text(JSON.stringify(part));
    this.byte(QUOTE);
    this.text(part);
    this.byte(QUOTE);
  }
  /** An integer of up to 15 digits; anything else falls back to the plain decimal form. */
  integer(value: number): void {
    this.decimal(value, 0);
  }
  /**
   * A finite number in its shortest plain decimal form. `decimals` is a hint: the most digits after the point that the
   * value may have; a value that needs more is still printed exactly, only slower.
   */
  decimal(value: number, decimals: number): void {
    const magnitude = value < 0 ? -value : value;
    const scale = POWERS_OF_TEN[decimals];
    const mantissa = Math.round(magnitude * scale);
    if (
      !(mantissa < EXACT_MANTISSA_LIMIT) || mantissa / scale !== magnitude || decimals > MAX_FAST_DECIMALS
    ) {
      this.text(formatDecimal(value));
      return;
    }
    if (this.length + MAX_DECIMAL_BYTES > this.bytes.length) this.reserve(MAX_DECIMAL_BYTES);
    if (value < 0) this.bytes[this.length++] = MINUS;
    if (mantissa <= MAX_INT32 && decimals <= 9) return this.#small(mantissa | 0, decimals);
    const whole = Math.floor(mantissa / scale);
    this.#unsigned(whole);
    const fraction = mantissa - whole * scale;
    if (fraction !== 0) this.#fraction(fraction, decimals);
  }
  /** `mantissa` × 10^-decimals in 32-bit arithmetic: nearly every price and quantity. */
  #small(mantissa: number, decimals: number): void {
    while (decimals > 0 && mantissa % 10 === 0) {
      mantissa = (mantissa / 10) | 0;
      decimals--;
    }
    const { bytes } = this;
    const digits = digitCount(mantissa);
    let at = this.length + (digits > decimals ? digits : decimals + 1) + (decimals > 0 ? 1 : 0);
    this.length = at;
    if (decimals > 0) {
      for (; decimals > 0; decimals--) {
        const rest = (mantissa / 10) | 0;
        bytes[--at] = ZERO + mantissa - rest * 10;
        mantissa = rest;
      }
      bytes[--at] = POINT;
    }
    do {
      const rest = (mantissa / 10) | 0;
      bytes[--at] = ZERO + mantissa - rest * 10;
      mantissa = rest;
    } while (mantissa !== 0);
  }
  #unsigned(value: number): void {
    if (value >= 1_000_000_000) {
      const high = Math.floor(value / 1_000_000_000);
      this.#unsigned(high);
      this.#padded(value - high * 1_000_000_000, 9);
      return;
    }
    const digits = digitCount(value);
    this.#padded(value, digits);
  }
  #fraction(fraction: number, decimals: number): void {
    this.bytes[this.length++] = POINT;
    this.#digits(fraction, decimals);
    while (this.bytes[this.length - 1] === ZERO) this.length--;
  }
  /** An integer below 10^15 in exactly `digits` digits. */
  #digits(value: number, digits: number): void {
    if (digits <= 9) return this.#padded(value, digits);
    const high = Math.floor(value / 1_000_000_000);
    this.#digits(high, digits - 9);
    this.#padded(value - high * 1_000_000_000, 9);
  }
  /** `value` < 10^9 in exactly `digits` ≤ 9 digits. */
  #padded(value: number, digits: number): void {
    const { bytes } = this;
    let at = this.length + digits;
    this.length = at;
    let rest = value | 0;
    let left = digits;
    while (left >= 2) {
      const quotient = (rest / 100) | 0;
      const pair = (rest - quotient * 100) * 2;
      bytes[--at] = DIGIT_PAIRS[pair + 1];
      bytes[--at] = DIGIT_PAIRS[pair];
      rest = quotient;
      left -= 2;
    }
    if (left === 1) bytes[--at] = ZERO + rest % 10;
  }
}

function digitCount(value: number): number {
  if (value < 10) return 1;
  if (value < 100) return 2;
  if (value < 1_000) return 3;
  if (value < 10_000) return 4;
  if (value < 100_000) return 5;
  if (value < 1_000_000) return 6;
  if (value < 10_000_000) return 7;
  if (value < 100_000_000) return 8;
  return value < 1_000_000_000 ? 9 : 10;
}
