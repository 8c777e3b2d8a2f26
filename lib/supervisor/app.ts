/**
 * One program over all its starts: waits for what it depends on, starts, becomes ready, ends, and by its policy starts
 * again. One loop at a time lives per app; whoever wants something of it either ends the present run (restart, unfit) or
 * the loop (stop). A planned restart counts as no failure and waits for nothing.
 */
import { Backoff } from "../base/backoff.ts";
import { sleep } from "../base/clock.ts";
import { reasonOf } from "../base/errors.ts";
import type { Random } from "../base/random.ts";
import type { ProcessEnd } from "../os/child_reaper.ts";
import { AppGuards, type GuardWorld, portTaken } from "./app_guards.ts";
import type { AppConfig } from "./config_schema.ts";
import { endAfterExit, endProcess, type EndWorld } from "./end_tree.ts";
import type { StartedProcess, TreeUsage } from "./host.ts";
import type { Notification } from "./notify_socket.ts";
import { sizeText } from "./quantities.ts";

export type AppState =
  | "stopped"
  | "waiting"
  | "starting"
  | "online"
  | "stopping"
  | "backoff"
  | "exited"
  | "failed";

export interface AppWorld extends EndWorld, GuardWorld {
  random: Random;
  /** What all that this app starts carries. */
  mark: string;
  /** What must be known before its first byte of output. */
  prepare(config: AppConfig): Promise<void>;
  /** Throws a UserError or SpawnError when it cannot be started. */
  spawn(config: AppConfig): StartedProcess;
  /** Resolves when all these are online, or the signal aborts; tells what it waits for. */
  untilOnline(names: readonly string[], signal: AbortSignal, tell: (why: string) => void): Promise<void>;
  /** Called whenever something that is shown or kept has changed. */
  changed(): void;
}

export interface LastEnd extends ProcessEnd {
  at_ms: number;
  uptime_ms: number;
  why: string;
}

/** Why a run was made to end. */
interface Wish {
  why: string;
  /** Asked for, so no failure. */
  is_planned: boolean;
}
interface Outcome {
  why: string;
  wish: Wish | undefined;
  end: ProcessEnd | undefined;
  was_online: boolean;
  uptime_ms: number;
}

export class App {
  state: AppState = "stopped";
  /** Why it is in this state, where there is more to say. */
  reason: string | undefined;
  /** Starts after the first. */
  restarts = 0;
  /** Failed starts in a row. */
  failures = 0;
  since_ms: number;
  process: StartedProcess | undefined;
  started_ms: number | undefined;
  last_end: LastEnd | undefined;
  /** What it says of itself by sd_notify. */
  status_text: string | undefined;
  usage: TreeUsage | undefined;
  cpu_percent: number | undefined;
  readonly #backoff: Backoff;
  #life: { stop: AbortController; done: Promise<void> } | undefined;
  #wish: ((wish: Wish) => void) | undefined;
  #guards: AppGuards | undefined;

