/**
 * Each `mdg …` of the documents, judged by the program's own parser: in code blocks whole, with values; in sentences its
 * words and the names of its flags.
 */
import * as registry from "../../commands/registry.ts";
import { reasonOf } from "../../lib/base/errors.ts";
import type { Command, CommandGroup, Registry } from "../../lib/cli/command.ts";
import { GLOBAL_FLAGS } from "../../lib/cli/global_flags.ts";
import { parseCommandLine } from "../../lib/cli/parse_command_line.ts";
import { splitWords } from "../cli_script.ts";
import type { Documents } from "./check_links.ts";
import { codeBlocks, lineOf, withoutBlocks } from "./documents.ts";

const SHELLS = new Set(["sh", "bash", "console", "shell"]);
/** What ends a command: a pipe, a list, a redirection, a comment, the end of a substitution. */
const ENDS = /^(\||\|\||&|&&|;|[0-9]?>>?.*|<.*|#.*)$/;
const COMMANDS: Registry = registry;

export function checkCommands(documents: Documents): string[] {
  const problems: string[] = [];
  for (const [name, markdown] of documents) {
    for (const { language, line, text } of codeBlocks(markdown)) {
      if (!SHELLS.has(language)) continue;
      for (const command of commandsOf(text)) {
        const reason = refusal(command.words);
        if (reason) {
          problems.push(`${name}:${line + command.line}: mdg ${command.words.join(" ")}: ${reason}`);
        }
      }
    }
  }
  return problems;
}

function refusal(words: readonly string[]): string | undefined {
  try {
    const parsed = parseCommandLine(COMMANDS, words, { name: "mdg", version: "0" });
    return parsed.kind === "say" && parsed.code !== 0 ? "no command" : undefined;
  } catch (error) {
    return reasonOf(error);
  }
}

/** Every mdg in a script, also behind variables, pipes and within `$(…)` and `<(…)`. */
export function commandsOf(script: string): { line: number; words: string[] }[] {
  const commands: { line: number; words: string[] }[] = [];
  const lines = script.split("\n");
  for (let index = 0; index < lines.length; index++) {
    const first = index;
    let line = lines[index];
    while (line.endsWith("\\")) line = line.slice(0, -1) + lines[++index];
    for (const match of line.matchAll(/(?<![\w./-])mdg(?= )/g)) {
      const before = line.slice(0, match.index);
      const rest = line.slice(match.index + "mdg".length);
      const is_inside = /[$<]\([^)]*$/.test(before);
      if (isCommandPlace(before)) {
        commands.push({ line: first, words: wordsOf(is_inside ? rest.split(")")[0] : rest) });
      }
    }
  }
  return commands;
}

/** Nothing before it but a prompt, variables, a program that runs programs, or what begins a new command. */
function isCommandPlace(before: string): boolean {
  const own = before.split(/[|;(&]/).pop()!;
  return /^\s*(\$ )?(\w+=\S* )*((exec|sudo|time|nohup|npx -y deno@\S+ task -q|deno task -q) )?$/.test(own);
}

function wordsOf(rest: string): string[] {
  const words: string[] = [];
  for (const word of splitWords(rest.trim())) {
    if (ENDS.test(word)) break;
    words.push(word);
  }
  return words;
}

export function checkInlineCommands(documents: Documents): string[] {
  const problems: string[] = [];
  for (const [name, markdown] of documents) {
    const text = withoutBlocks(markdown);
    for (const match of text.matchAll(/`mdg ([^`]+)`/g)) {
      const reason = missingWord(match[1].split(/\s+[|>&]\s*/)[0].trim().split(/\s+/));
      if (reason) problems.push(`${name}:${lineOf(text, match.index)}: mdg ${match[1]}: ${reason}`);
    }
  }
  return problems;
}

/** The first word or flag that mdg has not; words in capitals stand for something. */
function missingWord(words: readonly string[]): string | undefined {
  const entry = COMMANDS[words[0]];
  const is_name = /^[a-z0-9-]+$/.test(words[0]);
  if (!entry) {
    return is_name && !words[0].startsWith("--") ? `no command ${JSON.stringify(words[0])}` : undefined;
  }
  const second = words[1] ?? "";
  if (entry.kind === "group" && !entry.bare && /^[a-z|-]+$/.test(second)) {
    const missing = second.split("|").find((word) => !word.startsWith("-") && !entry.commands[word]);
    if (missing) return `no command ${JSON.stringify(missing)}`;
  }
  const flags = flagNamesOf(entry, second.split("|"));
  return words.slice(1).map((word) => /^(--[a-z][a-z0-9-]*|-[a-zA-Z])(?=$|[=\]])/.exec(word)?.[0])
    .filter((flag) => flag !== undefined && !flags.has(flag)).map((flag) => `no flag ${flag}`)[0];
}

function flagNamesOf(entry: Command | CommandGroup, choices: readonly string[]): Set<string> {
  const own = entry.kind === "command" ? [entry] : choices.flatMap((word) => entry.commands[word] ?? []);
  const names = new Set(["--help", "-h", "--version"]);
  for (const flags of [...own.map((command) => command.flags), GLOBAL_FLAGS]) {
    for (const [name, { short }] of Object.entries(flags)) {
      names.add(`--${name}`);
      if (short) names.add(`-${short}`);
    }
  }
  return names;
}
