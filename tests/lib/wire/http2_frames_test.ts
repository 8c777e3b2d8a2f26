import assert from "node:assert/strict";
import { Random } from "../../../lib/base/random.ts";
import { DATA, Http2Frames, PING, PREFACE_BYTES } from "../../../lib/wire/http2_frames.ts";

function frame(type: number, stream: number, length: number): Uint8Array {
  const bytes = new Uint8Array(9 + length).fill(0xff, 9);
  new DataView(bytes.buffer).setUint32(0, length * 256 + type);
  new DataView(bytes.buffer).setUint32(5, stream);
  return bytes;
}

Deno.test("http2 frames: the same whatever the pieces, with and without a preface", () => {
  const frames = [
    frame(4, 0, 12),
    frame(DATA, 1, 40),
    frame(PING, 0, 8),
    frame(DATA, 0x7fff_ffff, 0),
    frame(DATA, 3, 70_000),
  ];
  const bytes = new Uint8Array([...new Uint8Array(PREFACE_BYTES), ...frames.flatMap((one) => [...one])]);
  const random = new Random("frames");
  for (let round = 0; round < 200; round++) {
    const seen: string[] = [];
    const payload = new Map<number, number>();
    const walker = new Http2Frames({
      onFrame: (type, stream) => seen.push(`${type} ${stream}`),
      onPayload: (type, stream, size) => {
        if (type === DATA) payload.set(stream, (payload.get(stream) ?? 0) + size);
      },
    }, PREFACE_BYTES);
    for (let at = 0; at < bytes.length;) {
      const size = random.integer(1, round % 2 ? 30 : 40_000);
      walker.pass(bytes.subarray(at, at + size));
      at += size;
    }
    assert.deepEqual(seen, ["4 0", "0 1", "6 0", "0 2147483647", "0 3"]);
    assert.deepEqual([...payload], [[1, 40], [3, 70_000]]);
  }
});
