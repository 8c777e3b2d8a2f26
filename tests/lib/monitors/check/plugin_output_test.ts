/** Conformance of the line that a check prints: perfdata, severities, and text that tries to break out of it. */
import assert from "node:assert/strict";
import {
  LEVEL_CODES,
  performanceText,
  pluginLine,
  worst,
} from "../../../../lib/monitors/check/plugin_output.ts";
import { readRange } from "../../../../lib/monitors/check/range.ts";

Deno.test("perfdata: 'label'=value[UOM];[warn];[crit];[min];[max]", () => {
  const range = (text: string) => readRange(text)!;
  const table: [Parameters<typeof performanceText>[0], string][] = [
    [{ label: "time", value: 0.5, unit: "s" }, "time=0.5s"],
    [
      { label: "a", value: 1, unit: "", warning: range("10"), critical: range("20"), min: 0, max: 100 },
      "a=1;10;20;0;100",
    ],
    [{ label: "a", value: 1, unit: "%", critical: range("@10:20") }, "a=1%;;@10:20"],
    [{ label: "a", value: 1, unit: "us", min: 0 }, "a=1us;;;0"],
    [{ label: "a", value: undefined, unit: "B", warning: range("~:5") }, "a=U;~:5"],
    [{ label: "a", value: NaN, unit: "c" }, "a=U"],
    [{ label: "a", value: 1e21, unit: "" }, "a=1000000000000000000000"],
    [{ label: "a", value: 1e-7, unit: "" }, "a=0"],
    [{ label: "a", value: 1 / 3, unit: "" }, "a=0.333333"],
    [{ label: "a", value: -2.5, unit: "ms" }, "a=-2.5ms"],
    [{ label: "disk /var", value: 1, unit: "B" }, "'disk /var'=1B"],
    [{ label: "it's", value: 1, unit: "" }, "'it''s'=1"],
    [{ label: "a=b", value: 1, unit: "" }, "a_b=1"],
  ];
  for (const [datum, text] of table) assert.equal(performanceText(datum), text);
});

Deno.test("one line, whatever the text holds; the bar only before perfdata", () => {
  assert.equal(pluginLine("redis", "ok", "fine"), "REDIS OK - fine\n");
  const line = pluginLine("redis", "critical", "a|b\nc\r\nd", [{ label: "x", value: 1, unit: "" }]);
  assert.equal(line, "REDIS CRITICAL - a/b c d | x=1\n");
});

Deno.test("exit codes and which state wins", () => {
  assert.deepEqual(LEVEL_CODES, { ok: 0, warning: 1, critical: 2, unknown: 3 });
  assert.equal(worst([]), "ok");
  assert.equal(worst(["ok", "unknown"]), "unknown");
  assert.equal(worst(["unknown", "warning"]), "warning");
  assert.equal(worst(["warning", "critical", "unknown"]), "critical");
});
