/**
 * One line as the Monitoring Plugins guidelines want it: `REDIS OK - text | 'label'=value[UOM];warn;crit;min;max …`, and
 * the exit code. Pure. Text from outside can't break it: bars and line ends are taken out.
 */
import type { Range } from "./range.ts";

export type Level = "ok" | "warning" | "critical" | "unknown";
export const LEVEL_CODES = { ok: 0, warning: 1, critical: 2, unknown: 3 } as const satisfies Record<
  Level,
  number
>;

/** Graver ones win; what is not known is graver than what is fine, and lighter than what is known to be wrong. */
const GRAVITY: readonly Level[] = ["ok", "unknown", "warning", "critical"];

export function worst(levels: Iterable<Level>): Level {
  let found = 0;
  for (const level of levels) found = Math.max(found, GRAVITY.indexOf(level));
  return GRAVITY[found];
}

/** UOM: none, seconds, milliseconds, microseconds, percent, bytes, a continuous counter. */
export type Unit = "" | "s" | "ms" | "us" | "%" | "B" | "c";

export interface PerformanceDatum {
  readonly label: string;
  /** Undefined: could not be determined, `U`. */
  readonly value: number | undefined;
  readonly unit: Unit;
  readonly warning?: Range;
  readonly critical?: Range;
  readonly min?: number;
  readonly max?: number;
}

export function performanceText(datum: PerformanceDatum): string {
  const { label, value, unit, warning, critical, min, max } = datum;
  const name = label.replaceAll("=", "_").replaceAll("'", "''");
  const shown = value === undefined || !Number.isFinite(value) ? "U" : `${plainNumber(value)}${unit}`;
  const bounds = [min, max].map((bound) => bound === undefined ? "" : plainNumber(bound));
  const fields = [shown, warning?.text ?? "", critical?.text ?? "", ...bounds];
  while (fields.at(-1) === "") fields.pop();
  return `${/^[\w.%/:-]+$/.test(name) ? name : `'${name}'`}=${fields.join(";")}`;
}

export function pluginLine(
  service: string,
  level: Level,
  text: string,
  data: readonly PerformanceDatum[] = [],
): string {
  const said = text.replaceAll("|", "/").replaceAll(/[\r\n]+/g, " ");
  const performance = data.length === 0 ? "" : ` | ${data.map(performanceText).join(" ")}`;
  return `${service.toUpperCase()} ${level.toUpperCase()} - ${said}${performance}\n`;
}

/** Digits and a point only: readers of perfdata know no exponents. At most six decimals. */
function plainNumber(value: number): string {
  if (Number.isInteger(value)) return BigInt(value).toString();
  return value.toFixed(6).replace(/\.?0+$/, "");
}
