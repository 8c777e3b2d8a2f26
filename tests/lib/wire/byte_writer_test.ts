/** Printed numbers against `formatDecimal`, over every hint of decimals; texts and JSON strings against the encoder. */
import assert from "node:assert/strict";
import { formatDecimal } from "../../../lib/base/decimal.ts";
import { Random } from "../../../lib/base/random.ts";
import { ByteWriter } from "../../../lib/wire/byte_writer.ts";

const decoder = new TextDecoder();

function printed(write: (writer: ByteWriter) => void): string {
  const writer = new ByteWriter(4);
  write(writer);
  return decoder.decode(writer.copy());
}

Deno.test("every decimal is printed in its shortest plain form, whatever the hint", () => {
  const random = new Random("decimals");
  for (let i = 0; i < 60_000; i++) {
    const digits = random.integer(1, 17);
    const mantissa = Math.floor(random.unit() * 10 ** digits);
    const value = Number(`${random.chance(0.2) ? "-" : ""}${mantissa}e-${random.integer(0, 24)}`);
    const hint = random.integer(0, 25);
    assert.equal(
      printed((writer) => writer.decimal(value, hint)),
      formatDecimal(value),
      `${value}, hint ${hint}`,
    );
  }
});

Deno.test("the corners: 0, −0, powers of ten, what has more decimals than the hint, what is not finite", () => {
  for (
    const value of [0, -0, 1, 9, 10, 99, 100, 999_999_999, 1e9, 1e9 + 1, 1e15 - 1, 1e15, 1e21, 5e-324, 0.1]
  ) {
    for (const hint of [0, 1, 8, 9, 10, 18, 19, 22]) {
      assert.equal(
        printed((writer) => writer.decimal(value, hint)),
        formatDecimal(value),
        `${value}, ${hint}`,
      );
    }
  }
  assert.equal(printed((writer) => writer.decimal(1.23456789012e-8, 22)), "0.0000000123456789012");
});

Deno.test("integers, texts and JSON strings come out as they are", () => {
  const random = new Random("texts");
  const alphabet = ["a", "Z", '"', "\\", "\n", "\u0001", "é", "漢", "😀", " "];
  for (let i = 0; i < 2_000; i++) {
    const text = Array.from({ length: random.integer(0, 80) }, () => random.pick(alphabet)).join("");
    assert.equal(printed((writer) => writer.text(text)), text);
    assert.equal(JSON.parse(printed((writer) => writer.jsonString(text))), text);
    const integer = Math.floor(random.unit() * Number.MAX_SAFE_INTEGER);
    assert.equal(printed((writer) => writer.integer(integer)), String(integer));
  }
});

Deno.test("parts follow each other, reset starts over, a copy lives on", () => {
  const writer = new ByteWriter(1);
  const part = new TextEncoder().encode("x".repeat(40));
  writer.byte(91);
  writer.raw(part);
  writer.raw(part.subarray(0, 3));
  writer.byte(93);
  const kept = writer.copy();
  writer.reset();
  writer.text("other bytes altogether, longer than before and over it all");
  assert.equal(decoder.decode(kept), `[${"x".repeat(43)}]`);
});
