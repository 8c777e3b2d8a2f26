/**
 * Which metrics a PromQL expression asks for, with the labels it selects by, and the labels it groups by. Not a parser:
 * promtool and Prometheus judge the grammar, this only needs the names.
 */

const WORDS = new Set([
  "and",
  "or",
  "unless",
  "offset",
  "bool",
  "by",
  "without",
  "on",
  "ignoring",
  "inf",
  "nan",
]);

export interface AskedMetric {
  name: string;
  /** Labels in its selector. */
  labels: string[];
}

export function metricNames(expr: string): AskedMetric[] {
  const found: AskedMetric[] = [];
  for (const match of plain(expr).matchAll(/(?<![\w.:$])([a-zA-Z_:][\w:]*)\s*(\{[^}]*\}|\(|)/g)) {
    const [, name, after] = match;
    if (after === "(" || WORDS.has(name.toLowerCase())) continue;
    found.push({ name, labels: [...after.matchAll(/(\w+)\s*[=!]/g)].map((one) => one[1]) });
  }
  return found;
}

/** Labels in `by`, `without`, `on`, `ignoring` and `group_…` lists. */
export function groupingLabels(expr: string): string[] {
  return [...expr.matchAll(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\(([^)]*)\)/g)]
    .flatMap(([, list]) => list.split(",").map((one) => one.trim()))
    .filter((one) => one !== "");
}

/** Without texts, durations and lists of labels. */
function plain(expr: string): string {
  return expr.replace(/"(?:[^"\\]|\\.)*"/g, '""')
    .replace(/\[[^\]]*\]/g, "")
    .replace(/\boffset\s+\w+/g, "")
    .replace(/\b(?:by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)/g, " ");
}
