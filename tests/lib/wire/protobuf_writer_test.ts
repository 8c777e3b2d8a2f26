/** What the mocks' protobuf writer writes: the encoding guide's own examples, and what an independent reader finds. */
import assert from "node:assert/strict";
import { ProtobufWriter } from "../../../lib/wire/protobuf_writer.ts";
import { ProtobufReader } from "../../../lib/wire/protobuf_reader.ts";

const hex = (writer: ProtobufWriter) => writer.finish().toHex();

Deno.test("the encoding guide's examples", () => {
  assert.equal(hex(new ProtobufWriter().integer(1, 150)), "089601");
  assert.equal(hex(new ProtobufWriter().text(2, "testing")), "120774657374696e67");
  assert.equal(hex(new ProtobufWriter().message(3, new ProtobufWriter().integer(1, 150))), "1a03089601");
  assert.equal(hex(new ProtobufWriter().integer(1, -2)), "08feffffffffffffffff01");
  assert.deepEqual([0, -1, 1, -2].map((value) => hex(new ProtobufWriter().zigzag(1, value))), [
    "0800",
    "0801",
    "0802",
    "0803",
  ]);
  assert.equal(hex(new ProtobufWriter().float32(2, 1)), "150000803f");
  assert.equal(hex(new ProtobufWriter().float64(2, 1)), "11000000000000f03f");
  // Two-byte tags of a public schema: field 313 with length-delimited content begins "ca13".
  assert.equal(hex(new ProtobufWriter().bytes(313, new Uint8Array(0))), "ca1300");
});

Deno.test("a reader finds the fields again, and refuses the message short of its last byte", () => {
  const message = new ProtobufWriter().text(1, "BTCUSDT").integer(5, 2 ** 40).float64(33, 1.5)
    .zigzag(3, -1_596_811_650_000).finish();
  const read = (bytes: Uint8Array) => {
    const reader = new ProtobufReader();
    const fields: number[] = [];
    for (reader.open(bytes); reader.next();) fields.push(reader.field);
    return reader.failed ? "failed" : fields;
  };
  assert.deepEqual(read(message), [1, 5, 33, 3]);
  assert.equal(read(message.subarray(0, -1)), "failed");
});
