/**
 * Reads AMQP 1.0 values (OASIS AMQP 1.0, part 1) as plain data: what other producers may have put into properties.
 * 64-bit integers outside ±2^53 stay bigint. Refuses: types that no message of a stream carries in practice (decimals) —
 * they are an error that names the type, not a wrong value.
 */
import type { FrameReader } from "./frame_reader.ts";

export type AmqpValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array<ArrayBuffer>
  | AmqpValue[]
  | Map<AmqpValue, AmqpValue>;

/** Values inside values; deeper is refused. */
const MAX_DEPTH = 16;

function integer(value: bigint): number | bigint {
  const small = Number(value);
  return Number.isSafeInteger(small) ? small : value;
}

export function readAmqpValue(reader: FrameReader, depth = 0): AmqpValue {
  if (depth > MAX_DEPTH) throw new RangeError(`read AMQP value: nested deeper than ${MAX_DEPTH}`);
  return readTyped(reader, reader.u8(), depth);
}

function readTyped(reader: FrameReader, type: number, depth: number): AmqpValue {
  switch (type) {
    case 0x00: // described: the descriptor says nothing that is needed here
      readAmqpValue(reader, depth + 1);
      return readAmqpValue(reader, depth + 1);
    case 0x40:
      return null;
    case 0x41:
      return true;
    case 0x42:
      return false;
    case 0x56:
      return reader.u8() === 1;
    case 0x43:
    case 0x44:
      return 0;
    case 0x50:
    case 0x52:
    case 0x53:
      return reader.u8();
    case 0x60:
      return reader.u16();
    case 0x70:
    case 0x73:
      return reader.u32();
    case 0x80:
      return integer(reader.u64());
    case 0x51:
    case 0x54:
    case 0x55:
      return reader.u8() << 24 >> 24;
    case 0x61:
      return reader.u16() << 16 >> 16;
    case 0x71:
      return reader.i32();
    case 0x81:
    case 0x83:
      return integer(reader.i64());
    case 0x72:
      return reader.f32();
    case 0x82:
      return reader.f64();
    case 0x98:
      return reader.bytes(16).slice();
    case 0xa0:
      return reader.bytes(reader.u8()).slice();
    case 0xb0:
      return reader.bytes(reader.u32()).slice();
    case 0xa1:
    case 0xa3:
      return reader.text(reader.u8());
    case 0xb1:
    case 0xb3:
      return reader.text(reader.u32());
    default:
      return readCompound(reader, type, depth);
  }
}

function readCompound(reader: FrameReader, type: number, depth: number): AmqpValue {
  switch (type) {
    case 0x45:
      return [];
    case 0xc0:
      reader.u8();
      return readMany(reader, reader.u8(), depth);
    case 0xd0:
      reader.u32();
      return readMany(reader, reader.u32(), depth);
    case 0xc1:
      reader.u8();
      return toMap(readMany(reader, reader.u8(), depth));
    case 0xd1:
      reader.u32();
      return toMap(readMany(reader, reader.u32(), depth));
    case 0xe0:
      return reader.bytes(reader.u8()).slice();
    case 0xf0:
      return reader.bytes(reader.u32()).slice();
  }
  throw new RangeError(`read AMQP value: type 0x${type.toString(16)}, want one that is known`);
}

function readMany(reader: FrameReader, count: number, depth: number): AmqpValue[] {
  // Each value takes at least one byte: a count beyond what is left is a lie.
  if (count > reader.left) {
    throw new RangeError(`read AMQP list: ${reader.left} bytes left for ${count} values`);
  }
  return Array.from({ length: count }, () => readAmqpValue(reader, depth + 1));
}

function toMap(values: AmqpValue[]): Map<AmqpValue, AmqpValue> {
  const map = new Map<AmqpValue, AmqpValue>();
  for (let i = 0; i + 1 < values.length; i += 2) map.set(values[i], values[i + 1]);
  return map;
}
