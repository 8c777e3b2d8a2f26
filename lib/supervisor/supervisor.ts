/**
 * All programs of a file: the order in which they start and end, what a dead supervisor left of them, the schedule, the
 * reload of the file, what is shown and kept. What happens to a single one is app.ts; how people ask is control/.
 */
import { createHash } from "node:crypto";
import { join } from "node:path";
import type { Timer } from "../base/clock.ts";
import { quoted, UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { SIGNALS } from "../os/child_reaper.ts";
import { App, type AppWorld } from "./app.ts";
import type { AppConfig, SuperviseConfig } from "./config_schema.ts";
import { endMarked } from "./end_tree.ts";
import { Scheduler } from "./schedule/scheduler.ts";
import type { ScheduleAction } from "./schedule/schedule_schema.ts";
import type { StartedProcess } from "./host.ts";
import type { KeptState } from "./state_file.ts";

/** What stands between the supervisor and the machine. */
export interface SupervisorWorld extends Omit<AppWorld, "mark" | "untilOnline" | "changed" | "spawn"> {
  log: Log;
  /** Throws a UserError or SpawnError when it cannot be started. */
  spawn(config: AppConfig, mark: string): StartedProcess;
  /** Everything about an app's surroundings that must be there before it starts: its pipes, its sockets. */
  arrange(config: SuperviseConfig, appOf: (name: string) => App | undefined): Promise<void>;
  save(state: KeptState): void;
}

export interface ReloadReport {
  added: string[];
  removed: string[];
  restarted: string[];
  updated: string[];
  unchanged: string[];
}

export class Supervisor implements AsyncDisposable {
  readonly apps = new Map<string, App>();
  readonly #scheduler: Scheduler;
  readonly #last_run: Map<string, number>;
  readonly #waiting = new Set<() => void>();
  #config: SuperviseConfig;
  #sampler: Timer | undefined;
  #sampled = new Map<string, { at_ms: number; cpu_ms: number }>();
  #is_dirty = false;
  /** Until then what is kept is what the supervisor before us knew. */
  #is_started = false;
  #is_closed = false;
  #reloading: Promise<unknown> = Promise.resolve();

  constructor(config: SuperviseConfig, readonly state: KeptState, readonly world: SupervisorWorld) {
    this.#config = config;
    this.#last_run = new Map(Object.entries(state.schedule));
    this.#scheduler = new Scheduler({
      clock: world.clock,
      log: world.log,
      closures: config.closures,
      act: (app, action, why) => void this.act(app, action, why),
      last_ms: this.#last_run,
    });
  }
  get config(): SuperviseConfig {
    return this.#config;
  }
  /** Takes over what runs, ends what nobody wants any more, starts the rest. */
  async start(): Promise<void> {
    const { apps } = this.#config;
    for (const config of apps) this.apps.set(config.name, this.#create(config));
    await this.world.arrange(this.#config, (name) => this.apps.get(name));
    await Promise.all([this.#endRemoved(), ...[...this.apps.values()].map((app) => this.#takeOver(app))]);
    this.#is_started = true;
    this.#schedule();
    this.#measureEvery(this.#config.memory_interval);
    this.#changed();
  }
  /** The apps of these names; all of them for "all". Throws a UserError for a name that nobody has. */
  select(names: readonly string[]): App[] {
    if (names.includes("all")) return [...this.apps.values()];
    return names.map((name) => {
      const app = this.apps.get(name);
      if (app) return app;
      throw new UserError(`find app ${quoted(name)}: want one of ${[...this.apps.keys()].join(", ")}`, {
        code: 2,
      });
    });
  }
  /** Starts them and what they depend on. */
  startApps(apps: readonly App[]): void {
    for (const app of apps) {
      this.startApps(app.config.depends_on.map((name) => this.apps.get(name)!));
      app.start();
    }
  }
  /** Each one after those that depend on it. */
  async stopApps(apps: readonly App[]): Promise<void> {
    const stopping = new Map<App, Promise<void>>();
    const stop = (app: App): Promise<void> => {
      const known = stopping.get(app);
      if (known) return known;
      const dependents = apps.filter(({ config }) => config.depends_on.includes(app.name));
      const done = (async () => {
        await Promise.all(dependents.map(stop));
        await app.stop();
      })();
      stopping.set(app, done);
      return done;
    };
    await Promise.all(apps.map(stop));
  }
  /** What a rule of the schedule, or a person, wants of one app. */
  async act(name: string, action: ScheduleAction, why: string): Promise<void> {
    const app = this.apps.get(name);
    if (!app || this.#is_closed) return;
    this.#changed();
    switch (action) {
      case "start":
        return this.startApps([app]);
      case "stop":
        return await app.stop();
      case "restart":
        // one that was stopped by hand stays so
        if (why.startsWith("schedule") && app.state === "stopped") return;
        return await app.restart(why);
      case "reload":
        this.signal(app, app.config.reload_signal);
    }
  }
  /** To the program itself; nothing when it does not run. */
  signal(app: App, signal: string): void {
    if (app.process?.is_running) this.world.host.signal(app.process.id, SIGNALS[signal]);
  }
  /** Goes over to another config: only what differs is touched. One at a time. */
  reload(config: SuperviseConfig): Promise<ReloadReport> {
    const report = this.#reloading.then(() => this.#reload(config));
    this.#reloading = report.catch(() => {});
    return report;
  }
  nextScheduled(app: string): { at_ms: number; action: ScheduleAction } | undefined {
    return this.#scheduler.nextOf(app);
  }
  /** Ends everything, each one after those that depend on it. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#close();
    await this.stopApps([...this.apps.values()]);
    // the next one begins afresh: what was stopped by hand is started again
    this.state.apps = {};
    this.world.save(this.state);
  }
  /** SIGKILL to everything, at once: for the second wish to stop. */
  killAll(): void {
    for (const { process, world } of this.apps.values()) {
      if (process?.is_running) world.host.signalTree(process.id, world.mark, SIGNALS.SIGKILL);
    }
  }
  /** Lets go of everything as it runs, for the next supervisor. */
  abandon(): void {
    this.#close();
    this.#save();
    for (const app of this.apps.values()) app.abandon();
  }

  #close(): void {
    this.#is_closed = true;
    this.#scheduler[Symbol.dispose]();
    this.#sampler?.cancel();
  }
  #create(config: AppConfig): App {
    const log = this.world.log.with({ app: config.name });
    const mark = markOf(this.state.id, config.name);
    return new App(config, {
      ...this.world,
      log,
      mark,
      spawn: (wanted) => this.world.spawn(wanted, mark),
      untilOnline: (names, signal, tell) => this.#untilOnline(names, signal, tell),
      changed: () => this.#changed(),
    });
  }
  async #takeOver(app: App): Promise<void> {
    const { host } = this.world;
    const kept = this.state.apps[app.name];
    app.restarts = kept?.restarts ?? 0;
    const found = kept?.process && host.adopt(kept.process);
    // started, but its supervisor died before it could write that down
    const unknown = kept?.process ? undefined : host.find(app.world.mark);
    const process = found ?? (unknown && host.adopt(unknown));
    if (process) {
      const started_ms = kept?.started_ms ?? this.world.clock.now_ms();
      app.start({ process, was_online: found !== undefined && kept.was_online, started_ms });
      if (!kept || kept.config_hash === hashOf(app.config)) return;
      void app.restart("its config changed while no supervisor ran");
      return;
    }
    await endMarked(app.world, kept?.process, app.world.mark, app.config.kill_timeout);
    if (kept?.is_wanted ?? app.config.autostart) app.start();
  }
  /** Apps of the dead supervisor that the file no longer has. */
  async #endRemoved(): Promise<void> {
    const removed = Object.entries(this.state.apps).filter(([name]) => !this.apps.has(name));
    await Promise.all(removed.map(async ([name, { process }]) => {
      const log = this.world.log.with({ app: name });
      const found = process && this.world.host.adopt(process);
      if (found) log.info("ending: the file no longer has it", { pid: found.id.pid });
      await endMarked({ ...this.world, log }, process, markOf(this.state.id, name), REMOVED_KILL_TIMEOUT_MS);
    }));
  }
  async #reload(config: SuperviseConfig): Promise<ReloadReport> {
    const report: ReloadReport = { added: [], removed: [], restarted: [], updated: [], unchanged: [] };
    const wanted = new Map(config.apps.map((app) => [app.name, app]));
    const gone = [...this.apps.values()].filter(({ name }) => !wanted.has(name));
    const changed = [...this.apps.values()].filter((app) => {
      const next = wanted.get(app.name);
      return next !== undefined && hashOf(next) !== hashOf(app.config);
    });
    report.removed = gone.map(({ name }) => name);
    report.restarted = changed.map(({ name }) => name);
    const were_wanted = new Set(changed.filter(({ is_wanted }) => is_wanted).map(({ name }) => name));
    await this.stopApps([...gone, ...changed]);
    for (const app of gone) this.apps.delete(app.name);
    this.#config = config;
    await this.world.arrange(config, (name) => this.apps.get(name));
    const starting: App[] = [];
    for (const [name, next] of wanted) {
      const app = this.apps.get(name);
      if (app && !changed.includes(app)) {
        const is_same = JSON.stringify(app.config) === JSON.stringify(next);
        report[is_same ? "unchanged" : "updated"].push(name);
        app.config = next;
        continue;
      }
      const fresh = this.#create(next);
      fresh.restarts = app?.restarts ?? 0;
      this.apps.set(name, fresh);
      if (!app) report.added.push(name);
      if (app ? were_wanted.has(name) : next.autostart) starting.push(fresh);
    }
    for (const app of starting) app.start();
    this.#schedule();
    this.#measureEvery(config.memory_interval);
    this.world.log.info("reloaded", { ...report });
    this.#changed();
    return report;
  }
  #schedule(): void {
    const rules = this.#config.apps.flatMap(({ name, schedule }) =>
      schedule.map((rule) => ({ app: name, rule }))
    );
    this.#scheduler.replace(rules, this.#config.closures);
  }
  async #untilOnline(
    names: readonly string[],
    signal: AbortSignal,
    tell: (why: string) => void,
  ): Promise<void> {
    for (let told = ""; !signal.aborted;) {
      const missing = names.map((name) => this.apps.get(name)).find((app) => !isDone(app));
      if (missing === undefined) return;
      const why = `waits for ${missing.name}, which is ${missing.state}`;
      if (why !== told) tell(told = why);
      await new Promise<void>((resolve) => {
        const look = () => {
          this.#waiting.delete(look);
          signal.removeEventListener("abort", look);
          resolve();
        };
        this.#waiting.add(look);
        signal.addEventListener("abort", look);
      });
    }
  }
  #changed(): void {
    if (this.#is_dirty) return;
    this.#is_dirty = true;
    queueMicrotask(() => {
      this.#is_dirty = false;
      for (const look of [...this.#waiting]) look();
      if (this.#is_started && !this.#is_closed) this.#save();
    });
  }
  #save(): void {
    this.state.schedule = Object.fromEntries(this.#last_run);
    this.state.apps = Object.fromEntries(
      [...this.apps].map(([name, app]) => [name, {
        process: app.process?.is_running ? app.process.id : undefined,
        started_ms: app.started_ms,
        was_online: app.state === "online",
        // one that was given up gets another chance with another supervisor
        is_wanted: app.is_wanted || app.state === "failed",
        restarts: app.restarts,
        config_hash: hashOf(app.config),
      }]),
    );
    this.world.save(this.state);
  }
  #measureEvery(interval_ms: number): void {
    this.#sampler?.cancel();
    this.#sampler = this.world.clock.every(interval_ms, () => this.measure());
  }
  /** Looks at what each program uses now. */
  measure(): void {
    const at_ms = this.world.clock.monotonic_ms();
    for (const app of this.apps.values()) {
      if (!app.process?.is_running) {
        this.#sampled.delete(app.name);
        continue;
      }
      const usage = this.world.host.usage(app.process.id, app.world.mark);
      const before = this.#sampled.get(app.name);
      this.#sampled.set(app.name, { at_ms, cpu_ms: usage.cpu_ms });
      const elapsed_ms = before ? at_ms - before.at_ms : 0;
      // less than before: one of its processes has ended
      const cpu = elapsed_ms > 0 ? (usage.cpu_ms - before!.cpu_ms) / elapsed_ms * 100 : undefined;
      app.measured(usage, cpu === undefined ? undefined : Math.max(0, cpu));
    }
  }
}

/** Up, or, for a job that only has to be done, done. */
function isDone(app: App | undefined): boolean {
  return app === undefined || app.state === "online" || app.state === "exited";
}

const REMOVED_KILL_TIMEOUT_MS = 30_000;

function markOf(supervisor_id: string, app: string): string {
  return `${supervisor_id}/${app}`;
}

/** Of what its process depends on: the schedule does not. */
function hashOf({ schedule: _, ...config }: AppConfig): string {
  return createHash("sha256").update(JSON.stringify(config)).digest("hex").slice(0, 16);
}

/** Paths of a supervise file are taken from its folder. */
export function fromFolder(folder: string, path: string): string {
  return path.startsWith("/") ? path : join(folder, path);
}
