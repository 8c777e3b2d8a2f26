/** Every wire type and integer width against an encoder that is slow and obvious; damaged messages end, never throw. */
import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { ProtobufReader } from "../../../lib/wire/protobuf_reader.ts";
import { ProtobufWriter } from "../../../lib/wire/protobuf_writer.ts";

const WIDTHS = [0n, 1n, 127n, 128n, 2n ** 28n - 1n, 2n ** 28n, 2n ** 32n, 2n ** 53n - 1n];

/** The number of the next field; −1 at the end. */
function fieldOf(reader: ProtobufReader): number {
  return reader.next() ? reader.field : -1;
}

Deno.test("protobuf: varints of every width, signed in both ways, exact or told not to be", () => {
  const reader = new ProtobufReader();
  for (const width of WIDTHS) {
    for (const value of [width, -width]) {
      const bytes = new ProtobufWriter().integer(1, value).zigzag(2, value).finish();
      reader.open(bytes);
      assert.deepEqual([fieldOf(reader), reader.wire], [1, 0]);
      assert.equal(reader.int(), Number(value));
      if (value >= 0n) assert.equal(reader.uint(), Number(value));
      assert.equal(fieldOf(reader), 2);
      assert.equal(reader.sint(), Number(value));
      assert.ok(!reader.next() && !reader.failed);
    }
  }
  reader.open(new ProtobufWriter().integer(1, 2n ** 53n).integer(2, -(2n ** 60n)).finish());
  assert.ok(reader.next() && Number.isNaN(reader.uint()) && Number.isNaN(reader.int()));
  assert.ok(reader.next() && Number.isNaN(reader.int()) && Number.isNaN(reader.uint()));
});

Deno.test("protobuf: floats, doubles, texts, messages within messages; unknown fields are passed over", () => {
  const inner = new ProtobufWriter().text(1, "93180.18").text(2, "0.21976424").finish();
  const bytes = new ProtobufWriter().float32(3, 451.2).float64(4, 1.97e12).text(5, "π").bytes(313, inner)
    .integer(60, 7n).finish();
  const reader = new ProtobufReader();
  reader.open(bytes);
  assert.ok(reader.next() && reader.float() === Math.fround(451.2));
  assert.ok(reader.next() && reader.double() === 1.97e12);
  assert.ok(Number.isNaN(reader.float()) && Number.isNaN(reader.uint()), "another wire type is no value");
  assert.ok(reader.next() && reader.text() === "π");
  assert.equal(fieldOf(reader), 313);
  const nested = new ProtobufReader();
  nested.open(bytes, reader.start, reader.end);
  assert.ok(nested.next() && nested.text() === "93180.18");
  assert.ok(nested.next() && nested.text() === "0.21976424");
  assert.ok(!nested.next() && !nested.failed);
  assert.equal(fieldOf(reader), 60);
  assert.ok(!reader.next() && !reader.failed);
});

Deno.test("protobuf: what is cut, garbled or a group ends as failed, within the bytes", () => {
  const random = new Random("protobuf damage");
  const inner = new ProtobufWriter().text(1, "1").integer(2, 5n).finish();
  const whole = new ProtobufWriter().text(1, "channel").integer(5, 1_736_411_507_002n).bytes(313, inner)
    .float64(4, 2).finish();
  const reader = new ProtobufReader();
  for (let i = 0; i < 20_000; i++) {
    const bytes = whole.slice(0, random.chance(0.5) ? random.integer(0, whole.length) : undefined);
    for (let n = random.integer(0, 3); n > 0 && bytes.length > 0; n--) {
      bytes[random.integer(0, bytes.length - 1)] = random.integer(0, 255);
    }
    reader.open(bytes);
    let fields = 0;
    while (reader.next()) {
      assert.ok(++fields <= bytes.length && reader.end <= bytes.length);
      reader.int();
      reader.text();
      reader.double();
      reader.float();
    }
  }
  for (
    const bad of [[0x0b], [0x0c], [0x00], [0x0a, 0x05, 1], [0x08], [0x08, ...Array(11).fill(0x80)], [0x09, 1]]
  ) {
    reader.open(Uint8Array.from(bad));
    assert.ok(!reader.next() && reader.failed, String(bad));
  }
});
