/**
 * `mdg supervise FILE` from its start to its end: the folder and its lock, the log keeper, the programs, the control
 * socket, systemd. Ends by SIGTERM, Ctrl-C or `mdg supervise shutdown`; whatever else ends it (kill −9, a crash) leaves
 * the programs running for the next one.
 */
import type { Clock } from "../base/clock.ts";
import { quoted, reasonOf, UserError } from "../base/errors.ts";
import type { Log } from "../base/log.ts";
import { Random } from "../base/random.ts";
import type { KeyWorld } from "../config/encryption/key_ring.ts";
import type { App } from "./app.ts";
import type { SuperviseConfig } from "./config_schema.ts";
import { ControlServer } from "./control/control_server.ts";
import type { ControlAnswer, ControlRequest } from "./control/protocol.ts";
import { KeeperProcess, type SelfCommand } from "./keeper_process.ts";
import { LinuxHost } from "./linux_host.ts";
import { loadSuperviseFile } from "./load_supervise_file.ts";
import { probe } from "./probe.ts";
import { type KeptState, readState, stateToGoOn, writeState } from "./state_file.ts";
import { type AppStatus, appStatus, type SupervisorStatus } from "./status.ts";
import { fromFolder, Supervisor } from "./supervisor.ts";
import { folderOf, Surroundings } from "./surroundings.ts";
import { SystemdLink } from "./systemd_link.ts";
import { defaultDirectory, Workplace } from "./workplace.ts";

export interface SuperviseWorld extends KeyWorld {
  env: Readonly<Record<string, string | undefined>>;
  clock: Clock;
  log: Log;
  signal: AbortSignal;
  version: string;
  self: SelfCommand;
  onReload(callback: () => void): () => void;
}

/** Resolves when all has ended, or was left to the next supervisor. */
export async function runSupervisor(file: string, world: SuperviseWorld): Promise<void> {
  const config = await load(file, world);
  const folder = folderOf(file, world.cwd);
  using workplace = Workplace.open(directoryOf(config, folder, world));
  await new Run(file, folder, workplace, world, config).toItsEnd();
}

function directoryOf({ directory }: SuperviseConfig, folder: string, world: SuperviseWorld): string {
  return directory === undefined ? defaultDirectory(world.env) : fromFolder(folder, directory);
}

async function load(file: string, world: SuperviseWorld): Promise<SuperviseConfig> {
  const { value, warnings } = await loadSuperviseFile(file, world);
  for (const { line, path, message } of warnings) world.log.warn(message, { file, line, path });
  return value;
}

class Run {
  readonly #state: KeptState;
  readonly #host: LinuxHost;
  readonly #keeper: KeeperProcess;
  readonly #surroundings: Surroundings;
  readonly #supervisor: Supervisor;
  readonly #systemd: SystemdLink;
  readonly #end = Promise.withResolvers<"stop" | "keep">();
  readonly #ended = Promise.withResolvers<void>();
  readonly #since_ms: number;
  #is_stopping = false;

