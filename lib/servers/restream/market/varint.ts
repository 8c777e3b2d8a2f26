/** LEB128 and zigzag for integers up to 2^53, by arithmetic where 32-bit operators end. */
import type { ByteWriter } from "../../../wire/byte_writer.ts";

const encoder = new TextEncoder();
const MAX_BYTES = 8;

export function writeVarint(writer: ByteWriter, value: number): void {
  writer.reserve(MAX_BYTES);
  while (value > 0x7fff_ffff) {
    writer.bytes[writer.length++] = (value % 128) | 0x80;
    value = Math.floor(value / 128);
  }
  let low = value | 0;
  while (low > 127) {
    writer.bytes[writer.length++] = (low & 127) | 0x80;
    low >>>= 7;
  }
  writer.bytes[writer.length++] = low;
}

/** `|value|` below 2^52. */
export function writeZigzag(writer: ByteWriter, value: number): void {
  writeVarint(writer, value >= 0 ? value * 2 : -value * 2 - 1);
}

export function writeText(writer: ByteWriter, text: string): void {
  const bytes = encoder.encode(text);
  writeVarint(writer, bytes.length);
  writer.raw(bytes);
}
