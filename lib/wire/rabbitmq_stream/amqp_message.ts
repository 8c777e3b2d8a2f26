/**
 * Messages as streams keep them: AMQP 1.0 sections (OASIS AMQP 1.0, part 3.2). Written: properties with the content type,
 * application properties as texts, one data section; all but the data is the same for every message of a kind and is
 * made once. Read: any section that another producer may have written.
 */
import { type AmqpValue, readAmqpValue } from "./amqp_value.ts";
import { FrameReader } from "./frame_reader.ts";
import { FrameWriter } from "./frame_writer.ts";

const Section = {
  header: 0x70,
  delivery_annotations: 0x71,
  message_annotations: 0x72,
  properties: 0x73,
  application_properties: 0x74,
  data: 0x75,
  sequence: 0x76,
  value: 0x77,
  footer: 0x78,
} as const;
const DESCRIBED = 0x00;
const SMALL_ULONG = 0x53;
const NULL = 0x40;
const STRING_8 = 0xa1;
const STRING_32 = 0xb1;
const SYMBOL_8 = 0xa3;
const LIST_32 = 0xd0;
const MAP_32 = 0xd1;
const BINARY_8 = 0xa0;
const BINARY_32 = 0xb0;
/** Position of the content type among the properties; those before it are null. */
const CONTENT_TYPE_FIELD = 6;

const encoder = new TextEncoder();

function writeString(writer: FrameWriter, text: string): void {
  const bytes = encoder.encode(text);
  if (bytes.length < 256) writer.u8(STRING_8).u8(bytes.length).raw(bytes);
  else writer.u8(STRING_32).bytes(bytes);
}

/** Everything before the data section of a message. `content_type` is ASCII, at most 255 bytes. */
export function messageHead(
  content_type: string,
  application_properties: Readonly<Record<string, string>>,
): Uint8Array<ArrayBuffer> {
  const writer = new FrameWriter();
  compound(writer, Section.properties, LIST_32, CONTENT_TYPE_FIELD + 1, () => {
    for (let i = 0; i < CONTENT_TYPE_FIELD; i++) writer.u8(NULL);
    writer.u8(SYMBOL_8).u8(content_type.length).raw(encoder.encode(content_type));
  });
  const pairs = Object.entries(application_properties);
  compound(writer, Section.application_properties, MAP_32, pairs.length * 2, () => {
    for (const [key, value] of pairs) {
      writeString(writer, key);
      writeString(writer, value);
    }
  });
  return writer.copy();
}

function compound(writer: FrameWriter, section: number, type: number, count: number, body: () => void): void {
  writer.u8(DESCRIBED).u8(SMALL_ULONG).u8(section).u8(type);
  const at = writer.length;
  writer.u32(0).u32(count);
  body();
  // The size counts what follows it.
  writer.patchU32(at, writer.length - at - 4);
}

/** Bytes that `messageBytes` makes of a head and a payload. */
export function messageSize(head: Uint8Array, payload: Uint8Array): number {
  return head.length + payload.length + (payload.length < 256 ? 5 : 8);
}

/** A whole message: its head and a payload as the data section. */
export function messageBytes(head: Uint8Array, payload: Uint8Array): Uint8Array<ArrayBuffer> {
  const bytes = new Uint8Array(messageSize(head, payload));
  bytes.set(head);
  let at = head.length;
  bytes[at++] = DESCRIBED;
  bytes[at++] = SMALL_ULONG;
  bytes[at++] = Section.data;
  if (payload.length < 256) {
    bytes[at++] = BINARY_8;
    bytes[at++] = payload.length;
  } else {
    bytes[at++] = BINARY_32;
    new DataView(bytes.buffer).setUint32(at, payload.length);
    at += 4;
  }
  bytes.set(payload, at);
  return bytes;
}

/** What a consumer sees of a message. Absent sections are absent. */
export interface StreamMessage {
  /** The data sections joined; of a message with a value instead, undefined. */
  data?: Uint8Array<ArrayBuffer>;
  value?: AmqpValue;
  content_type?: string;
  application_properties?: Map<AmqpValue, AmqpValue>;
  message_annotations?: Map<AmqpValue, AmqpValue>;
}

/** Throws a RangeError when the bytes are no AMQP 1.0 message. The result holds copies. */
export function readMessage(bytes: Uint8Array<ArrayBuffer>): StreamMessage {
  const reader = new FrameReader(bytes);
  const message: StreamMessage = {};
  while (reader.left > 0) {
    const described = reader.u8();
    const descriptor = described === DESCRIBED ? readAmqpValue(reader) : undefined;
    if (typeof descriptor !== "number") {
      throw new RangeError("read message: no AMQP 1.0 section where one must be");
    }
    takeSection(message, descriptor, readAmqpValue(reader));
  }
  return message;
}

function takeSection(message: StreamMessage, section: number, value: AmqpValue): void {
  switch (section) {
    case Section.data:
      if (value instanceof Uint8Array) message.data = message.data ? joined(message.data, value) : value;
      break;
    case Section.value:
    case Section.sequence:
      message.value = value;
      break;
    case Section.properties: {
      const content_type = Array.isArray(value) ? value[CONTENT_TYPE_FIELD] : undefined;
      if (typeof content_type === "string") message.content_type = content_type;
      break;
    }
    case Section.application_properties:
      if (value instanceof Map) message.application_properties = value;
      break;
    case Section.message_annotations:
      if (value instanceof Map) message.message_annotations = value;
      break;
  }
}

function joined(a: Uint8Array, b: Uint8Array): Uint8Array<ArrayBuffer> {
  const both = new Uint8Array(a.length + b.length);
  both.set(a);
  both.set(b, a.length);
  return both;
}
