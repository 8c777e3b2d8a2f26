/** `--warning NAME=RANGE` and `--critical`, over the monitor's own ranges; and what they say of readings. */
import { quoted, UserError } from "../../base/errors.ts";
import { countText } from "../../tui/quantity.ts";
import type { Finding, Measure, Measures, Readings } from "../monitor.ts";
import { type Level, type PerformanceDatum, worst } from "./plugin_output.ts";
import { alerts, type Range, rangeOf, readRange, wantedText } from "./range.ts";

export interface Threshold {
  readonly warning?: Range;
  readonly critical?: Range;
  /** The command line named it: then a value that is missing is a problem. */
  readonly is_asked: boolean;
}
export type Thresholds = ReadonlyMap<string, Threshold>;

export interface Problem {
  readonly level: Exclude<Level, "ok">;
  readonly text: string;
}

/** @throws UserError (exit 2) for a name that the monitor has not, or what is no range */
export function readThresholds(
  measures: Measures,
  asked: { warning: readonly string[]; critical: readonly string[] },
): Thresholds {
  const given = {
    warning: readPairs("--warning", asked.warning),
    critical: readPairs("--critical", asked.critical),
  };
  for (const [flag, pairs] of Object.entries(given)) {
    for (const name of pairs.keys()) {
      if (Object.hasOwn(measures, name)) continue;
      const known = Object.keys(measures).join(", ");
      throw new UserError(`read "--${flag}": ${quoted(name)} is not measured, want one of ${known}`, {
        code: 2,
      });
    }
  }
  return new Map(
    Object.entries(measures).map(([name, { warning, critical }]): [string, Threshold] => [name, {
      warning: given.warning.get(name) ?? ownRange(name, warning),
      critical: given.critical.get(name) ?? ownRange(name, critical),
      is_asked: given.warning.has(name) || given.critical.has(name),
    }]),
  );
}

function ownRange(name: string, text: string | undefined): Range | undefined {
  if (text === undefined) return undefined;
  const range = readRange(text);
  if (!range) throw new TypeError(`measure "${name}": ${quoted(text)} is no range`);
  return range;
}

function readPairs(flag: string, pairs: readonly string[]): Map<string, Range> {
  return new Map(pairs.map((pair) => {
    const at = pair.indexOf("=");
    if (at <= 0) throw new UserError(`read "${flag}": ${quoted(pair)}, want NAME=RANGE`, { code: 2 });
    return [pair.slice(0, at), rangeOf(flag, pair.slice(at + 1))];
  }));
}

/** Gravest first. */
export function problemsOf(
  measures: Measures,
  thresholds: Thresholds,
  readings: Readings,
  findings: readonly Finding[],
): Problem[] {
  const problems: Problem[] = [...findings];
  for (const [name, { warning, critical, is_asked }] of thresholds) {
    const value = readings[name];
    if (value === undefined) {
      if (is_asked) problems.push({ level: "unknown", text: `${name} is not known here` });
      continue;
    }
    for (const [level, range] of [["critical", critical], ["warning", warning]] as const) {
      if (!range || !alerts(range, value)) continue;
      problems.push({
        level,
        text: `${name} ${valueText(value, measures[name])}, want ${wantedText(range)}`,
      });
      break;
    }
  }
  const rank = (level: Level) => ["critical", "warning", "unknown", "ok"].indexOf(level);
  return problems.toSorted((one, other) => rank(one.level) - rank(other.level));
}

function valueText(value: number, { unit }: Measure): string {
  const text = unit === "B" || Math.abs(value) >= 100_000
    ? countText(value)
    : String(Math.round(value * 100) / 100);
  return unit === "" || unit === "c" ? text : unit === "%" ? `${text}%` : `${text} ${unit}`;
}

export function levelOf(problems: readonly Problem[]): Level {
  return worst(problems.map(({ level }) => level));
}

export function performanceData(
  measures: Measures,
  thresholds: Thresholds,
  readings: Readings,
): PerformanceDatum[] {
  return Object.entries(measures).map(([label, { unit, min, max }]) => ({
    label,
    unit,
    min,
    max,
    value: readings[label],
    warning: thresholds.get(label)?.warning,
    critical: thresholds.get(label)?.critical,
  }));
}
