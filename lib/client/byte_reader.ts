/**
 * The primitives of the binary form (servers/restream/README.md): varint, zigzag, text, decimal. Every read is checked
 * against the end, so a message can't make it read or allocate more than it brings.
 */
import { type ExactNumber, exactNumber, scaled } from "./exact_number.ts";
import { UnreadableMessage } from "./messages.ts";

const decoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });
/** Seven bits each: 2^53 needs eight. */
const MAX_VARINT_BYTES = 8;
/** `decimal` with this first byte is a text. */
const AS_TEXT = 255;
/** A decimal as JSON writes it. */
const JSON_NUMBER = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/;
const MAX_DECIMAL_TEXT = 400;

export class ByteReader {
  #bytes: Uint8Array = new Uint8Array();
  #at = 0;

  start(bytes: Uint8Array): void {
    this.#bytes = bytes;
    this.#at = 0;
  }
  /** Bytes not read yet. */
  get rest(): number {
    return this.#bytes.length - this.#at;
  }
  byte(): number {
    if (this.#at >= this.#bytes.length) throw new UnreadableMessage("ends too soon");
    return this.#bytes[this.#at++];
  }
  /** 0 … 2^53 - 1. */
  varint(): number {
    let value = 0;
    let scale = 1;
    for (let i = 0; i < MAX_VARINT_BYTES; i++) {
      const byte = this.byte();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) {
        if (value > Number.MAX_SAFE_INTEGER) break;
        return value;
      }
      scale *= 128;
    }
    throw new UnreadableMessage("a number beyond 2^53");
  }
  zigzag(): number {
    const value = this.varint();
    return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
  }
  text(): string {
    const length = this.varint();
    if (length > this.rest) throw new UnreadableMessage("a text ends too soon");
    const bytes = this.#bytes.subarray(this.#at, this.#at += length);
    try {
      return decoder.decode(bytes);
    } catch {
      throw new UnreadableMessage("a text is no UTF-8");
    }
  }
  decimal(): ExactNumber {
    const decimals = this.byte();
    let number: ExactNumber | undefined;
    if (decimals === AS_TEXT) {
      const text = this.text();
      if (text.length <= MAX_DECIMAL_TEXT && JSON_NUMBER.test(text)) number = exactNumber(text);
    } else number = scaled(this.zigzag(), decimals);
    if (number === undefined) throw new UnreadableMessage("a decimal is none");
    return number;
  }
  /** How many items of at least `min_bytes` follow. */
  count(min_bytes: number): number {
    const count = this.varint();
    if (count * min_bytes > this.rest) throw new UnreadableMessage("a list ends too soon");
    return count;
  }
}
