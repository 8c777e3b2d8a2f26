/** Names of metrics in the documents: each must stand in the code that exports it, whole or after its prefix. */
import { path } from "../mdg_process.ts";
import type { Documents } from "./check_links.ts";
import { lineOf } from "./documents.ts";

const METRIC = /`([a-z]+(?:_[a-z0-9]+)+_(?:total|seconds|bytes|microseconds|rows|in_sync))\b/g;
/** Prefixes that the code puts before names of a family. */
const PREFIXES = /^(mdg_[a-z]+_|sink_)/;

export function checkMetrics(documents: Documents): string[] {
  const code = codeText(path("lib"));
  const problems: string[] = [];
  for (const [name, text] of documents) {
    for (const match of text.matchAll(METRIC)) {
      const metric = match[1];
      if (code.includes(metric) || code.includes(`}${metric.replace(PREFIXES, "_")}`)) continue;
      problems.push(`${name}:${lineOf(text, match.index)}: ${metric}: no such metric`);
    }
  }
  return problems;
}

function codeText(folder: string): string {
  let text = "";
  for (const { name, isDirectory } of Deno.readDirSync(folder)) {
    if (isDirectory) text += codeText(`${folder}/${name}`);
    else if (name.endsWith(".ts")) text += Deno.readTextFileSync(`${folder}/${name}`);
  }
  return text;
}
