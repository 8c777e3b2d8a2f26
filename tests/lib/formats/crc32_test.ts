/** CRC-32 against the standard's check value and another implementation. */
import assert from "node:assert/strict";
import zlib from "node:zlib";
import { Random } from "../../../lib/base/random.ts";
import { crc32 } from "../../../lib/formats/crc32.ts";

Deno.test("the check value of the standard, and nothing at all", () => {
  assert.equal(crc32(new TextEncoder().encode("123456789")), 0xcbf43926);
  assert.equal(crc32(new Uint8Array(0)), 0);
});

Deno.test("agrees with zlib on 500 random texts and their beginnings", () => {
  const random = new Random("crc32");
  for (let i = 0; i < 500; i++) {
    const bytes = Uint8Array.from({ length: random.integer(0, 300) }, () => random.integer(0, 255));
    const length = random.integer(0, bytes.length);
    assert.equal(crc32(bytes, length), zlib.crc32(bytes.subarray(0, length)));
  }
});
