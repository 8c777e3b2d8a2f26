/**
 * The registry turned into a commander program: words, flags, help with examples. Everything is derived from the
 * Command contract; commander only tokenizes, suggests and lays out help. Values are judged in flag_values.ts.
 */
import { Command as Program, Option } from "commander";
import type { Command, Flag, Flags, Registry } from "./command.ts";
import { type RawFlag, wantedNumber } from "./flag_values.ts";
import { GLOBAL_FLAGS, RESERVED_NAMES } from "./global_flags.ts";

export interface Chosen {
  /** The words that lead to the command, without the program's own name. */
  words: readonly string[];
  command: Command;
  flags: Readonly<Record<string, RawFlag>>;
  global: Readonly<Record<string, RawFlag>>;
  args: readonly string[];
}

export interface ProgramOptions {
  name: string;
  version: string;
  /** Columns that help is wrapped to. */
  help_width: number;
  color: boolean;
  print(text: string): void;
  choose(chosen: Chosen): void;
}

/** A program that, when parsed, prints help or calls `choose` once; it throws commander's errors and never exits. */
export function buildProgram(registry: Registry, options: ProgramOptions): Program {
  const program = new Program(options.name);
  program
    .description("Market data gateway: takes live market data in, keeps it right, hands it on")
    .version(`${options.name} ${options.version}`, "-V, --version", "print the version")
    .helpOption("-h, --help", "show this help")
    .helpCommand("help [COMMAND]", "show the help of a command")
    .exitOverride()
    .configureHelp({ showGlobalOptions: true })
    .configureOutput({
      writeOut: options.print,
      writeErr: options.print,
      outputError: () => {},
      getOutHelpWidth: () => options.help_width,
      getErrHelpWidth: () => options.help_width,
      getOutHasColors: () => options.color,
      getErrHasColors: () => options.color,
    });
  const global_options = addFlags(program, GLOBAL_FLAGS);
  for (const [word, entry] of Object.entries(registry)) {
    if (entry.kind === "command") {
      addCommand(program, [word], entry);
      continue;
    }
    const group = program.command(word).summary(entry.summary).description(entry.summary);
    group.helpCommand(false);
    if (entry.bare) describeCommand(group, [word], entry.bare);
    for (const [sub_word, command] of Object.entries(entry.commands)) {
      addCommand(group, [word, sub_word], command);
    }
  }
  program.addHelpText("after", `\nExamples of a command: ${options.name} COMMAND --help`);
  return program;

  function addCommand(parent: Program, words: readonly string[], command: Command): void {
    describeCommand(parent.command(words[words.length - 1]).summary(command.summary), words, command);
  }

  function describeCommand(node: Program, words: readonly string[], command: Command): void {
    node.description(command.description ?? command.summary);
    for (const { name, doc, required, many } of command.arguments) {
      const inner = many ? `${name}...` : name;
      node.argument(required ? `<${inner}>` : `[${inner}]`, doc);
    }
    const own_options = addFlags(node, refuseReserved(words, command.flags));
    node.addHelpText("after", examplesText(command));
    node.action(() =>
      options.choose({
        words,
        command,
        flags: rawValues(node, own_options),
        global: rawValues(program, global_options),
        args: node.args,
      })
    );
  }
}

function refuseReserved(words: readonly string[], flags: Flags): Flags {
  for (const name of Object.keys(flags)) {
    if (RESERVED_NAMES.includes(name)) {
      throw new TypeError(`declare "--${name}" in "${words.join(" ")}": the frame has it already, drop it`);
    }
  }
  return flags;
}

function addFlags(node: Program, flags: Flags): Map<string, Option> {
  const added = new Map<string, Option>();
  for (const [name, flag] of Object.entries(flags)) {
    const letter = flag.short ? `-${flag.short}, ` : "";
    const value = flag.type === "boolean" ? "" : ` <${flag.value}>`;
    const option = new Option(`${letter}--${name}${value}`, flagDoc(flag));
    // commander reads `--no-x` as "x is false"; here a flag is what it is called
    option.negate = false;
    if (flag.type === "list") {
      option.argParser((item: string, before: string[] | undefined) => [...before ?? [], item]);
    }
    node.addOption(option);
    added.set(name, option);
  }
  return added;
}

function rawValues(node: Program, options: ReadonlyMap<string, Option>): Record<string, RawFlag> {
  const all: Record<string, RawFlag> = node.opts();
  return Object.fromEntries([...options].map(([name, option]) => [name, all[option.attributeName()]]));
}

/** The flag's doc with what its declaration implies, so that nobody writes it twice. */
function flagDoc(flag: Flag): string {
  const notes: string[] = [];
  if (flag.type === "boolean") return flag.doc;
  if (flag.type === "list") notes.push("repeat it or use commas");
  if (flag.type === "number" && (flag.min ?? flag.max) !== undefined) notes.push(wantedNumber(flag));
  if (flag.type !== "number" && flag.choices) notes.push(`one of ${flag.choices.join(", ")}`);
  if (flag.type !== "list" && flag.required) notes.push("required");
  const preset = flag.type === "list" ? flag.default?.join(",") : flag.default;
  if (preset !== undefined && preset !== "") notes.push(`default ${preset}`);
  return notes.length > 0 ? `${flag.doc} (${notes.join("; ")})` : flag.doc;
}

function examplesText(command: Command): string {
  const width = Math.max(0, ...command.examples.map((example) => example.command.length));
  const lines = command.examples.map((example) => `  ${example.command.padEnd(width)}  # ${example.doc}`);
  return lines.length > 0 ? `\nExamples:\n${lines.join("\n")}` : "";
}
