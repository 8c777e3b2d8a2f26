/**
 * What apps say of each other: names given twice, dependencies that nobody is, cycles. Looked for in the plain data, apart
 * from the schema, so that these problems are told together with all others.
 */
import type { DocumentProblem } from "../config/load_document.ts";

interface Named {
  name: string;
  depends_on: string[];
}

export function referenceProblems(plain: unknown): DocumentProblem[] {
  const apps = appsOf(plain);
  const problems: DocumentProblem[] = [];
  const refuse = (path: (string | number)[], message: string) =>
    problems.push({ path: ["apps", ...path], message });
  const names = apps.map(({ name }) => name);
  for (const [i, { name, depends_on }] of apps.entries()) {
    if (name === "") continue;
    const first = names.indexOf(name);
    if (first < i) refuse([i, "name"], `"${name}" is the name of apps[${first}], want another`);
    for (const [k, other] of depends_on.entries()) {
      if (!names.includes(other)) refuse([i, "depends_on", k], `no app has the name "${other}"`);
    }
    const cycle = cycleFrom(name, apps);
    // told once, at the first app of it
    if (cycle && cycle.every((member) => names.indexOf(member) >= i)) {
      refuse([i, "depends_on"], `a cycle: ${[...cycle, name].join(" needs ")}, want none`);
    }
  }
  return problems;
}

/** As much of the apps as is there; what has another shape is the schema's to report. */
function appsOf(plain: unknown): Named[] {
  const { apps } = Object(plain) as { apps?: unknown };
  if (!Array.isArray(apps)) return [];
  return apps.map((app) => {
    const { name, depends_on } = Object(app) as { name?: unknown; depends_on?: unknown };
    const needs = Array.isArray(depends_on)
      ? depends_on.map((one) => typeof one === "string" ? one : "")
      : [];
    return { name: typeof name === "string" ? name : "", depends_on: needs };
  });
}

/** The shortest way from `name` over its dependencies back to it, without the repeated end. */
function cycleFrom(name: string, apps: readonly Named[]): string[] | undefined {
  const waiting: string[][] = [[name]];
  const seen = new Set<string>();
  for (let way = waiting.shift(); way !== undefined; way = waiting.shift()) {
    for (const next of apps.find((one) => one.name === way.at(-1))?.depends_on ?? []) {
      if (next === name) return way;
      if (seen.has(next)) continue;
      seen.add(next);
      waiting.push([...way, next]);
    }
  }
  return undefined;
}
