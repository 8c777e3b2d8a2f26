/**
 * Damaged configs never crash the reader: the outcome is a config, or a UserError with a place. Seeded; longer with
 * --long. Counts both outcomes, so the test fails if damage stops being damage (or everything is refused).
 */
import assert from "node:assert/strict";
import { is_long } from "../../services.ts";
import { reasonOf, UserError } from "../../../lib/base/errors.ts";
import { Random } from "../../../lib/base/random.ts";
import { ConfigError } from "../../../lib/config/problem.ts";
import type { ConfigFormat } from "../../../lib/config/read_source.ts";
import { read } from "./invented_kinds.ts";

const rounds = is_long ? 100_000 : 600;

const yaml = `# a gateway
name: &n "gw-\${HOST:-x}"
sources:
  - kind: live
    venue: binance-futures
    symbols: [BTCUSDT, ETHUSDT]   # two
sinks:
  - &r {kind: redis, url: 'redis://h:6379', labels: {a: *n}}
  - <<: *r
    order_book_depth: 0x10
servers: [{kind: health, listen: "0.0.0.0:9090"}]
`;
const json = JSON.stringify(read(yaml).config, null, 2);
const texts: Record<ConfigFormat, string> = {
  yaml,
  json,
  jsonc: `// a gateway\n${json.replace(/\n}$/, ",\n}")}`,
  json5: json.replace(/"(\w+)":/g, "$1:").replaceAll('"', "'").replace(/\n}$/, ", /* end */\n}"),
};
const DEBRIS = [
  "{",
  "}",
  "[",
  "]",
  ",",
  ":",
  '"',
  "'",
  "\\",
  "#",
  "&a",
  "*n",
  "<<: ",
  "- ",
  "\t",
  "\n",
  " ",
  "|",
  ">",
  "!x",
]
  .concat([
    "${",
    "${A}",
    "$${",
    "?",
    "%",
    "0",
    "-",
    "null",
    "\u0000",
    "\uFEFF",
    "\uD800",
    "é",
    "---\n",
    "...\n",
    "kind",
    "//",
  ]);

function damaged(random: Random, text: string): string {
  for (let left = random.integer(0, 4); left > 0; left--) {
    const at = random.integer(0, text.length);
    const cut = random.chance(0.2) ? random.integer(0, 60) : random.integer(0, 2);
    const piece = random.chance(0.2)
      ? text.slice(random.integer(0, text.length)).slice(0, 80)
      : random.pick(DEBRIS);
    text = text.slice(0, at) + (random.chance(0.7) ? piece : "") + text.slice(at + cut);
  }
  return text;
}

for (const format of ["yaml", "json5", "jsonc", "json"] as const) {
  Deno.test(`damaged ${format}: a config or a located refusal, never a crash`, () => {
    assert.deepEqual(read(texts[format], format).config, read(yaml).config, "the undamaged text is whole");
    const random = new Random(`config fuzz ${format}`);
    let read_well = 0;
    let refused = 0;
    for (let i = 0; i < rounds; i++) {
      const text = damaged(random, texts[format]);
      try {
        read(text, format);
        read_well++;
      } catch (error) {
        assert.ok(error instanceof UserError, `${reasonOf(error)} for ${JSON.stringify(text)}`);
        assert.ok(error instanceof ConfigError && error.problems.length > 0);
        for (const problem of error.problems) {
          assert.ok(problem.line >= 1 && problem.column >= 1 && problem.message);
        }
        refused++;
      }
    }
    assert.ok(read_well > rounds / 20 && refused > rounds / 4, `read ${read_well}, refused ${refused}`);
  });
}
