/** Thresholds: the monitor's own, those of the command line over them, and what is said of readings. */
import assert from "node:assert/strict";
import { levelOf, problemsOf, readThresholds } from "../../../../lib/monitors/check/thresholds.ts";

const MEASURES = {
  load_pct: { unit: "%", doc: "load", warning: "80", critical: "95" },
  ops: { unit: "", doc: "operations" },
} as const;
const read = (warning: string[] = [], critical: string[] = []) =>
  readThresholds(MEASURES, { warning, critical });

Deno.test("own ranges count until the command line names another; only the gravest of a measure is told", () => {
  const problems = (value: number, thresholds = read()) =>
    problemsOf(MEASURES, thresholds, { load_pct: value }, []);
  assert.deepEqual(problems(80), []);
  assert.deepEqual(problems(81.234), [{ level: "warning", text: "load_pct 81.23%, want at most 80" }]);
  assert.deepEqual(problems(96), [{ level: "critical", text: "load_pct 96%, want at most 95" }]);
  assert.deepEqual(problems(90, read(["load_pct=~:"])), []);
  assert.deepEqual(problems(96, read(["load_pct=10"])).map(({ level }) => level), ["critical"]);
});

Deno.test("a value that is missing is a problem only where it was asked for", () => {
  assert.deepEqual(problemsOf(MEASURES, read(), {}, []), []);
  const problems = problemsOf(MEASURES, read([], ["ops=1:"]), {}, []);
  assert.equal(levelOf(problems), "unknown");
  assert.match(problems[0].text, /ops is not known here/);
});

Deno.test("findings come along; the gravest first", () => {
  const findings = [{ level: "warning", text: "a" }, { level: "critical", text: "b" }] as const;
  const problems = problemsOf(MEASURES, read(), { load_pct: 81 }, findings);
  assert.deepEqual(problems.map(({ text }) => text.slice(0, 8)), ["b", "a", "load_pct"]);
});

Deno.test("asked wrongly", () => {
  assert.throws(
    () => read(["nothing=1"]),
    /read "--warning": "nothing" is not measured, want one of load_pct, ops/,
  );
  assert.throws(() => read([], ["load_pct"]), /read "--critical": "load_pct", want NAME=RANGE/);
  assert.throws(() => read([], ["load_pct=20:10"]), /read "--critical": "20:10", want a range/);
});
