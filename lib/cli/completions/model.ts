/**
 * What a shell needs to know, derived from the registry: for each route (`mdg`, `mdg config`, `mdg config check`) the
 * next words, the flags and what their values are. Shell files only render this.
 */
import type { Command, Flag, Flags, Registry } from "../command.ts";
import { GLOBAL_FLAGS } from "../global_flags.ts";

/** `none`: any text; nothing can be offered. */
export type ValueKind = "none" | "file" | "directory" | readonly string[];

export interface CompletionFlag {
  long: string;
  short: string | undefined;
  doc: string;
  /** Undefined: the flag takes no value. */
  value: ValueKind | undefined;
}
export interface CompletionNode {
  /** `mdg config check` */
  route: string;
  words: readonly { word: string; doc: string }[];
  flags: readonly CompletionFlag[];
  takes_files: boolean;
}
export interface CompletionModel {
  name: string;
  nodes: readonly CompletionNode[];
}
export interface Shell {
  readonly summary: string;
  script(model: CompletionModel): string;
}

export function completionModel(name: string, registry: Registry): CompletionModel {
  const nodes: CompletionNode[] = [
    node(name, wordsOf(registry), { version: { type: "boolean", doc: "print the version" } }),
  ];
  for (const [word, entry] of Object.entries(registry)) {
    const route = `${name} ${word}`;
    if (entry.kind === "command") {
      nodes.push(leaf(route, entry));
      continue;
    }
    const takes_files = (entry.bare?.arguments.length ?? 0) > 0;
    nodes.push({ ...node(route, wordsOf(entry.commands), {}), takes_files });
    for (const [sub_word, command] of Object.entries(entry.commands)) {
      nodes.push(leaf(`${route} ${sub_word}`, command));
    }
  }
  return { name, nodes };
}

function wordsOf(entries: Readonly<Record<string, { summary: string }>>): CompletionNode["words"] {
  return Object.entries(entries).map(([word, { summary }]) => ({ word, doc: summary }));
}

function leaf(route: string, command: Command): CompletionNode {
  return { ...node(route, [], command.flags), takes_files: command.arguments.length > 0 };
}

function node(route: string, words: CompletionNode["words"], flags: Flags): CompletionNode {
  const all: Flags = {
    ...flags,
    ...GLOBAL_FLAGS,
    help: { type: "boolean", short: "h", doc: "show the help" },
  };
  return {
    route,
    words,
    flags: Object.entries(all).map(([name, flag]) => ({
      long: name,
      short: flag.short,
      doc: flag.doc,
      value: valueKind(flag),
    })),
    takes_files: false,
  };
}

function valueKind(flag: Flag): ValueKind | undefined {
  if (flag.type === "boolean") return undefined;
  if (flag.type === "number") return "none";
  if (flag.choices) return flag.choices;
  if (/\b(DIR|DIRECTORY|FOLDER)\b/.test(flag.value)) return "directory";
  return /\b(FILE|PATH|CAPTURE)\b/.test(flag.value) ? "file" : "none";
}
