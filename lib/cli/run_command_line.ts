/**
 * argv → exit code, everything in between: parse, take permissions away, give the command its world, wait, drain.
 * It receives the host as a value; main.ts passes the process, tests pass pieces of their own. Refuses: exiting.
 */
import type { Clock } from "../base/clock.ts";
import { UserError } from "../base/errors.ts";
import { type Log, RateLimitedLog } from "../base/log.ts";
import type { ExitCode, Registry, RevocablePermission, World } from "./command.ts";
import { crashReport } from "./crash_report.ts";
import type { GlobalValues } from "./global_flags.ts";
import { type Lifecycle, TypedInterrupt } from "./lifecycle.ts";
import type { Output } from "./output.ts";
import { type CommandLine, parseCommandLine } from "./parse_command_line.ts";

export interface Host {
  readonly name: string;
  readonly version: string;
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly cwd: string;
  readonly clock: Clock;
  readonly output: Output;
  readonly lifecycle: Lifecycle;
  /** Opened only when a command reads it. */
  stdin(): ReadableStream<Uint8Array>;
  /** Sends what libraries print by themselves to the log. */
  routeConsole?(log: RateLimitedLog): void;
  /** Gives up, for good, every revocable permission that is not in `kept`. */
  restrict(kept: readonly RevocablePermission[]): void;
}

/** A command that has not drained this long after the wish to stop is abandoned: supervisors kill at 30 s. */
export const DRAIN_LIMIT_MS = 25_000;

export async function runCommandLine(registry: Registry, host: Host): Promise<ExitCode> {
  const { output, lifecycle } = host;
  output.on_broken_pipe = () => void lifecycle.stop("broken_pipe");
  let line: CommandLine;
  try {
    line = parseCommandLine(registry, host.argv, {
      name: host.name,
      version: host.version,
      help_width: Math.min(110, output.streams.columns ?? 100),
      color: output.color && output.streams.stdout_is_terminal,
    });
  } catch (error) {
    return usageCode(registry, host, fail(host, error));
  }
  if (line.kind === "say") {
    if (line.code === 0) await output.data(line.text);
    else output.talk(line.text);
    return usageCode(registry, host, line.code);
  }
  return await runCommand(host, line);
}

/** Some groups have a code of their own for what was asked wrongly. */
function usageCode(registry: Registry, { argv }: Host, code: ExitCode): ExitCode {
  const word = argv.find((one) => !one.startsWith("-")) ?? "";
  const entry = Object.hasOwn(registry, word) ? registry[word] : undefined;
  return code === 2 && entry?.kind === "group" ? entry.usageCode?.(argv) ?? code : code;
}

async function runCommand(host: Host, line: CommandLine & { kind: "run" }): Promise<ExitCode> {
  const { output, lifecycle } = host;
  host.restrict(line.command.permissions);
  const log = await openLog(host, line.global);
  host.routeConsole?.(new RateLimitedLog(log, host.clock));
  const world = openWorld(host, log);
  const drained = drainLimit(host, line.command.drain_limit_ms ?? DRAIN_LIMIT_MS);
  const work = async () => {
    try {
      return await line.command.run(world, line.flags, line.args);
    } finally {
      await output.flush();
    }
  };
  try {
    return lifecycle.exitCode(await Promise.race([work(), drained.late]));
  } catch (error) {
    if (error instanceof TypedInterrupt) lifecycle.interrupt();
    if (lifecycle.signal.aborted && isAbort(error, lifecycle.signal)) return lifecycle.exitCode(0);
    return fail(host, error);
  } finally {
    drained.cancel();
  }
}

/** Rejects when the command overstays the wish to stop. */
function drainLimit(host: Host, limit_ms: number): { late: Promise<never>; cancel(): void } {
  const { signal } = host.lifecycle;
  let cancel = () => {};
  const late = new Promise<never>((_, reject) => {
    const start = () => {
      const timer = host.clock.after(limit_ms, () =>
        reject(
          new UserError(
            `stop: still draining after ${limit_ms / 1000} s, want done; what was left is lost`,
          ),
        ));
      cancel = () => timer.cancel();
    };
    signal.addEventListener("abort", start, { once: true });
    cancel = () => signal.removeEventListener("abort", start);
    if (signal.aborted) start();
  });
  return { late, cancel: () => cancel() };
}

/** pino is loaded here and not above: help and version do not wait for it. */
async function openLog(host: Host, global: GlobalValues): Promise<Log> {
  const { createLogger } = await import("./logger.ts");
  const { output } = host;
  const asked = global["log-format"];
  const format = asked !== "auto" ? asked : output.streams.stderr_is_terminal ? "text" : "json";
  return createLogger({
    level: global["log-level"] as Parameters<typeof createLogger>[0]["level"],
    format: format as "json" | "text",
    color: output.color && output.streams.stderr_is_terminal,
    clock: host.clock,
    write: (text) => output.talk(text),
  });
}

function openWorld(host: Host, log: Log): World {
  const { output, lifecycle } = host;
  return {
    env: host.env,
    cwd: host.cwd,
    clock: host.clock,
    log,
    signal: lifecycle.signal,
    onReload: (callback) => lifecycle.onReload(callback),
    lendTerminal: () => lifecycle.lendTerminal(),
    takeScreen: () => output.hold(),
    get stdin() {
      return host.stdin();
    },
    stdout: (text) => output.data(text),
    stderr: (text) => output.talk(text),
    restrict: (kept) => host.restrict(kept),
    stdout_is_terminal: output.streams.stdout_is_terminal,
    stderr_is_terminal: output.streams.stderr_is_terminal,
    color: output.color && output.streams.stdout_is_terminal,
    version: host.version,
  };
}

function isAbort(error: unknown, signal: AbortSignal): boolean {
  return error === signal.reason || error instanceof TypedInterrupt ||
    (error instanceof Error && error.name === "AbortError");
}

function fail(host: Host, error: unknown): ExitCode {
  if (error instanceof UserError) {
    host.output.failure(error);
    return error.code;
  }
  const report = crashReport(error, host.argv);
  host.output.failure(report);
  host.output.talk(report.stack);
  return 1;
}
