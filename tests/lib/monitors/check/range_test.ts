/** Conformance of ranges: the table of the Monitoring Plugins guidelines, its edges, and what is no range at all. */
import assert from "node:assert/strict";
import { alerts, rangeOf, readRange, wantedText } from "../../../../lib/monitors/check/range.ts";

/** Range → values that alert, values that do not. */
const TABLE: readonly [range: string, alerting: readonly number[], fine: readonly number[]][] = [
  // the guidelines' own table
  ["10", [-1, -0.001, 10.001, 11], [0, 5, 10]],
  ["10:", [-10, 0, 9.999], [10, 11, 1e12]],
  ["~:10", [10.001, 11, 1e12], [-1e12, -1, 0, 10]],
  ["10:20", [9.999, 20.001, -15], [10, 15, 20]],
  ["@10:20", [10, 15, 20], [9.999, 20.001, 0]],
  // the same written otherwise, and edges
  ["0:10", [-1, 11], [0, 10]],
  [":10", [-1, 11], [0, 10]],
  ["@10", [0, 5, 10], [-1, 11]],
  ["@10:", [10, 11], [9]],
  ["@~:10", [-5, 10], [11]],
  ["~:", [], [-1e12, 0, 1e12]],
  ["@~:", [-1, 0, 1], []],
  ["0", [-1, 1, 0.5], [0]],
  ["1:", [0], [1, 2]],
  ["5:5", [4, 6], [5]],
  ["~:0", [1], [0, -1]],
  ["-20:-10", [-21, -9, 15], [-20, -10]],
  ["-10:", [-11], [-10, 0]],
  ["1.5:2.5", [1.4, 2.6], [1.5, 2.5]],
  [".5", [-0.1, 0.6], [0, 0.5]],
  ["+1:+2", [0, 3], [1, 2]],
];

Deno.test("each range of the conformance table alerts where it must, and nowhere else", async (t) => {
  for (const [text, alerting, fine] of TABLE) {
    await t.step(text, () => {
      const range = readRange(text)!;
      assert.ok(range, `${text} is a range`);
      assert.equal(range.text, text);
      for (const value of alerting) assert.ok(alerts(range, value), `${value} alerts`);
      for (const value of fine) assert.ok(!alerts(range, value), `${value} does not alert`);
    });
  }
});

Deno.test("what is no range is refused, with the flag and examples", () => {
  for (
    const text of [
      "",
      "@",
      ":",
      "@:",
      "~",
      "20:10",
      "a",
      "10:b",
      "1:2:3",
      "10 ",
      "1e3",
      "0x10",
      "~:~",
      "10:~",
      "--1",
      "∞",
      "NaN",
    ]
  ) {
    assert.equal(readRange(text), undefined, JSON.stringify(text));
    assert.throws(
      () => rangeOf("--warning", text),
      /^UserError: read "--warning": .*, want a range such as 10, 10:/,
    );
  }
});

Deno.test("what a range wants is said in words", () => {
  const said = ["10", "10:", "~:10", "10:20", "@10:20", "~:"].map((text) => wantedText(readRange(text)!));
  assert.deepEqual(said, ["at most 10", "10 or more", "10 or less", "10 to 20", "not 10 to 20", "any value"]);
});
