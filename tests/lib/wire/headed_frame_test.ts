/** Frames with a shared tail, read back by hand for every length class, and inflated as a receiver of RFC 7692 does. */
import assert from "node:assert/strict";
import { Buffer } from "node:buffer";
import { constants, createInflateRaw } from "node:zlib";
import { ByteWriter } from "../../../lib/wire/byte_writer.ts";
import { MAX_FRAMING_BYTES, SharedTail, writeHeadedFrame } from "../../../lib/wire/headed_frame.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const textOf = (bytes: Uint8Array) => new TextDecoder().decode(bytes);

/** First byte and payload; asserts that the frame ends where its length says. */
function readFrame(frame: Uint8Array): { first: number; payload: Uint8Array } {
  const view = new DataView(frame.buffer, frame.byteOffset, frame.byteLength);
  let length = frame[1];
  let start = 2;
  if (length === 126) [length, start] = [view.getUint16(2), 4];
  else if (length === 127) [length, start] = [Number(view.getBigUint64(2)), 10];
  assert.equal(frame.length, start + length);
  return { first: frame[0], payload: frame.subarray(start) };
}

/** One inflater for many messages: its window goes on, as in a receiver with context takeover. */
function receiver(): (payload: Uint8Array) => Promise<string> {
  const inflate = createInflateRaw();
  return (payload) =>
    new Promise((resolve, reject) => {
      const parts: Buffer[] = [];
      const take = (part: Buffer) => parts.push(part);
      inflate.on("data", take);
      inflate.once("error", reject);
      inflate.write(payload);
      inflate.write(Uint8Array.of(0, 0, 0xff, 0xff));
      inflate.flush(constants.Z_SYNC_FLUSH, () => {
        inflate.off("data", take);
        inflate.off("error", reject);
        resolve(textOf(Buffer.concat(parts)));
      });
    });
}

const LENGTHS = [0, 1, 100, 124, 125, 126, 65_534, 65_535, 65_536, 200_000];

Deno.test("plain: head and tail in one text frame, at every length class", () => {
  const writer = new ByteWriter(16);
  for (const length of LENGTHS) {
    const tail = new SharedTail(bytesOf("x".repeat(length)));
    writer.reset();
    writeHeadedFrame(writer, bytesOf("h"), tail, false);
    const { first, payload } = readFrame(writer.copy());
    assert.equal(first, 0x81);
    assert.equal(textOf(payload), "h" + "x".repeat(length));
    assert.ok(writer.length <= MAX_FRAMING_BYTES + 1 + length);
  }
});

Deno.test("compressed: one tail, many heads, right for receivers that keep their window", async () => {
  const writer = new ByteWriter(16);
  const one = receiver();
  const other = receiver();
  for (const length of LENGTHS) {
    const tail = new SharedTail(bytesOf(Array.from({ length }, (_, i) => i % 97).join("").slice(0, length)));
    for (const [read, head] of [[one, "short"], [other, "ü".repeat(300)]] as const) {
      writer.reset();
      writeHeadedFrame(writer, bytesOf(head), tail, true);
      const { first, payload } = readFrame(writer.copy());
      assert.equal(first, 0xc1, "FIN, RSV1, text");
      assert.equal(await read(payload), head + textOf(tail.plain));
    }
    assert.equal(tail.deflated, tail.deflated, "compressed once");
  }
});

Deno.test("a head beyond a stored block is refused", () => {
  const tail = new SharedTail(bytesOf("x"));
  assert.throws(() => writeHeadedFrame(new ByteWriter(), new Uint8Array(65_536), tail, true), RangeError);
});