  constructor(public config: AppConfig, readonly world: AppWorld) {
    this.since_ms = world.clock.now_ms();
    const { restart_delay, max_restart_delay } = config;
    this.#backoff = new Backoff({ first_ms: restart_delay, max_ms: max_restart_delay }, world.random);
  }
  get name(): string {
    return this.config.name;
  }
  /** It is meant to run. */
  get is_wanted(): boolean {
    return this.#life !== undefined && !this.#life.stop.signal.aborted;
  }
  /** Nothing if it lives already. `adopted`: a process that an earlier supervisor started. */
  start(adopted?: { process: StartedProcess; was_online: boolean; started_ms: number }): void {
    if (this.is_wanted) return;
    const before = this.#life?.done;
    const stop = new AbortController();
    this.failures = 0;
    this.#backoff.reset();
    const done = (async () => {
      await before;
      await this.#live(stop.signal, adopted);
      if (this.#life?.stop === stop) this.#life = undefined;
      this.world.changed();
    })();
    this.#life = { stop, done };
  }
  /** Resolves when it and all it started are gone. */
  async stop(): Promise<void> {
    const life = this.#life;
    if (!life) {
      if (this.state !== "stopped") this.#enter("stopped");
      return;
    }
    life.stop.abort();
    this.#wish?.({ why: "stopped", is_planned: true });
    await life.done;
  }
  /** Ends the present run and begins another at once. Resolves when the old process has ended. */
  async restart(why: string): Promise<void> {
    const { process } = this;
    if (process && this.#wish && this.is_wanted) {
      this.#wish({ why, is_planned: true });
      await process.ended;
      return;
    }
    await this.stop();
    this.start();
  }
  /** Lets go of it without ending it. */
  abandon(): void {
    this.#guards?.[Symbol.dispose]();
  }
  hear(message: Notification): void {
    if (message.status !== undefined) this.status_text = message.status;
    this.#guards?.hear(message);
  }
  /** Tells it what its tree uses. */
  measured(usage: TreeUsage, cpu_percent: number | undefined): void {
    this.usage = usage;
    this.cpu_percent = cpu_percent;
    const limit = this.config.max_memory_restart;
    if (limit === undefined || usage.rss_bytes <= limit || this.state === "stopping") return;
    this.#wish?.({
      why: `uses ${sizeText(usage.rss_bytes)} of memory, at most ${sizeText(limit)} allowed`,
      is_planned: true,
    });
  }

  async #live(stop: AbortSignal, adopted?: Parameters<App["start"]>[0]): Promise<void> {
    for (let first = true; !stop.aborted; first = false) {
      if (!adopted) await this.#wait(stop);
      if (stop.aborted) break;
      if (!first) this.restarts++;
      const outcome = await this.#run(stop, adopted);
      adopted = undefined;
      if (stop.aborted) break;
      if (outcome.wish?.is_planned) {
        this.failures = 0;
        this.#backoff.reset();
        continue;
      }
      const end = this.#verdict(outcome);
      if (end) {
        this.#enter(end.state, end.why);
        return;
      }
      const delay_ms = Math.round(this.#backoff.next_ms());
      this.#enter("backoff", outcome.why);
      this.world.log.warn("restarting", { why: outcome.why, delay_ms, failures: this.failures });
      await sleep(this.world.clock, delay_ms, stop);
    }
    this.#enter("stopped");
  }
  /** The state it ends in, or undefined: it is started again. */
  #verdict(outcome: Outcome): { state: "exited" | "failed"; why: string } | undefined {
    const { autorestart, max_restarts, min_uptime } = this.config;
    const { end, wish, why } = outcome;
    const is_good_start = outcome.was_online && outcome.uptime_ms >= min_uptime;
    if (is_good_start) {
      this.failures = 0;
      this.#backoff.reset();
    } else this.failures++;
    if (!wish && end) {
      const is_clean = end.code === 0;
      if (autorestart === "never" || (autorestart === "on_failure" && is_clean)) {
        this.world.log.info("ended, not restarted", { why, autorestart });
        return { state: is_clean ? "exited" : "failed", why };
      }
    }
    if (max_restarts === "unlimited" || this.failures <= max_restarts) return undefined;
    this.world.log.error("given up", { why, failures: this.failures });
    return { state: "failed", why: `${this.failures} failed starts, the last: ${why}` };
  }
  async #wait(stop: AbortSignal): Promise<void> {
    if (this.config.depends_on.length === 0) return;
    await this.world.untilOnline(this.config.depends_on, stop, (why) => this.#enter("waiting", why));
  }
  async #run(stop: AbortSignal, adopted?: Parameters<App["start"]>[0]): Promise<Outcome> {
    const { clock, log } = this.world;
    const failed = (why: string): Outcome => ({
      why,
      wish: undefined,
      end: undefined,
      was_online: false,
      uptime_ms: 0,
    });
    this.#enter("starting");
    if (!adopted) {
      const taken = await portTaken(this.config, this.world);
      if (taken !== undefined) return failed(taken);
      await this.world.prepare(this.config);
      if (stop.aborted) return failed("stopped");
    }
    let process: StartedProcess;
    try {
      process = adopted?.process ?? this.world.spawn(this.config);
    } catch (error) {
      return failed(reasonOf(error));
    }
    this.process = process;
    this.started_ms = adopted?.started_ms ?? clock.now_ms();
    this.status_text = undefined;
    log.info(adopted ? "adopted" : "started", { pid: process.id.pid });
    this.world.changed();
    const outcome = await this.#watch(process, stop, adopted?.was_online ?? false);
    this.process = undefined;
    this.usage = undefined;
    this.cpu_percent = undefined;
    this.last_end = {
      ...outcome.end,
      at_ms: clock.now_ms(),
      uptime_ms: outcome.uptime_ms,
      why: outcome.why,
    };
    log.info("ended", { ...outcome.end, why: outcome.why, uptime_ms: Math.round(outcome.uptime_ms) });
    return outcome;
  }
  async #watch(process: StartedProcess, stop: AbortSignal, is_ready: boolean): Promise<Outcome> {
    const { world, config } = this;
    // by the wall clock only what an earlier supervisor saw of it
    const before_ms = Math.max(0, world.clock.now_ms() - this.started_ms!);
    const from_ms = world.clock.monotonic_ms();
    let was_online = is_ready;
    const wished = Promise.withResolvers<Wish>();
    this.#wish = wished.resolve;
    const guards = this.#guards = new AppGuards(config, world, {
      online: () => {
        was_online = true;
        if (this.state === "starting") this.#enter("online");
      },
      unfit: (why) => wished.resolve({ why, is_planned: false }),
    });
    guards.start(is_ready);
    if (stop.aborted) wished.resolve({ why: "stopped", is_planned: true });
    const wish = await Promise.race([process.ended.then(() => undefined), wished.promise]);
    this.#wish = undefined;
    guards[Symbol.dispose]();
    this.#guards = undefined;
    const uptime_ms = before_ms + world.clock.monotonic_ms() - from_ms;
    if (wish) {
      this.#enter("stopping", wish.why);
      await endProcess(world, process, world.mark, config.stop_signal, config.kill_timeout);
    } else await endAfterExit(world, process, world.mark, config.kill_timeout);
    const end = process.is_running ? undefined : await process.ended;
    return { why: wish?.why ?? endText(end!), wish, end, was_online, uptime_ms };
  }
  #enter(state: AppState, reason?: string): void {
    if (this.state !== state) this.since_ms = this.world.clock.now_ms();
    this.state = state;
    this.reason = reason;
    if (state === "online") this.world.log.info("online", { pid: this.process?.id.pid });
    this.world.changed();
  }
}

/** "exit code 3", "SIGSEGV". */
export function endText({ code, signal }: ProcessEnd): string {
  return signal ?? (code === undefined ? "ended, how is not known" : `exit code ${code}`);
}
