import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { messageBytes, messageHead, readMessage } from "../../../../lib/wire/rabbitmq_stream/amqp_message.ts";
import { readAmqpValue } from "../../../../lib/wire/rabbitmq_stream/amqp_value.ts";
import { FrameReader } from "../../../../lib/wire/rabbitmq_stream/frame_reader.ts";
import { is_long } from "../../../services.ts";

const bytes = (...values: number[]) => Uint8Array.from(values);
const utf8 = new TextEncoder();

Deno.test("a message comes back as it was written, whatever its length", () => {
  for (const length of [0, 1, 255, 256, 70_000]) {
    const properties = { kind: "trade", symbol: "ключ", long: "x".repeat(300) };
    const payload = utf8.encode("y".repeat(length));
    const message = readMessage(messageBytes(messageHead("application/json", properties), payload));
    assert.deepEqual(message.data, payload);
    assert.equal(message.content_type, "application/json");
    assert.deepEqual(Object.fromEntries(message.application_properties!), properties);
  }
});

Deno.test("values of every type that other producers use", () => {
  const cases: [Uint8Array<ArrayBuffer>, unknown][] = [
    [bytes(0x40), null],
    [bytes(0x41), true],
    [bytes(0x56, 0), false],
    [bytes(0x44), 0],
    [bytes(0x54, 0xff), -1],
    [bytes(0x61, 0xff, 0xfe), -2],
    [bytes(0x71, 0xff, 0xff, 0xff, 0xfd), -3],
    [bytes(0x55, 0x80), -128],
    [bytes(0x80, 0, 0, 0, 1, 0, 0, 0, 0), 4_294_967_296],
    [bytes(0x80, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), 2n ** 64n - 1n],
    [bytes(0x82, 0x3f, 0xf8, 0, 0, 0, 0, 0, 0), 1.5],
    [bytes(0x83, 0, 0, 0, 0, 0, 0, 3, 0xe8), 1_000],
    [bytes(0xa1, 2, 0x68, 0x69), "hi"],
    [bytes(0xc0, 3, 2, 0x41, 0x40), [true, null]],
    [bytes(0xc1, 5, 2, 0xa3, 1, 0x61, 0x41), new Map([["a", true]])],
  ];
  for (const [raw, value] of cases) assert.deepEqual(readAmqpValue(new FrameReader(raw)), value);
  assert.throws(() => readAmqpValue(new FrameReader(bytes(0x94))), /type 0x94/);
});

Deno.test("broken messages are errors of one kind, never anything else", () => {
  const random = new Random("amqp");
  const whole = messageBytes(messageHead("application/json", { a: "b", c: "d" }), utf8.encode("payload"));
  let refused = 0;
  for (let i = 0; i < (is_long ? 500_000 : 20_000); i++) {
    const broken = whole.slice(0, 1 + random.integer(0, whole.length - 1));
    for (let j = random.integer(0, 3); j > 0; j--) {
      broken[random.integer(0, broken.length - 1)] = random.integer(0, 255);
    }
    try {
      readMessage(broken);
    } catch (error) {
      assert.ok(error instanceof RangeError, String(error));
      refused++;
    }
  }
  assert.ok(refused > 1_000);
});
