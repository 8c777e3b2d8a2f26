/** What every monitor owes the family, over the registry: names that perfdata and CSV can carry, ranges that are ranges. */
import assert from "node:assert/strict";
import type { MonitorKind } from "../../lib/monitors/monitor.ts";
import * as registry from "../../lib/monitors/registry.ts";
import { readRange } from "../../lib/monitors/check/range.ts";
import { readThresholds } from "../../lib/monitors/check/thresholds.ts";
import { MONITOR_FLAGS } from "../../lib/monitors/run/monitor_flags.ts";

const MONITORS: Readonly<Record<string, MonitorKind>> = { ...registry };
const UNITS: Readonly<Record<string, RegExp>> = {
  s: /_s$/,
  us: /_us$/,
  ms: /_ms$/,
  "%": /_pct$/,
  B: /_bytes(_per_s)?$/,
};

for (const [word, monitor] of Object.entries(MONITORS)) {
  Deno.test(`monitor ${word}: measures are named by the house's rules and their ranges can be read`, () => {
    assert.ok(Object.keys(monitor.measures).length > 0);
    for (const [name, { unit, doc, warning, critical }] of Object.entries(monitor.measures)) {
      assert.match(name, /^[a-z][a-z0-9_]*$/);
      assert.ok(doc !== "" && !doc.endsWith("."), `${name} has a doc without a full stop`);
      if (UNITS[unit]) assert.match(name, UNITS[unit], `${name} is in ${unit}`);
      for (const range of [warning, critical]) {
        if (range !== undefined) assert.ok(readRange(range), `${name}: ${range}`);
      }
    }
    readThresholds(monitor.measures, { warning: [], critical: [] });
  });

  Deno.test(`monitor ${word}: its flags are its own, and each example says its word`, () => {
    for (const name of Object.keys(monitor.flags)) {
      assert.ok(!(name in MONITOR_FLAGS), `--${name} is everybody's`);
    }
    const letters = [monitor.flags, MONITOR_FLAGS].flatMap((flags) => Object.values(flags))
      .map((flag) => "short" in flag ? flag.short : undefined).filter((letter) => letter !== undefined);
    assert.equal(new Set(letters).size, letters.length, "no letter twice");
    assert.ok(monitor.examples.length > 0);
    for (const { command } of monitor.examples) assert.ok(command.startsWith(`mdg monitor ${word}`));
  });
}
