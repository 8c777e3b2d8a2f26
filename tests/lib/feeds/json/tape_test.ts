/** The tape against JSON.parse: the same texts accepted, the same values found. */
import assert from "node:assert/strict";
import { readDecimal } from "../../../../lib/base/decimal.ts";
import { Random } from "../../../../lib/base/random.ts";
import { FieldNames } from "../../../../lib/feeds/json/field_names.ts";
import { ARRAY, JsonTape, NUMBER, OBJECT, STRING } from "../../../../lib/feeds/json/tape.ts";

const encoder = new TextEncoder();
const tape = new JsonTape();
const scan = (text: string) => tape.scan(encoder.encode(text));

/** The value of a node, made the slow way. */
function valueOf(node: number): unknown {
  const kind = tape.kind(node);
  if (kind === STRING) return JSON.parse(`"${tape.text(node)}"`);
  if (kind === NUMBER) return Number(tape.text(node));
  if (kind === ARRAY) {
    const list: unknown[] = [];
    for (let at = node + 1; at < tape.next(node); at = tape.next(at)) list.push(valueOf(at));
    return list;
  }
  if (kind === OBJECT) {
    const object: Record<string, unknown> = {};
    for (let at = node + 1; at < tape.next(node); at = tape.next(at + 1)) {
      object[String(valueOf(at))] = valueOf(at + 1);
    }
    return object;
  }
  return tape.isTrue(node) ? true : tape.isFalse(node) ? false : null;
}

