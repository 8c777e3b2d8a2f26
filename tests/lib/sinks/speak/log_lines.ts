/** A log that keeps every line as text, and the value of a counter by its labels. */
import type { Log } from "../../../../lib/base/log.ts";
import type { Metrics, MetricValue } from "../../../../lib/base/metrics.ts";

export function logInto(lines: string[]): Log {
  const note = (message: string, fields?: unknown) =>
    void lines.push(`${message} ${JSON.stringify(fields ?? {})}`);
  const log: Log = { trace: note, debug: note, info: note, warn: note, error: note, with: () => log };
  return log;
}

/** The sum over all children that carry each of the labels. */
export function countOf(metrics: Metrics, name: string, ...labels: string[]): number {
  let sum = 0;
  for (const child of metrics.families.get(name)?.children.values() ?? []) {
    if (labels.every((label) => child.labels.includes(label))) sum += (child.value as MetricValue).value;
  }
  return sum;
}
