/** The repository's markdown files by path, and their code blocks with the line each begins on. */
import { path } from "../mdg_process.ts";

export interface CodeBlock {
  language: string;
  /** Of the first line inside, from 1. */
  line: number;
  text: string;
}

const SKIPPED = new Set(["node_modules", "dist", "coverage"]);

/** Path relative to the repository → text. */
export async function listDocuments(): Promise<Map<string, string>> {
  const documents = new Map<string, string>();
  const walk = async (folder: string) => {
    for await (const { name, isDirectory } of Deno.readDir(path(folder))) {
      const child = folder === "" ? name : `${folder}/${name}`;
      if (isDirectory && !name.startsWith(".") && !SKIPPED.has(name)) await walk(child);
      else if (name.endsWith(".md")) documents.set(child, await Deno.readTextFile(path(child)));
    }
  };
  await walk("");
  return documents;
}

export function codeBlocks(markdown: string): CodeBlock[] {
  const blocks: CodeBlock[] = [];
  let open: { fence: string; language: string; line: number; lines: string[] } | undefined;
  for (const [index, line] of markdown.split("\n").entries()) {
    if (open) {
      if (line.trim() === open.fence) {
        blocks.push({ language: open.language, line: open.line, text: open.lines.join("\n") });
        open = undefined;
      } else open.lines.push(line);
      continue;
    }
    const start = /^\s*(```+)(\w*)/.exec(line);
    if (start) open = { fence: start[1], language: start[2], line: index + 2, lines: [] };
  }
  return blocks;
}

/** The text with code blocks emptied, line by line as before. */
export function withoutBlocks(markdown: string): string {
  return markdown.replace(/^\s*(```+)[^]*?^\s*\1\s*$/gm, (block) => block.replace(/[^\n]/g, ""));
}

export function lineOf(text: string, offset: number): number {
  return text.slice(0, offset).split("\n").length;
}
