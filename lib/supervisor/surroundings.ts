/**
 * What an app's process meets: its pipes and log files, its notify socket, its environment, the program behind `mdg`.
 * Everything is kept by app name and follows the config when it is reloaded.
 */
import { dirname, isAbsolute, join } from "node:path";
import { type Clock, sleep } from "../base/clock.ts";
import { quoted, reasonOf, UserError } from "../base/errors.ts";
import type { OutputTarget, SpawnPlan } from "../os/spawn_process.ts";
import { PipePeek } from "../os/pipe_to_file.ts";
import type { App } from "./app.ts";
import type { AppConfig, SuperviseConfig } from "./config_schema.ts";
import { findProgram } from "./find_program.ts";
import { followLog, LogFollower } from "./follow_log.ts";
import type { KeeperProcess, SelfCommand } from "./keeper_process.ts";
import type { DrainPlan } from "./log_keeper/keeper_plan.ts";
import { NotifySocket } from "./notify_socket.ts";
import type { Workplace } from "./workplace.ts";

export interface SurroundingsOptions {
  clock: Clock;
  workplace: Workplace;
  keeper: KeeperProcess;
  self: SelfCommand;
  /** The supervisor's own variables. */
  env: Readonly<Record<string, string | undefined>>;
  /** The folder of the supervise file. */
  folder: string;
}

/** What the service manager says to us is not for our programs. */
const OWN_VARIABLES = [
  "NOTIFY_SOCKET",
  "WATCHDOG_USEC",
  "WATCHDOG_PID",
  "LISTEN_PID",
  "LISTEN_FDS",
  "INVOCATION_ID",
];
/** How long what an earlier run wrote may take to get into its file before the next one starts. */
const SETTLE_LIMIT_MS = 1_000;
const SETTLE_LOOK_MS = 10;

export class Surroundings implements Disposable {
  readonly #sockets = new Map<string, NotifySocket>();
  readonly #followers = new Map<string, LogFollower[]>();
  readonly #peek = new PipePeek();
  #logs: SuperviseConfig["logs"] | undefined;

  constructor(readonly options: SurroundingsOptions) {}