function parsed(text: string): { value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

Deno.test("every value of a frame is found where it stands", () => {
  const text = ' {"a":[1,-2.5e3,"x\\u0041\\n",[],{}],"b":{"c":null,"d":[true,false]},"e":"" } ';
  assert.ok(scan(text));
  assert.deepEqual(valueOf(0), JSON.parse(text));
  assert.equal(tape.field(0, "zz"), -1);
  assert.equal(tape.field(tape.field(0, "a"), "a"), -1);
  assert.ok(tape.isTrue(tape.field(tape.field(0, "b"), "d") + 1));
});

Deno.test("a key said twice is not there", () => {
  assert.ok(scan('{"price":1,"price":2,"qty":3}'));
  assert.equal(tape.field(0, "price"), -1);
  assert.equal(tape.integer(tape.field(0, "qty")), 3);
});

Deno.test("fields: the same as one by one, said twice as good as none", () => {
  const names = ["bid", "bid_qty", "ask", "ask_qty", "best_bid_price", "best_ask_price", "b", "a"];
  const wanted = new FieldNames(names);
  const random = new Random("fields");
  for (let i = 0; i < 2_000; i++) {
    const keys = Array.from(
      { length: random.integer(0, 12) },
      () => random.pick([...names, "", "c", "bad", "ask_qtx"]),
    );
    assert.ok(scan(`{${keys.map((key, at) => `"${key}":${at % 2 ? `[${at}]` : at}`).join()}}`));
    assert.ok(tape.fields(0, wanted));
    assert.deepEqual([...wanted.at], names.map((name) => tape.field(0, name)), keys.join());
  }
  assert.ok(scan("[1]"));
  assert.ok(!tape.fields(0, wanted));
  assert.ok(wanted.at.every((node) => node === -1));
});

Deno.test("the one element of an array, else nothing", () => {
  for (const [text, found] of [["[]", -1], ["[[1,2]]", 1], ["[1,2]", -1], ['{"a":1}', -1]] as const) {
    assert.ok(scan(text));
    assert.equal(tape.soleElement(0), found, text);
  }
});

Deno.test("decimals: exact below 16 digits, with their text beyond, said as number or string", () => {
  const cases: [string, number, string | undefined, number][] = [
    ["0.00000765", 7.65e-6, undefined, 8],
    ['"45285.20"', 45285.2, undefined, 1],
    ["1e-7", 1e-7, undefined, 7],
    ["1e-10", 1e-10, undefined, 10],
    ["-0.5", -0.5, undefined, 1],
    ["1234567890123.45678", 1234567890123.45678, "1234567890123.45678", 5],
    ['"007"', 7, undefined, 0],
  ];
  for (const [text, value, exact, decimals] of cases) {
    assert.ok(scan(text));
    assert.equal(tape.decimal(0), value, text);
    assert.equal(tape.exact_text, exact, text);
    assert.equal(tape.significantDecimals(0), decimals, text);
  }
  for (const text of ['""', '"x"', '"1.2.3"', "null", "[1]", '"1e999"', `"${"1".repeat(70)}"`]) {
    assert.ok(scan(text));
    assert.ok(Number.isNaN(tape.decimal(0)), text);
  }
});

Deno.test("integers: below 2^53, else nothing", () => {
  for (const [text, value] of [["9007199254740991", 9007199254740991], ['"12"', 12], ["0", 0]] as const) {
    assert.ok(scan(text));
    assert.equal(tape.integer(0), value);
  }
  for (const text of ["9007199254740992", "-1", "1.0", '""', '"1x"', "true"]) {
    assert.ok(scan(text));
    assert.ok(Number.isNaN(tape.integer(0)), text);
  }
});

Deno.test("deep nesting is refused, a long list is not, and its memory is given back", () => {
  assert.ok(!scan("[".repeat(40) + "]".repeat(40)));
  assert.ok(scan(`[${"1,".repeat(500_000)}1]`));
  assert.equal(tape.next(0), 500_002);
  assert.ok(scan("[1]"));
  assert.equal(tape.soleElement(0), 1);
});

Deno.test("what JSON.parse accepts the tape accepts, and nothing else (seeded, 40,000 texts)", () => {
  const random = new Random("tape");
  const pieces = [
    ...'{}[],:"\\.-+0123456789eEunlt \n\t/'.split(""),
    ...['"a"', '"b":', "true", "false", "null", "1.5", "\\u00e9", "\\x", "-0", "01", "[]", '{"a":1}', "é"],
  ];
  let accepted = 0;
  for (let i = 0; i < 40_000; i++) {
    let text = '{"a":[1,"b",{"c":null}],"d":-1.5e+3,"é":"\\n"}';
    if (random.chance(0.3)) {
      text = Array.from({ length: random.integer(1, 8) }, () => random.pick(pieces)).join("");
    } else {
      for (let n = random.integer(0, 2); n > 0; n--) {
        const at = random.integer(0, text.length - 1);
        text = text.slice(0, at) + random.pick(pieces) + text.slice(at + random.integer(0, 1));
      }
    }
    const expected = parsed(text);
    assert.equal(scan(text), expected !== undefined, text);
    if (expected === undefined) continue;
    accepted++;
    assert.deepEqual(valueOf(0), expected.value, text);
  }
  assert.ok(accepted > 5_000, `${accepted}`);
});

Deno.test("decimals with exponents are read as the host reads them, with their places (seeded, 20,000 texts)", () => {
  const random = new Random("exponents");
  for (let i = 0; i < 20_000; i++) {
    const digits = String(random.integer(0, 10 ** random.integer(1, 15)));
    const fraction = random.chance(0.5) ? `.${random.integer(0, 99_999)}` : "";
    const sign = random.pick(["", "+", "-"]);
    const text = `${digits}${fraction}${random.pick(["e", "E"])}${sign}${random.integer(0, 30)}`;
    assert.ok(scan(text));
    const want = readDecimal(text)!;
    assert.equal(tape.decimal(0), want.value, text);
    assert.deepEqual([tape.decimals, tape.exact_text], [Math.min(want.decimals, 22), want.text], text);
  }
  for (const text of ['"1e"', '"1e+"', '"1e99999999999999999999"', '"1e4294967297"', '"1ex"', "1e400"]) {
    assert.ok(scan(text));
    assert.ok(Number.isNaN(tape.decimal(0)), text);
  }
});
