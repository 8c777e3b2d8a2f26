/**
 * A protobuf message of single fields: one pass notes where its texts stand and what its integers are; mappers then pick.
 * A field said twice counts as said last, one of another wire type than wanted as not said (proto3).
 */
import { ProtobufReader } from "../../wire/protobuf_reader.ts";
import { DecimalText, readInteger } from "../decimal_text.ts";

const FIELDS = 17;
const VARINT = 0;
const BYTES = 2;
const decoder = new TextDecoder("utf-8", { ignoreBOM: true });

export class FlatMessage {
  readonly #reader = new ProtobufReader();
  readonly #decimal = new DecimalText();
  readonly #starts = new Int32Array(FIELDS);
  readonly #ends = new Int32Array(FIELDS);
  readonly #integers = new Float64Array(FIELDS);
  #bytes: Uint8Array = new Uint8Array(0);
  /** Of the last decimal read: set only when the double would not give the text back. */
  get exact_text(): string | undefined {
    return this.#decimal.exact_text;
  }

  /** False when bytes[start, end) is no message. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    const reader = this.#reader;
    this.#bytes = bytes;
    this.#starts.fill(-1);
    this.#integers.fill(NaN);
    reader.open(bytes, start, end);
    while (reader.next()) {
      const { field } = reader;
      if (field >= FIELDS) continue;
      if (reader.wire === BYTES) {
        this.#starts[field] = reader.start;
        this.#ends[field] = reader.end;
      } else if (reader.wire === VARINT) this.#integers[field] = reader.int();
    }
    return !reader.failed;
  }
  start(field: number): number {
    return this.#starts[field];
  }
  end(field: number): number {
    return this.#ends[field];
  }
  /** A varint; NaN when there is none. */
  integer(field: number): number {
    return this.#integers[field];
  }
  /** Digits in a text as an integer; NaN when they are none. */
  integerText(field: number): number {
    return this.#starts[field] < 0 ? NaN : readInteger(this.#bytes, this.#starts[field], this.#ends[field]);
  }
  /** A text as decimal of any sign; NaN when there is none: unknown is not 0. */
  decimal(field: number): number {
    const start = this.#starts[field];
    return start < 0 ? NaN : this.#decimal.read(this.#bytes, start, this.#ends[field]);
  }
  /** A decimal of at least 0. */
  amount(field: number): number | undefined {
    const value = this.decimal(field);
    return value >= 0 ? value : undefined;
  }
  /** "" when there is none. */
  text(field: number): string {
    const start = this.#starts[field];
    return start < 0 ? "" : decoder.decode(this.#bytes.subarray(start, this.#ends[field]));
  }
}
