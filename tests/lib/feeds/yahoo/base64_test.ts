/** Base64 against the platform's own, of every length, with and without padding; everything else is refused. */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { decodeBase64 } from "../../../../lib/feeds/yahoo/base64.ts";
import { shortestFloat } from "../../../../lib/feeds/yahoo/pricing_data.ts";

const ascii = (text: string) => new TextEncoder().encode(text);

Deno.test("base64: equals the platform's for every length, in the middle of a frame, padded or not", () => {
  const random = new Random("base64");
  const out = new Uint8Array(300);
  for (let length = 0; length < 200; length++) {
    const bytes = Uint8Array.from({ length }, () => random.integer(0, 255));
    const text = btoa(String.fromCharCode(...bytes));
    for (const form of [text, text.replace(/=+$/, "")]) {
      const frame = ascii(`"${form}"`);
      assert.equal(decodeBase64(frame, 1, frame.length - 1, out), length);
      assert.deepEqual(out.slice(0, length), bytes);
    }
  }
});

Deno.test("base64: a foreign character, padding in the middle, a lone last character are refused", () => {
  const out = new Uint8Array(64);
  for (
    const text of ["AA=A", "A", "AAAAA", "AA A", "AA-_", "=", "AAAA=", "AAA==", "AA\u0000A", "====", "AAAé"]
  ) {
    const frame = ascii(text);
    assert.equal(decodeBase64(frame, 0, frame.length, out), -1, text);
  }
});

Deno.test("floats of 32 bits come out as the decimal that was meant", () => {
  const random = new Random("floats");
  for (let i = 0; i < 20_000; i++) {
    const meant = random.integer(-9_999_999, 9_999_999) / 10 ** random.integer(0, 4);
    const digits = String(Math.abs(meant)).replace(/\D|^0+/g, "").length;
    if (digits <= 6) assert.equal(shortestFloat(Math.fround(meant)), meant);
    assert.equal(Math.fround(shortestFloat(Math.fround(meant))), Math.fround(meant));
  }
  assert.ok(Number.isNaN(shortestFloat(Infinity)) && Number.isNaN(shortestFloat(NaN)));
});
