import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { daysOf, escapeText, unescapeText } from "../../../../lib/sinks/sql/copy_text.ts";

Deno.test("any text survives the way through a row", () => {
  const random = new Random("copy");
  const letters = ["\\", "\t", "\n", "\r", "a", "N", "é", "𝄞", "{", ","];
  for (let i = 0; i < 2_000; i++) {
    const text = Array.from({ length: random.integer(0, 12) }, () => random.pick(letters)).join("");
    const escaped = escapeText(text);
    assert.ok(!/[\t\n\r]/.test(escaped), JSON.stringify(escaped));
    assert.notEqual(escaped, "\\N");
    assert.equal(unescapeText(escaped), text);
  }
  assert.equal(escapeText("a\0b"), "a\ufffdb");
});

Deno.test("the days of rows are found, in runs and out of order", () => {
  const rows = ["2024-08-08T1\tx\n", "2024-08-08T2\ty\n", "2024-08-09T0\tz\n", "2024-08-08T3\tw\n"];
  assert.deepEqual([...daysOf(rows.join(""))], ["2024-08-08", "2024-08-09"]);
  assert.deepEqual([...daysOf("")], []);
});
