import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { FrameSplitter } from "../../../../lib/wire/rabbitmq_stream/frame_splitter.ts";
import { FrameWriter } from "../../../../lib/wire/rabbitmq_stream/frame_writer.ts";

Deno.test("frames come out whole and in order, however the bytes are cut", () => {
  const random = new Random("splitter");
  for (let round = 0; round < 200; round++) {
    const frames = Array.from({ length: 20 }, (_, i) => {
      const writer = new FrameWriter().begin(i);
      for (let left = random.integer(0, 50); left > 0; left--) writer.u8(i);
      return writer.end();
    });
    const stream = new Uint8Array(frames.reduce((sum, frame) => sum + frame.length, 0));
    let at = 0;
    for (const frame of frames) {
      stream.set(frame, at);
      at += frame.length;
    }
    const splitter = new FrameSplitter(1_000);
    const got: number[][] = [];
    for (let from = 0; from < stream.length;) {
      const to = Math.min(stream.length, from + random.integer(1, 40));
      const chunk = stream.slice(from, to);
      for (const body of splitter.push(chunk)) got.push([...body]);
      // The caller's buffer is its own again.
      chunk.fill(0xff);
      from = to;
    }
    assert.deepEqual(got, frames.map((frame) => [...frame.subarray(4)]));
  }
});

Deno.test("a frame larger than agreed is refused before its bytes come", () => {
  const splitter = new FrameSplitter(100);
  assert.throws(() => splitter.push(Uint8Array.of(0, 0, 0, 101)), /101 bytes, want at most 100/);
});
