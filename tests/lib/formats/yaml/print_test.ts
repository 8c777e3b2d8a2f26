/** Printed YAML reads back as the same data, under 1.2 and under 1.1 rules, for texts that look like something else. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { Random } from "../../../../lib/base/random.ts";
import { printYaml } from "../../../../lib/formats/yaml/print.ts";

const LOOKALIKES = [
  "yes",
  "no",
  "on",
  "off",
  "y",
  "N",
  "~",
  "null",
  "true",
  ".inf",
  ".NaN",
  "0777",
  "0o7",
  "0x1F",
]
  .concat([
    "1_000",
    "12:30:45",
    "2024-01-01",
    "1e5",
    "1.",
    "=",
    "<<",
    "",
    " a",
    "a ",
    "a: b",
    "a #b",
    "- a",
    "---",
  ])
  .concat([
    "\u0085",
    "\u007F",
    "\u2028",
    "\uFEFF",
    "\uFFFE",
    "é😀",
    "a\nb",
    "*a",
    "&a",
    "!a",
    "%a",
    "@a",
    "`a",
    "[",
    "{",
  ]);

Deno.test("strings that look like numbers, dates or booleans stay strings in both YAML versions", () => {
  for (const text of LOOKALIKES) {
    const printed = printYaml({ value: text, [text]: 1, list: [text] });
    for (const version of ["1.1", "1.2"] as const) {
      const back = parse(printed, { version, merge: false }) as Record<string, unknown>;
      assert.equal(back.value, text, printed);
      assert.equal(back[text], 1, printed);
    }
    assert.ok(!/[\u007F-\u009F\u2028\uFEFF\uFFFE]/.test(printed));
  }
});

Deno.test("generated data survives printing and reading", () => {
  const random = new Random("yaml print");
  const value = (depth: number): unknown => {
    switch (random.integer(0, depth > 3 ? 3 : 5)) {
      case 0:
        return random.pick([true, false, null]);
      case 1:
        return random.normal() * 10 ** random.integer(-9, 9);
      case 2:
        return random.pick(LOOKALIKES);
      case 3:
        return String.fromCodePoint(random.integer(32, 0xD7FF), random.integer(32, 126));
      case 4:
        return Array.from({ length: random.integer(0, 4) }, () => value(depth + 1));
      default: {
        const entries = Array.from({ length: random.integer(0, 4) }, (_, i) => [`k${i}`, value(depth + 1)]);
        return Object.fromEntries(entries);
      }
    }
  };
  for (let i = 0; i < 300; i++) {
    const data = value(0);
    assert.deepEqual(parse(printYaml(data)), data);
  }
});
