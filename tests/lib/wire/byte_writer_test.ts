import assert from "node:assert/strict";
import { formatDecimal, plainDecimal } from "../../../lib/base/decimal.ts";
import { Random } from "../../../lib/base/random.ts";
import { ByteWriter } from "../../../lib/wire/byte_writer.ts";
import { is_long } from "../../services.ts";

/** A million where there is time for it, else enough to touch every branch often. */
const ROUNDS = is_long ? 1_000_000 : 50_000;

const decoder = new TextDecoder();
const writer = new ByteWriter(16);

function written(write: (writer: ByteWriter) => void): string {
  writer.reset();
  write(writer);
  return decoder.decode(writer.copy());
}

/** A decimal with a random number of digits and a random point, from 10^-24 to 10^20. */
function randomDecimal(random: Random): number {
  const digits = random.integer(1, 17);
  let text = random.chance(0.2) ? "-" : "";
  for (let i = 0; i < digits; i++) text += random.chance(0.3) ? "0" : String(random.integer(0, 9));
  return Number(`${text}e${random.integer(-24, 20) - digits}`);
}

Deno.test("decimal prints what String prints, without an exponent, whatever the hint", () => {
  const random = new Random("byte-writer");
  for (let i = 0; i < ROUNDS; i++) {
    const value = randomDecimal(random);
    const hint = random.integer(0, 24);
    const text = written((writer) => writer.decimal(value, hint));
    const wanted = formatDecimal(Object.is(value, -0) ? 0 : value);
    if (text !== wanted) assert.fail(`decimal(${value}, ${hint}): ${text}, want ${wanted}`);
    if (Number(text) !== value) assert.fail(`decimal(${value}, ${hint}) reads back as ${Number(text)}`);
  }
});

Deno.test("decimal prints market-like numbers by the short way exactly", () => {
  const random = new Random("ticks");
  for (let i = 0; i < ROUNDS; i++) {
    const decimals = random.integer(0, 18);
    const text = plainDecimal(`${random.integer(0, 999_999_999)}e-${decimals}`);
    assert.equal(written((writer) => writer.decimal(Number(text), decimals)), text);
  }
});

Deno.test("decimal at the borders of its ways", () => {
  const cases: [number, number, string][] = [
    [0, 0, "0"],
    [-0, 3, "0"],
    [999_999_999_999_999, 0, "999999999999999"],
    [1e15, 0, "1000000000000000"],
    [1e21, 0, "1000000000000000000000"],
    [5e-324, 8, "0." + "0".repeat(323) + "5"],
    [1e-7, 7, "0.0000001"],
    [1.234567890123e-5, 19, "0.00001234567890123"],
    [0.1 + 0.2, 8, "0.30000000000000004"],
    [61800.1, 1, "61800.1"],
    [-61800.1, 1, "-61800.1"],
    [1e9, 0, "1000000000"],
    [999_999_999.999999, 6, "999999999.999999"],
    [1_723_075_200_000, 0, "1723075200000"],
  ];
  for (const [value, decimals, text] of cases) {
    assert.equal(written((writer) => writer.decimal(value, decimals)), text);
  }
});

Deno.test("text and jsonString are UTF-8 and escaped", () => {
  for (const text of ["BTCUSDT", "", 'a"b\\c', "币安USDT", "line\nbreak", "BTC-USDT:PERP/x", "\u2028😀"]) {
    assert.equal(written((writer) => writer.text(text)), text);
    assert.equal(JSON.parse(written((writer) => writer.jsonString(text))), text);
  }
});

Deno.test("copy outlives the next message; the buffer grows", () => {
  writer.reset();
  writer.text("first");
  const first = writer.copy();
  writer.reset();
  writer.raw(new Uint8Array(100_000).fill(120));
  assert.equal(decoder.decode(first), "first");
  assert.equal(writer.length, 100_000);
});
