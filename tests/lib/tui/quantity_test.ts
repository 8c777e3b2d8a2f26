/** Numbers for people: three digits, a unit, a dash for what is absent. */
import assert from "node:assert/strict";
import {
  bytesText,
  countText,
  microsecondsText,
  percentText,
  secondsText,
} from "../../../lib/tui/quantity.ts";

Deno.test("counts, bytes, shares, times", () => {
  const table: [string, string][] = [
    [countText(undefined), "-"],
    [countText(0), "0"],
    [countText(7), "7"],
    [countText(0.5), "0.50"],
    [countText(999), "999"],
    [countText(999.6), "1.00k"],
    [countText(12_345), "12.3k"],
    [countText(1_234_567), "1.23M"],
    [countText(-1_500), "-1.50k"],
    [bytesText(1_023), "1023B"],
    [bytesText(1_024), "1.00Ki"],
    [bytesText(8 * 1024 ** 2), "8.00Mi"],
    [percentText(0), "0%"],
    [percentText(99.94), "99.9%"],
    [percentText(100), "100%"],
    [microsecondsText(85), "85µs"],
    [microsecondsText(1_250), "1.25ms"],
    [microsecondsText(15_000_000), "15.0s"],
    [microsecondsText(61_000_000), "1m01s"],
    [secondsText(0.25), "250ms"],
    [secondsText(0), "0.0s"],
    [secondsText(4.24), "4.2s"],
    [secondsText(12), "12s"],
    [secondsText(185), "3m05s"],
    [secondsText(15_000), "4h10m"],
    [secondsText(1_050_000), "12d03h"],
  ];
  for (const [found, wanted] of table) assert.equal(found, wanted);
});