  constructor(
    readonly file: string,
    readonly folder: string,
    readonly workplace: Workplace,
    readonly world: SuperviseWorld,
    config: SuperviseConfig,
  ) {
    const { clock, log, env, self } = world;
    const { directory } = workplace;
    this.#since_ms = clock.now_ms();
    this.#state = stateToGoOn(readState(directory), () => crypto.randomUUID());
    this.#host = new LinuxHost(clock);
    const random = new Random(crypto.randomUUID());
    this.#keeper = new KeeperProcess({
      clock,
      log,
      host: this.#host,
      random,
      self,
      env: Object.fromEntries(
        Object.entries(env).filter((entry): entry is [string, string] =>
          entry[1] !== undefined && entry[0] !== "NOTIFY_SOCKET"
        ),
      ),
      directory,
      mark: `${this.#state.id}:log-keeper`,
      kept: this.#state.keeper,
      changed: () => this.#save(),
    });
    const surroundings = this.#surroundings = new Surroundings({
      clock,
      workplace,
      keeper: this.#keeper,
      self,
      env,
      folder,
    });
    this.#systemd = new SystemdLink(env, clock);
    this.#supervisor = new Supervisor(config, this.#state, {
      clock,
      log,
      random,
      probe,
      host: this.#host,
      arrange: (next, appOf) => surroundings.arrange(next, appOf),
      prepare: (app) => surroundings.prepare(app),
      spawn: (app, mark) => this.#host.spawn(surroundings.plan(app), mark),
      lineAppears: (app, pattern, signal) => surroundings.lineAppears(app, pattern, signal),
      save: () => this.#save(),
    });
  }
  async toItsEnd(): Promise<void> {
    const { world } = this;
    const kill = () => this.#is_stopping && this.#supervisor.killAll();
    // a second Ctrl-C ends this process at once: then nothing may be left running
    globalThis.addEventListener("unload", kill);
    const stop = () => this.#end.resolve("stop");
    world.signal.addEventListener("abort", stop);
    if (world.signal.aborted) stop();
    const forget = world.onReload(() => void this.#reload().catch(() => {}));
    const { clock, log } = world;
    await using _control = new ControlServer(this.workplace.control_path, {
      clock,
      log,
      answer: (request) => this.#answer(request),
    });
    try {
      await this.#supervisor.start();
      log.info("supervising", { file: this.file, directory: this.workplace.directory, pid: Deno.pid });
      this.#systemd.ready();
      await this.#finish(await this.#end.promise);
    } finally {
      forget();
      world.signal.removeEventListener("abort", stop);
      this.#systemd[Symbol.dispose]();
      this.#surroundings[Symbol.dispose]();
      this.#host[Symbol.dispose]();
      this.#ended.resolve();
      globalThis.removeEventListener("unload", kill);
    }
  }

  async #finish(how: "stop" | "keep"): Promise<void> {
    this.#systemd.stopping();
    if (how === "keep") {
      this.#supervisor.abandon();
      this.#keeper.abandon();
      this.world.log.info("leaving the programs to the next supervisor");
      return;
    }
    this.#is_stopping = true;
    this.world.log.info("stopping");
    await this.#supervisor[Symbol.asyncDispose]();
    await this.#keeper[Symbol.asyncDispose]();
    this.#is_stopping = false;
  }
  #save(): void {
    this.#state.keeper = this.#keeper.process?.is_running ? this.#keeper.process.id : undefined;
    writeState(this.workplace.directory, this.#state);
    const counts = Map.groupBy(this.#supervisor?.apps.values() ?? [], ({ state }) => state);
    this.#systemd?.status([...counts].map(([state, apps]) => `${apps.length} ${state}`).join(", "));
  }
  async #reload(): Promise<ControlAnswer> {
    const { log } = this.world;
    this.#systemd.reloading();
    try {
      const config = await load(this.file, this.world);
      const directory = directoryOf(config, this.folder, this.world);
      if (directory !== this.workplace.directory) {
        throw new UserError(
          `reload ${quoted(this.file)}: directory ${quoted(directory)}, want ${
            quoted(this.workplace.directory)
          }`,
          { code: 2, hint: "another folder needs another supervisor: end this one first" },
        );
      }
      return { reload: await this.#supervisor.reload(config) };
    } catch (error) {
      log.error("reload refused, going on as before", { why: reasonOf(error) });
      throw error;
    } finally {
      this.#systemd.ready();
    }
  }
  async #answer(request: ControlRequest): Promise<ControlAnswer> {
    const supervisor = this.#supervisor;
    const done = (apps: readonly App[]) => ({ apps: apps.map((app) => this.#appStatus(app)) });
    switch (request.ask) {
      case "status":
        supervisor.measure();
        return { status: this.#status() };
      case "reload":
        return await this.#reload();
      case "shutdown":
        this.#end.resolve(request.keep ? "keep" : "stop");
        await this.#ended.promise;
        return {};
      case "start": {
        const apps = supervisor.select(request.names);
        supervisor.startApps(apps);
        return done(apps);
      }
      case "stop": {
        const apps = supervisor.select(request.names);
        await supervisor.stopApps(apps);
        return done(apps);
      }
      case "restart": {
        const apps = supervisor.select(request.names);
        await Promise.all(apps.map((app) => app.restart("asked to restart")));
        return done(apps);
      }
      case "signal": {
        const apps = supervisor.select(request.names);
        for (const app of apps) supervisor.signal(app, app.config.reload_signal);
        return done(apps);
      }
    }
  }
  #status(): SupervisorStatus {
    return {
      version: this.world.version,
      pid: Deno.pid,
      keeper_pid: this.#keeper.process?.id.pid,
      since_ms: this.#since_ms,
      now_ms: this.world.clock.now_ms(),
      file: this.file,
      directory: this.workplace.directory,
      apps: [...this.#supervisor.apps.values()].map((app) => this.#appStatus(app)),
    };
  }
  #appStatus(app: App): AppStatus {
    return appStatus(app, this.#supervisor, this.#surroundings.logFiles(app.config));
  }
}
