/** Relative links: the file is there, and so is the heading. Addresses of the web are not asked. */
import { path } from "../mdg_process.ts";
import { lineOf, withoutBlocks } from "./documents.ts";

export type Documents = ReadonlyMap<string, string>;

function isThere(name: string): boolean {
  try {
    Deno.statSync(path(name));
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

export function checkLinks(documents: Documents, exists: (name: string) => boolean = isThere): string[] {
  const problems: string[] = [];
  for (const [name, markdown] of documents) {
    const text = withoutBlocks(markdown).replace(/`[^`\n]*`/g, (code) => " ".repeat(code.length));
    for (const match of text.matchAll(/\]\(([^)\s]+)\)/g)) {
      const target = match[1];
      if (/^[a-z]+:/.test(target)) continue;
      const at = `${name}:${lineOf(text, match.index)}: link ${JSON.stringify(target)}`;
      const url = new URL(target, `file:///${name}`);
      const file = decodeURIComponent(url.pathname.slice(1));
      if (!documents.has(file) && !exists(file)) problems.push(`${at}: no such file`);
      else if (url.hash !== "") {
        const headings = documents.get(file) ?? "";
        if (!anchorsOf(headings).has(url.hash.slice(1))) problems.push(`${at}: no such heading in ${file}`);
      }
    }
  }
  return problems;
}

/** As GitHub makes them of headings. */
export function anchorsOf(markdown: string): Set<string> {
  const anchors = new Set<string>();
  for (const [, title] of withoutBlocks(markdown).matchAll(/^#{1,6} +(.*)$/gm)) {
    const plain = title.replaceAll("`", "").replace(/\[([^\]]*)\]\([^)]*\)/g, "$1").trim().toLowerCase();
    const anchor = plain.replace(/[^\p{L}\p{N} _-]/gu, "").replaceAll(" ", "-");
    let count = 0;
    let unique = anchor;
    while (anchors.has(unique)) unique = `${anchor}-${++count}`;
    anchors.add(unique);
  }
  return anchors;
}
