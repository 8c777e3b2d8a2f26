/**
 * The words every subcommand is written in. A command says each flag once, with its doc; help, completions, parsing and
 * validation are derived from that (lib/cli). It receives the world as a value, so a test runs it in-process.
 */
import type { Clock } from "../base/clock.ts";
import type { Log } from "../base/log.ts";

interface FlagBase {
  /** One line, no full stop; shown in help and completions. */
  doc: string;
  /** One letter, without the dash. */
  short?: string;
}
export interface BooleanFlag extends FlagBase {
  type: "boolean";
}
export interface TextFlag extends FlagBase {
  type: "text";
  /** How help names the value: FILE, URL, HOST:PORT … */
  value: string;
  default?: string;
  choices?: readonly string[];
  required?: true;
}
/** Given several times, or once with commas. */
export interface ListFlag extends FlagBase {
  type: "list";
  value: string;
  default?: readonly string[];
  choices?: readonly string[];
}
export interface NumberFlag extends FlagBase {
  type: "number";
  value: string;
  default?: number;
  integer?: true;
  min?: number;
  max?: number;
  required?: true;
}
export type Flag = BooleanFlag | TextFlag | ListFlag | NumberFlag;
export type Flags = Record<string, Flag>;

type Given<F> = F extends BooleanFlag ? boolean
  : F extends ListFlag ? string[]
  : F extends TextFlag ? (F extends { default: string } | { required: true } ? string : string | undefined)
  : F extends NumberFlag ? (F extends { default: number } | { required: true } ? number : number | undefined)
  : never;
/** What `run` receives: flag name → value. A flag `max-clients` is read as `flags["max-clients"]`. */
export type FlagValues<F extends Flags> = { [K in keyof F]: Given<F[K]> };

export interface Argument {
  name: string;
  doc: string;
  required?: true;
  many?: true;
}

export interface Example {
  command: string;
  doc: string;
}

/** What a command may see of the outside. */
export interface World {
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly log: Log;
  /** Aborts on Ctrl-C and SIGTERM; the command then drains and returns. */
  readonly signal: AbortSignal;
  /** Registers for SIGHUP; returns how to stop listening. */
  onReload(callback: () => void): () => void;
  /** A child has the terminal from now on: Ctrl-C is meant for it, until the returned function is called. */
  lendTerminal(): () => void;
  /** The command draws the whole terminal: talk waits, within a bound, until the returned function is called or the process ends. */
  takeScreen(): () => void;
  readonly stdin: ReadableStream<Uint8Array>;
  /** Data for the next program. Resolves when the bytes are taken; a broken pipe aborts `signal`. */
  stdout(text: string | Uint8Array): Promise<void>;
  /** Talk for the person. */
  stderr(text: string): void;
  /** Gives up, for good, what was declared in `permissions` and is not in `kept`. */
  restrict(kept: readonly RevocablePermission[]): void;
  readonly stdout_is_terminal: boolean;
  readonly stderr_is_terminal: boolean;
  /** stdout is a terminal and nobody refused colours. */
  readonly color: boolean;
  /** The version in deno.json. */
  readonly version: string;
}

/** 0 fine, 1 failed, 2 asked wrongly, 3 unknown (monitors), 130 Ctrl-C. */
export type ExitCode = 0 | 1 | 2 | 3 | 130;

/** What the frame takes away at start unless a command says it needs it: native calls, child processes. */
export type RevocablePermission = "ffi" | "run";

export interface CommandSpec<F extends Flags> {
  /** One line, no full stop. */
  summary: string;
  /** A paragraph or two under the usage line. */
  description?: string;
  arguments?: readonly Argument[];
  flags: F;
  examples: readonly Example[];
  /** None when absent: the process then cannot get them back. */
  permissions?: readonly RevocablePermission[];
  /** How long it may take to drain after the wish to stop; absent: the frame's own limit. */
  drain_limit_ms?: number;
  run(world: World, flags: FlagValues<F>, args: readonly string[]): Promise<ExitCode>;
}

/** A command as the registry holds it; flag types are erased at this border only. */
export interface Command {
  readonly kind: "command";
  readonly summary: string;
  readonly description?: string;
  readonly arguments: readonly Argument[];
  readonly flags: Flags;
  readonly examples: readonly Example[];
  readonly permissions: readonly RevocablePermission[];
  readonly drain_limit_ms?: number;
  run(world: World, flags: Record<string, unknown>, args: readonly string[]): Promise<ExitCode>;
}

/** `mdg config check`: a word that only holds further words. */
export interface CommandGroup {
  readonly kind: "group";
  readonly summary: string;
  readonly commands: Readonly<Record<string, Command>>;
  /** What the word alone does, with an argument that is none of the further words; it has no flags of its own. */
  readonly bare?: Command;
  /** The exit code for what was asked wrongly; absent: 2. */
  usageCode?(argv: readonly string[]): ExitCode;
}

/** The words users type, as `commands/registry.ts` exports them. */
export type Registry = Readonly<Record<string, Command | CommandGroup>>;

export function defineCommand<const F extends Flags>(spec: CommandSpec<F>): Command {
  return {
    kind: "command",
    summary: spec.summary,
    description: spec.description,
    arguments: spec.arguments ?? [],
    flags: spec.flags,
    examples: spec.examples,
    permissions: spec.permissions ?? [],
    drain_limit_ms: spec.drain_limit_ms,
    run: (world, flags, args) => spec.run(world, flags as FlagValues<F>, args),
  };
}

export function defineGroup(
  summary: string,
  commands: Record<string, Command>,
  options: Pick<CommandGroup, "bare" | "usageCode"> = {},
): CommandGroup {
  const { bare } = options;
  if (bare && Object.keys(bare.flags).length > 0) {
    // they would be taken for those of the further words
    throw new TypeError(`define group ${JSON.stringify(summary)}: its bare command has flags, want none`);
  }
  return { kind: "group", summary, commands, ...options };
}
