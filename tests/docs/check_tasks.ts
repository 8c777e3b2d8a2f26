/** `deno task X`, `deno test PATH` and files of the repository that commands of the documents name. */
import manifest from "../../deno.json" with { type: "json" };
import { path } from "../mdg_process.ts";
import type { Documents } from "./check_links.ts";
import { lineOf } from "./documents.ts";

/** Names with a gap in them (`monitor_<word>_test.ts`, `VENUE/README.md`) stand for several. */
const FILE =
  /(?<![\w./<{*-])((?:tests|scripts|examples|fixtures|lib|commands|deploy|docs)\/[\w./-]*\w)(?![\w<*{])/g;

export function checkTasks(documents: Documents): string[] {
  const problems: string[] = [];
  for (const [name, text] of documents) {
    if (name.startsWith("fixtures/")) continue;
    const say = (offset: number, what: string) => problems.push(`${name}:${lineOf(text, offset)}: ${what}`);
    for (const match of text.matchAll(/deno(?:@[\d.]+)? task (?:-q )?([\w:-]+)/g)) {
      if (!Object.hasOwn(manifest.tasks, match[1])) {
        say(match.index, `task ${JSON.stringify(match[1])}: none`);
      }
    }
    if (name === "CHANGELOG.md") continue; // it tells of files that were
    for (const match of text.matchAll(FILE)) {
      if (!/[A-Z]{5}/.test(match[1].replace("README", "")) && !isThere(match[1], name)) {
        say(match.index, `${match[1]}: no such file`);
      }
    }
  }
  return problems;
}

/** From the repository's root, or from the document's own folder and those above it. */
function isThere(file: string, document: string): boolean {
  const folders = document.split("/").slice(0, -1);
  for (let depth = folders.length; depth >= 0; depth--) {
    const found = path([...folders.slice(0, depth), file].join("/"));
    try {
      Deno.statSync(found);
      return true;
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
  }
  return false;
}
