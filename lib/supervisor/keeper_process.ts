/**
 * The log keeper seen by the supervisor: found alive or started, told what to write, started again when it dies. Every
 * pipe is held open here too, so nothing in it is lost while there is no keeper.
 */
import { Backoff } from "../base/backoff.ts";
import { type Clock, sleep, withDeadline } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import type { Random } from "../base/random.ts";
import { SIGNALS } from "../os/child_reaper.ts";
import { type ProcessId, readProcess } from "../os/process_table.ts";
import { HeldPipe, makePipe } from "../os/pipe_to_file.ts";
import type { ProcessHost, StartedProcess } from "./host.ts";
import type { DrainPlan } from "./log_keeper/keeper_plan.ts";
import { WAKE_PIPE, writeKeeperPlan } from "./log_keeper/keeper_plan.ts";

/** How this very program is started again, with further arguments. */
export interface SelfCommand {
  program: string;
  args: readonly string[];
}

export interface KeeperOptions {
  clock: Clock;
  log: Log;
  host: ProcessHost;
  random: Random;
  self: SelfCommand;
  env: Readonly<Record<string, string>>;
  directory: string;
  mark: string;
  /** The keeper of an earlier supervisor. */
  kept: ProcessId | undefined;
  changed(): void;
}

const WAKE = new Uint8Array(1);
const RETRY = { first_ms: 100, max_ms: 5_000 };
const DRAIN_LIMIT_MS = 10_000;

export class KeeperProcess implements AsyncDisposable {
  process: StartedProcess | undefined;
  readonly #held = new Map<string, HeldPipe>();
  readonly #stop = new AbortController();
  /** Tells it by a byte that the plan has changed; one that only starts finds the byte then. */
  readonly #wake: HeldPipe;
  #drains: DrainPlan[] = [];
  #must_end = false;
  #watching: Promise<void> | undefined;

  constructor(readonly options: KeeperOptions) {
    const path = `${options.directory}/${WAKE_PIPE}`;
    makePipe(path, 0o600);
    this.#wake = new HeldPipe(path);
  }

  /** Says what is written from now on; the first time it begins. The pipes are there afterwards. */
  keep(drains: DrainPlan[]): void {
    this.#drains = drains;
    const wanted = new Set(drains.map(({ pipe }) => pipe));
    for (const path of wanted) {
      if (this.#held.has(path)) continue;
      makePipe(path, 0o600);
      this.#held.set(path, new HeldPipe(path));
    }
    for (const [path, pipe] of this.#held) {
      if (wanted.has(path)) continue;
      pipe[Symbol.dispose]();
      this.#held.delete(path);
    }
    this.#tell();
    this.#watching ??= this.#watch();
  }
  held(path: string): HeldPipe | undefined {
    return this.#held.get(path);
  }
  /** Lets it go on without us. */
  abandon(): void {
    this.#stop.abort();
  }
  /** Lets it write what is left, then ends it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#stop.abort();
    const { process } = this;
    if (process?.is_running) {
      const { host, clock, log } = this.options;
      this.#must_end = true;
      try {
        this.#tell();
        await withDeadline(clock, DRAIN_LIMIT_MS, "end the log keeper", process.ended);
      } catch (error) {
        log.error("log keeper does not end", { why: reasonOf(error) });
        host.signal(process.id, SIGNALS.SIGKILL);
      }
    }
    await this.#watching;
    for (const pipe of this.#held.values()) pipe[Symbol.dispose]();
    this.#held.clear();
    this.#wake[Symbol.dispose]();
  }

  async #watch(): Promise<void> {
    const { host, log, clock, random, kept } = this.options;
    const { signal } = this.#stop;
    const backoff = new Backoff(RETRY, random);
    let process = kept && host.adopt(kept);
    if (process) log.info("log keeper adopted", { pid: process.id.pid });
    while (!signal.aborted) {
      try {
        process ??= this.#spawn();
        this.process = process;
        this.options.changed();
        const started_ms = clock.monotonic_ms();
        await Promise.race([process.ended, aborted(signal)]);
        if (signal.aborted) return;
        if (clock.monotonic_ms() - started_ms > RETRY.max_ms) backoff.reset();
        log.warn("log keeper ended", { pid: process.id.pid });
      } catch (error) {
        log.error("log keeper does not start", { why: reasonOf(error) });
      }
      process = this.process = undefined;
      await sleep(clock, backoff.next_ms(), signal);
    }
  }
  #spawn(): StartedProcess {
    const { host, self, env, directory, mark, log } = this.options;
    const output = { file: `${directory}/keeper.log` };
    const process = host.spawn({
      program: self.program,
      args: [...self.args, "supervise", "keep-logs", directory],
      env,
      cwd: directory,
      stdout: output,
      stderr: output,
    }, mark);
    log.debug("log keeper started", { pid: process.id.pid });
    return process;
  }
  #tell(): void {
    const { pid, start_ticks } = readProcess(Deno.pid)!;
    writeKeeperPlan(this.options.directory, {
      supervisor: { pid, start_ticks },
      drains: this.#drains,
      must_end: this.#must_end,
    });
    this.#wake.write(WAKE);
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
}