  async arrange(
    { apps, logs }: SuperviseConfig,
    appOf: (name: string) => App | undefined,
  ): Promise<void> {
    const { workplace, keeper } = this.options;
    this.#logs = logs;
    const folder = this.#fromFolder(logs.directory);
    try {
      await Deno.mkdir(folder, { recursive: true });
    } catch (error) {
      throw new UserError(`make log directory ${quoted(folder, 200)}: ${reasonOf(error)}`, { cause: error });
    }
    keeper.keep(apps.flatMap((app) => this.#drains(app)));
    const speaking = new Set(apps.filter(speaks).map(({ name }) => name));
    for (const [name, socket] of this.#sockets) {
      if (speaking.has(name)) continue;
      socket[Symbol.dispose]();
      this.#sockets.delete(name);
    }
    for (const name of speaking) {
      if (this.#sockets.has(name)) continue;
      const path = workplace.notifyPath(name);
      this.#sockets.set(name, new NotifySocket(path, (message) => appOf(name)?.hear(message)));
    }
  }
  /** Where an app's output is kept. */
  logFiles({ name, separate_stderr }: AppConfig): { out: string; err: string | undefined } {
    const folder = this.#fromFolder(this.#logs!.directory);
    return { out: `${folder}/${name}.log`, err: separate_stderr ? `${folder}/${name}.err.log` : undefined };
  }
  /** Throws a UserError when there is no such program or folder. */
  plan(app: AppConfig): SpawnPlan {
    const { self, env, workplace } = this.options;
    const cwd = this.#fromFolder(app.cwd);
    checkFolder(cwd);
    const is_self = app.script === "mdg";
    const program = is_self ? self.program : findProgram(app.script, cwd, app.env.PATH ?? env.PATH);
    const out: OutputTarget = { pipe: workplace.pipePath(app.name, "out") };
    const err: OutputTarget = app.separate_stderr ? { pipe: workplace.pipePath(app.name, "err") } : out;
    return {
      program,
      args: is_self ? [...self.args, ...app.args] : app.args,
      env: { ...withoutOwn(env), ...this.#notifyVariables(app), ...app.env },
      cwd,
      stdout: out,
      stderr: err,
    };
  }
  /** Sees to it that a line of an earlier run cannot be taken for one of the next. */
  async prepare(app: AppConfig): Promise<void> {
    if (app.ready?.line === undefined) return;
    const { clock, keeper } = this.options;
    this.#forgetFollowers(app.name);
    const plans = this.#drains(app);
    const give_up_ms = clock.monotonic_ms() + SETTLE_LIMIT_MS;
    const isEmpty = (path: string) => {
      const pipe = keeper.held(path);
      return pipe === undefined || this.#peek.look(pipe).length === 0;
    };
    while (!plans.every(({ pipe }) => isEmpty(pipe)) && clock.monotonic_ms() < give_up_ms) {
      await sleep(clock, SETTLE_LOOK_MS);
    }
    this.#followers.set(app.name, plans.map(({ file }) => new LogFollower(file)));
  }
  /** Resolves with the first matching line since `prepare`; for an adopted program, since now. */
  async lineAppears(app: AppConfig, pattern: RegExp, signal: AbortSignal): Promise<void> {
    const followers = this.#followers.get(app.name) ??
      this.#drains(app).map(({ file }) => new LogFollower(file));
    this.#followers.set(app.name, followers);
    const found = new AbortController();
    const ends = AbortSignal.any([signal, found.signal]);
    try {
      await Promise.all(followers.map(async (follower) => {
        for await (const lines of followLog(follower, this.options.clock, ends)) {
          if (lines.some((line) => pattern.test(line))) found.abort();
        }
      }));
      if (!found.signal.aborted) signal.throwIfAborted();
    } finally {
      this.#forgetFollowers(app.name);
    }
  }
  [Symbol.dispose](): void {
    for (const socket of this.#sockets.values()) socket[Symbol.dispose]();
    for (const name of [...this.#followers.keys()]) this.#forgetFollowers(name);
    this.#peek[Symbol.dispose]();
  }

  #drains(app: AppConfig): DrainPlan[] {
    const { workplace } = this.options;
    const { out, err } = this.logFiles(app);
    const bounds = { max_bytes: this.#logs!.max_size, keep_files: this.#logs!.keep_files };
    const drains = [{ pipe: workplace.pipePath(app.name, "out"), file: out, ...bounds }];
    if (err !== undefined) drains.push({ pipe: workplace.pipePath(app.name, "err"), file: err, ...bounds });
    return drains;
  }
  #notifyVariables(app: AppConfig): Record<string, string> {
    if (!speaks(app)) return {};
    const socket = { NOTIFY_SOCKET: this.options.workplace.notifyPath(app.name) };
    return app.watchdog === undefined ? socket : { ...socket, WATCHDOG_USEC: String(app.watchdog * 1_000) };
  }
  #forgetFollowers(name: string): void {
    for (const follower of this.#followers.get(name) ?? []) follower[Symbol.dispose]();
    this.#followers.delete(name);
  }
  #fromFolder(path: string): string {
    return isAbsolute(path) ? path : join(this.options.folder, path);
  }
}

/** It says how it is by sd_notify. */
function speaks({ ready, watchdog }: AppConfig): boolean {
  return ready?.notify === true || watchdog !== undefined;
}

function withoutOwn(env: Readonly<Record<string, string | undefined>>): Record<string, string> {
  const kept: Record<string, string> = {};
  for (const [name, value] of Object.entries(env)) {
    if (value !== undefined && !OWN_VARIABLES.includes(name)) kept[name] = value;
  }
  return kept;
}

function checkFolder(path: string): void {
  try {
    if (Deno.statSync(path).isDirectory) return;
    throw new UserError(`start in ${quoted(path, 200)}: a file, want a folder`);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = error instanceof Deno.errors.NotFound ? "there is no such folder" : reasonOf(error);
    throw new UserError(`start in ${quoted(path, 200)}: ${reason}`);
  }
}

/** The folder that relative paths of a supervise file are taken from. */
export function folderOf(file: string, cwd: string): string {
  return dirname(isAbsolute(file) ? file : join(cwd, file));
}
