/**
 * The language of tests/cli/*.txt: what is typed and what must come back. Expectations are strict: a stream that is
 * not mentioned must be empty. See tests/README.md for the form.
 */

export interface Step {
  /** Line number of the `$` line, from 1. */
  line: number;
  words: string[];
  stdin: string;
  code: number;
  stdout: string[];
  stderr: string[];
}
export interface Script {
  files: { name: string; text: string }[];
  env: Record<string, string>;
  steps: Step[];
}

/** Throws with the line number on anything that is not the language. */
export function parseScript(text: string): Script {
  const script: Script = { files: [], env: {}, steps: [] };
  let take: ((line: string) => void) | undefined;
  const lines = text.split("\n");
  for (let i = 0; i < lines.length; i++) {
    const line = lines[i];
    const refuse = (problem: string) => new Error(`line ${i + 1}: ${problem}: ${JSON.stringify(line)}`);
    if (line === "|" || line.startsWith("| ")) {
      if (!take) throw refuse("text belongs to no section");
      take(line.slice(2));
      continue;
    }
    take = undefined;
    if (line.trim() === "" || line.startsWith("#")) continue;
    const [word, ...rest] = line.split(" ");
    const value = rest.join(" ");
    const step = script.steps.at(-1);
    if (word === "$") {
      const words = splitWords(value);
      if (words[0] !== "mdg") throw refuse("a command starts with mdg");
      script.steps.push({ line: i + 1, words: words.slice(1), stdin: "", code: 0, stdout: [], stderr: [] });
    } else if (word === "file" && value) {
      const file = { name: value, text: "" };
      script.files.push(file);
      take = (part) => file.text += `${part}\n`;
    } else if (word === "env" && value.includes("=")) {
      script.env[value.slice(0, value.indexOf("="))] = value.slice(value.indexOf("=") + 1);
    } else if (!step) throw refuse("comes before the first command");
    else if (word === "status" && /^\d+$/.test(value)) step.code = Number(value);
    else if (word === "stdin") take = (part) => step.stdin += `${part}\n`;
    else if (word === "stdout") take = (part) => step.stdout.push(part);
    else if (word === "stderr") take = (part) => step.stderr.push(part);
    else throw refuse("unknown section");
  }
  return script;
}

/** Words separated by blanks; single or double quotes hold blanks together. */
export function splitWords(text: string): string[] {
  const words: string[] = [];
  for (const [, double, single, bare] of text.matchAll(/"([^"]*)"|'([^']*)'|(\S+)/g)) {
    words.push(double ?? single ?? bare);
  }
  return words;
}

/**
 * Undefined when `actual` is what `patterns` say; else the first difference. In a pattern `*` stands for any text
 * within the line, `\*` for a star; a pattern of `...` alone stands for any number of lines.
 */
export function difference(patterns: readonly string[], actual: string): string | undefined {
  const lines = actual === "" ? [] : actual.replace(/\n$/, "").split("\n");
  if (matches(patterns, lines)) return undefined;
  return `want\n${indent(patterns)}\ngot\n${indent(lines)}`;
}

function matches(patterns: readonly string[], lines: readonly string[]): boolean {
  // after pattern i, `reached` holds how many lines may be consumed
  let reached = new Set([0]);
  for (const pattern of patterns) {
    const next = new Set<number>();
    for (const at of reached) {
      if (pattern === "...") { for (let end = at; end <= lines.length; end++) next.add(end); }
      else if (at < lines.length && lineMatches(pattern, lines[at])) next.add(at + 1);
    }
    reached = next;
  }
  return reached.has(lines.length);
}

function lineMatches(pattern: string, line: string): boolean {
  const source = pattern.split(/(\\\*|\*)/).map((part) =>
    part === "*" ? ".*" : part === "\\*" ? "\\*" : part.replace(/[.+?^${}()|[\]\\]/g, "\\$&")
  ).join("");
  return new RegExp(`^${source}$`, "u").test(line);
}

function indent(lines: readonly string[]): string {
  return lines.length === 0 ? "    (nothing)" : lines.map((line) => `    ${line}`).join("\n");
}
