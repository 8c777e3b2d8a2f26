/**
 * argv into a decision: run this command with these values, or say this text. Pure: it prints nothing and never exits,
 * so tests ask it directly. A wrong command line is a UserError with exit code 2 and a hint where to look.
 */
import { CommanderError } from "commander";
import { UserError } from "../base/errors.ts";
import type { Command, Registry } from "./command.ts";
import { resolveFlags } from "./flag_values.ts";
import { GLOBAL_FLAGS, type GlobalValues } from "./global_flags.ts";
import { buildProgram, type Chosen } from "./program.ts";

export type CommandLine =
  | {
    kind: "run";
    words: readonly string[];
    command: Command;
    flags: Record<string, unknown>;
    global: GlobalValues;
    args: readonly string[];
  }
  /** Help and version. Asked for: code 0. Shown because a command was missing: code 2. */
  | { kind: "say"; text: string; code: 0 | 2 };

export interface ParseOptions {
  name: string;
  version: string;
  help_width?: number;
  color?: boolean;
}

/** Throws UserError, code 2, for anything that was asked wrongly. */
export function parseCommandLine(
  registry: Registry,
  argv: readonly string[],
  options: ParseOptions,
): CommandLine {
  let text = "";
  let chosen: Chosen | undefined;
  const program = buildProgram(registry, {
    name: options.name,
    version: options.version,
    help_width: options.help_width ?? 100,
    color: options.color ?? false,
    print: (part) => text += part,
    choose: (choice) => chosen = choice,
  });
  try {
    program.parse(argv, { from: "user" });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: "say", text, code: 0 };
    if (error.code === "commander.help") return { kind: "say", text, code: 2 };
    throw usageError(error, helpOf(options.name, registry, argv));
  }
  if (!chosen) throw new Error(`parse ${JSON.stringify(argv)}: no command was chosen`);
  const hint = `see ${options.name} ${chosen.words.join(" ")} --help`;
  return {
    kind: "run",
    words: chosen.words,
    command: chosen.command,
    flags: resolveFlags(chosen.command.flags, chosen.flags, hint),
    global: resolveFlags(GLOBAL_FLAGS, chosen.global, hint) as GlobalValues,
    args: chosen.args,
  };
}

/** The help command nearest to what was typed: `mdg config check --help`. */
function helpOf(name: string, registry: Registry, argv: readonly string[]): string {
  const words = argv.filter((word) => !word.startsWith("-"));
  const entry = Object.hasOwn(registry, words[0] ?? "") ? registry[words[0]] : undefined;
  if (!entry) return `see ${name} --help`;
  const deeper = entry.kind === "group" && Object.hasOwn(entry.commands, words[1] ?? "");
  return `see ${[name, ...words.slice(0, deeper ? 2 : 1), "--help"].join(" ")}`;
}

function usageError(error: CommanderError, help: string): UserError {
  const [first, ...rest] = error.message.replace(/^error: /, "").split("\n");
  const similar = /\(Did you mean (?:one of )?(.*?)\?\)/.exec(rest.join(" "))?.[1];
  const message = first.replaceAll("'", '"').replace(/\.$/, "");
  return new UserError(message, { code: 2, hint: similar ? `did you mean ${similar}? ${help}` : help });
}
