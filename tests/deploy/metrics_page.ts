/** A page of metrics as names with kinds and labels; labels of families without samples are read where they are declared. */
import { path } from "../mdg_process.ts";

export interface Family {
  kind: string;
  labels: Set<string>;
  samples: number;
}

export function familiesOf(page: string): Map<string, Family> {
  const families = new Map<string, Family>();
  let family: Family | undefined;
  for (const line of page.split("\n")) {
    const type = /^# TYPE (\S+) (\S+)$/.exec(line);
    if (type) {
      family = { kind: type[2], labels: new Set(), samples: 0 };
      families.set(type[1], family);
    } else if (family && line !== "" && !line.startsWith("#")) {
      family.samples++;
      const labels = /\{(.*)\}/.exec(line)?.[1] ?? "";
      for (const [, label] of labels.matchAll(/(\w+)="(?:[^"\\]|\\.)*"/g)) family.labels.add(label);
    }
  }
  for (const [name, { samples, labels }] of families) {
    if (samples === 0) { for (const label of declaredLabels(name)) labels.add(label); }
  }
  return families;
}

let sources: string | undefined;

/** The list of labels that stands after the metric's name and help. */
function declaredLabels(name: string): string[] {
  sources ??= readAll(path("lib"));
  const list = new RegExp(`"${name}",\\s*(?:"[^"]*"|'[^']*'),\\s*\\[([^\\]]*)\\]`).exec(sources)?.[1] ?? "";
  return [...list.matchAll(/"(\w+)"/g)].map((one) => one[1]);
}

function readAll(folder: string): string {
  return [...Deno.readDirSync(folder)].map(({ name, isDirectory }) =>
    isDirectory
      ? readAll(`${folder}/${name}`)
      : name.endsWith(".ts")
      ? Deno.readTextFileSync(`${folder}/${name}`)
      : ""
  ).join("\n");
}

/** The family that a series of this name belongs to. */
export function familyOf(families: Map<string, Family>, series: string): Family | undefined {
  return families.get(series) ?? families.get(series.replace(/_(bucket|sum|count)$/, ""));
}
