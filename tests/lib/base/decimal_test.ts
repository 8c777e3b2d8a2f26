/**
 * Decimals against BigInt arithmetic: a text is an integer over a power of ten, and whatever we print must be the same
 * rational number. The canary reads through a lossy step and must be caught.
 */
import assert from "node:assert/strict";
import { formatDecimal, plainDecimal, POWERS_OF_TEN, readDecimal } from "../../../lib/base/decimal.ts";
import { Random } from "../../../lib/base/random.ts";

/** A decimal text as numerator over 10^scale, by BigInt alone. */
function rational(text: string): { numerator: bigint; scale: number } {
  const match = /^([+-]?)(\d*)\.?(\d*)(?:[eE]([+-]?\d+))?$/.exec(text);
  assert.ok(match, text);
  const numerator = BigInt(match[1] + "1") * BigInt(`0${match[2]}${match[3]}`);
  return { numerator, scale: match[3].length - Number(match[4] ?? 0) };
}
function sameNumber(one: string, other: string): boolean {
  const a = rational(one);
  const b = rational(other);
  const scale = Math.max(a.scale, b.scale, 0);
  return a.numerator * 10n ** BigInt(scale - a.scale) === b.numerator * 10n ** BigInt(scale - b.scale);
}

function randomText(random: Random, max_digits: number): string {
  const digits = Array.from({ length: random.integer(1, max_digits) }, () => random.integer(0, 9)).join("");
  const point = random.integer(0, digits.length);
  let text = random.chance(0.2) ? digits : `${digits.slice(0, point)}.${digits.slice(point)}`;
  if (random.chance(0.3)) {
    text += `${random.pick(["e", "E"])}${random.pick(["", "+", "-"])}${random.integer(0, 25)}`;
  }
  return random.pick(["", "", "", "-", "+"]) + text;
}

Deno.test("readDecimal gives back the same number for any text, by the double or by the text beside it", () => {
  const random = new Random("read");
  let with_text = 0;
  for (let i = 0; i < 20_000; i++) {
    const text = randomText(random, 24);
    const read = readDecimal(text)!;
    if (read.text !== undefined) with_text++;
    assert.ok(sameNumber(read.text ?? formatDecimal(read.value), text), text);
    assert.equal(read.value, Number(text));
  }
  assert.ok(with_text > 1_000, "the test never reached long decimals");
});

Deno.test("canary: without the text beside it, long decimals do not survive", () => {
  const random = new Random("read");
  let lost = 0;
  for (let i = 0; i < 20_000; i++) {
    const text = randomText(random, 24);
    if (!sameNumber(formatDecimal(Number(text)), text)) lost++;
  }
  assert.ok(lost > 100, `${lost} lost`);
});

Deno.test("decimals counts the digits after the point without trailing zeros", () => {
  const cases: [string, number][] = [["1", 0], ["1.0", 0], ["1.50", 1], ["0.00100", 3], ["1e-7", 7], [
    "12e2",
    0,
  ]];
  for (const [text, decimals] of [...cases, ["1.23e1", 1], ["0.000", 0], ["100", 0]] as const) {
    assert.equal(readDecimal(text)?.decimals, decimals, text);
  }
});

Deno.test("plainDecimal is the shortest plain form of the same number", () => {
  const random = new Random("plain");
  for (let i = 0; i < 20_000; i++) {
    const text = randomText(random, 24);
    const plain = plainDecimal(text);
    assert.ok(sameNumber(plain, text), `${text} → ${plain}`);
    assert.match(plain, /^-?(0|[1-9]\d*)(\.\d*[1-9])?$/, text);
    assert.notEqual(plain, "-0");
    assert.equal(plainDecimal(plain), plain);
  }
});

Deno.test("formatDecimal never prints an exponent and reads back to the same double", () => {
  const random = new Random("format");
  for (let i = 0; i < 20_000; i++) {
    const value = (random.unit() - 0.5) * 10 ** random.integer(-30, 30);
    const text = formatDecimal(value);
    assert.equal(Number(text), value);
    assert.doesNotMatch(text, /e/i);
  }
  assert.equal(formatDecimal(1e-7), "0.0000001");
  assert.equal(formatDecimal(1e21), "1" + "0".repeat(21));
  assert.equal(formatDecimal(-0), "0");
  assert.equal(formatDecimal(-2.5e-8), "-0.000000025");
});

Deno.test("what is no finite decimal is refused", () => {
  const none = [
    "",
    ".",
    "+",
    "-",
    "e5",
    "1e",
    "1.2.3",
    "0x10",
    "NaN",
    "Infinity",
    "1 ",
    " 1",
    "1_000",
    "١",
    "1,5",
  ];
  for (const text of [...none, "1e400", "1e99999", "--1"]) assert.equal(readDecimal(text), undefined, text);
  for (const text of none) assert.throws(() => plainDecimal(text), RangeError, text);
});

Deno.test("a number too small for an exact double is not read as 0", () => {
  for (const text of ["1e-400", "0." + "0".repeat(330) + "1", "1.23456789012345e-315"]) {
    const read = readDecimal(text);
    assert.ok(read === undefined || sameNumber(read.text ?? formatDecimal(read.value), text), text);
  }
});

Deno.test("the powers of ten are exact, and mantissa / power rounds as the text does", () => {
  POWERS_OF_TEN.forEach((power, n) => assert.equal(BigInt(power), 10n ** BigInt(n)));
  const random = new Random("powers");
  for (let i = 0; i < 20_000; i++) {
    const mantissa = Math.floor(random.unit() * 10 ** random.integer(1, 15));
    const decimals = random.integer(0, 22);
    assert.equal(mantissa / POWERS_OF_TEN[decimals], Number(`${mantissa}e-${decimals}`));
  }
});
