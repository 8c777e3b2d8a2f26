import assert from "node:assert/strict";
import { ByteWriter } from "../../../lib/wire/byte_writer.ts";
import { beginFrame, controlFrame, endTextFrame, PING, PONG } from "../../../lib/wire/websocket_frame.ts";

Deno.test("websocket frame: shortest length form at every border, payload intact", () => {
  const writer = new ByteWriter(16);
  for (const length of [0, 1, 125, 126, 127, 65_535, 65_536, 200_000]) {
    beginFrame(writer);
    writer.text("x".repeat(length));
    const frame = endTextFrame(writer);
    assert.equal(frame[0], 0x81);
    const view = new DataView(frame.buffer, frame.byteOffset);
    const head = length < 126 ? 2 : length < 65_536 ? 4 : 10;
    assert.equal(frame.length, head + length);
    if (head === 2) assert.equal(frame[1], length);
    else if (head === 4) assert.deepEqual([frame[1], view.getUint16(2)], [126, length]);
    else assert.deepEqual([frame[1], view.getBigUint64(2)], [127, BigInt(length)]);
    assert.ok(frame.subarray(head).every((byte) => byte === 0x78));
  }
});

Deno.test("websocket frame: frames are independent of the writer", () => {
  const writer = new ByteWriter(64);
  beginFrame(writer);
  writer.text("first");
  const first = endTextFrame(writer);
  beginFrame(writer);
  writer.text("other");
  endTextFrame(writer);
  assert.equal(new TextDecoder().decode(first.subarray(2)), "first");
});

Deno.test("websocket frame: control frames hold at most 125 bytes", () => {
  assert.deepEqual([...controlFrame(PING, Uint8Array.of(7, 8))], [0x89, 2, 7, 8]);
  assert.deepEqual([...controlFrame(PONG, new Uint8Array(0))], [0x8a, 0]);
  assert.equal(controlFrame(PONG, new Uint8Array(125)).length, 127);
  assert.throws(() => controlFrame(PONG, new Uint8Array(126)), RangeError);
});
