/** Small bars: from zero, the newest right, gaps where there was no value. */
import assert from "node:assert/strict";
import { sparkline } from "../../../lib/tui/sparkline.ts";

Deno.test("bars", () => {
  assert.equal(sparkline([0, 1, 2, 4, 8], 5, true), "▁▁▂▄█");
  assert.equal(sparkline([1, undefined, 1], 5, true), "  █ █");
  assert.equal(sparkline([1, 2, 3, 4], 2, true), "▆█");
  assert.equal(sparkline([0, 0], 2, true), "▁▁");
  assert.equal(sparkline([], 3, true), "   ");
  assert.match(sparkline([0, 1, 2, 4, 8], 5, false), /^[\x20-\x7e]{5}$/);
});
