import assert from "node:assert/strict";
import { murmur32 } from "rabbitmq-stream-js-client/dist/hash/murmur32.js";
import { Random } from "../../../../lib/base/random.ts";
import { murmur3 } from "../../../../lib/wire/rabbitmq_stream/murmur3.ts";

const utf8 = new TextEncoder();

Deno.test("published vectors of MurmurHash3 x86 32", () => {
  const hash = (text: string, seed: number) => murmur3(utf8.encode(text), seed);
  assert.equal(hash("", 0), 0);
  assert.equal(hash("", 1), 0x514e28b7);
  assert.equal(hash("test", 0), 0xba6bd213);
  assert.equal(hash("Hello, world!", 1234), 0xfaf6cdb3);
});

Deno.test("the official client's hash of routing keys", () => {
  const random = new Random("keys");
  for (let i = 0; i < 1_000; i++) {
    const key = Array.from(
      { length: random.integer(0, 20) },
      () => String.fromCharCode(random.integer(32, 1_200)),
    ).join("");
    assert.equal(murmur3(utf8.encode(key), 104_729), murmur32(key), key);
  }
});
