/** The formatter: fixed cases, and over generated documents: idempotent, same value, same comments, same numerals. */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { formatJson5Text, type FormatOptions } from "../../../../lib/formats/json5/format.ts";
import { locateJson5 } from "../../../../lib/formats/json5/locate.ts";
import { parseJson5 } from "../../../../lib/formats/json5/parse.ts";
import { TokenKind } from "../../../../lib/formats/json5/tokens.ts";
import { is_long } from "../../../services.ts";
import { generateJson5 } from "./generate_json5.ts";
import { plainValue } from "./plain_value.ts";

const format = (text: string, options: FormatOptions = {}) => formatJson5Text(parseJson5(text), options);

function tokensOf(text: string, kinds: readonly number[]): string[] {
  const { tokens } = parseJson5(text);
  return Array.from({ length: tokens.count }, (_, i) => i).filter((i) => kinds.includes(tokens.kindAt(i)))
    .map((i) => tokens.textOf(i));
}

Deno.test("comments, blank lines, numerals and strings stay; layout and key quotes change", () => {
  const source = `// head

{ "a": 0xAF, // behind a
  /* leads b */ 'b-c': +.5 /* before the comma */, c: [ ], // empty


  // own line
  d: { /* inside */ }, e: [1, /* leads 2 */ 2
  // last
  ]
} // end`;
  assert.equal(
    format(source),
    `// head

{
  a: 0xAF, // behind a
  /* leads b */ 'b-c': +.5,
  /* before the comma */ c: [], // empty

  // own line
  d: { /* inside */
  },
  e: [
    1,
    /* leads 2 */ 2,
    // last
  ],
} // end
`,
  );
});

Deno.test("options: no trailing commas, one element on one line, sorted arrays, kept quotes, indent", () => {
  const text = `{"a": [3, 10, "b", 2], b: {c: [1]}}`;
  assert.equal(
    format(text, {
      trailing_commas: false,
      collapse_single: true,
      sort_arrays: true,
      keep_quotes: true,
      indent: 1,
    }),
    `{\n "a": [\n  2,\n  3,\n  10,\n  "b"\n ],\n b: { c: [1] }\n}\n`,
  );
});

Deno.test("generated documents: twice is once; value, comments, numerals and strings unchanged", () => {
  const random = new Random("json5 format");
  const kept = [TokenKind.line_comment, TokenKind.block_comment, TokenKind.numeral];
  const count = is_long ? 100_000 : 2_000;
  for (let i = 0; i < count; i++) {
    const text = generateJson5(random);
    const options = {
      trailing_commas: random.chance(0.5),
      collapse_single: random.chance(0.3),
      keep_quotes: random.chance(0.5),
      indent: random.integer(0, 4),
    };
    const once = format(text, options);
    assert.equal(format(once, options), once, JSON.stringify(text));
    assert.deepEqual(
      plainValue(locateJson5(parseJson5(once))),
      plainValue(locateJson5(parseJson5(text))),
      text,
    );
    assert.deepEqual(tokensOf(once, kept), tokensOf(text, kept));
    const sorted = { ...options, sort_arrays: true };
    assert.equal(format(format(text, sorted), sorted), format(text, sorted));
  }
});
