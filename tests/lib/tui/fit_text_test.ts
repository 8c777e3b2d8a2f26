/** Text by the columns it takes, and text that would like to steer the terminal. */
import assert from "node:assert/strict";
import { cut, fit, oneLine, widthOf, wrap } from "../../../lib/tui/fit_text.ts";

Deno.test("wide, combining and emoji characters are counted by their columns, and never cut in half", () => {
  assert.equal(widthOf("价格"), 4);
  assert.equal(widthOf("e\u0301"), 1);
  assert.equal(cut("价格", 3), "价…");
  assert.equal(cut("价格", 4), "价格");
  assert.equal(cut("ab", 0), "");
  for (let width = 0; width < 12; width++) {
    for (const text of ["abcdefgh", "价格价格", "👩‍👩‍👧‍👦 family", "e\u0301e\u0301e\u0301"]) {
      assert.equal(widthOf(fit(text, width)), width, `${text} in ${width}`);
    }
  }
  assert.equal(fit("7", 3, "right"), "  7");
});

Deno.test("a name from outside moves no cursor, turns no text round and takes one line", () => {
  assert.equal(oneLine("a\u001b[2Jb\u009b1mc\r\nd\te\u202ef"), "a[2Jb1mc d ef");
});

Deno.test("long texts are broken between words; a word that is too long stays whole", () => {
  assert.deepEqual(wrap(" one two three", 9, "  "), [" one two", "  three"]);
  assert.deepEqual(wrap("short", 9), ["short"]);
  assert.deepEqual(wrap("", 9), [""]);
  assert.deepEqual(wrap("supercalifragilistic x", 9), ["supercalifragilistic", "x"]);
  assert.deepEqual(wrap("价格 价格", 5), ["价格", "价格"]);
});
