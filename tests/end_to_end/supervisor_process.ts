/**
 * A supervisor as a user runs it, in a folder of its own, with the programs' pids at hand. Disposing ends it and sees to it
 * that nothing of it is left.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { readProcess } from "../../lib/os/process_table.ts";
import { signalProcess } from "../../lib/os/signal_process.ts";
import { processCalls, waitingCalls } from "../../lib/os/process_calls.ts";
import { askSupervisor } from "../../lib/supervisor/control/ask_supervisor.ts";
import type { ControlAnswer, ControlRequest } from "../../lib/supervisor/control/protocol.ts";
import { readState } from "../../lib/supervisor/state_file.ts";
import type { AppStatus, SupervisorStatus } from "../../lib/supervisor/status.ts";
import { DaemonProcess } from "./daemon_process.ts";
import { until } from "./until.ts";

// stays open for good, so it is opened before any test looks for leaks
if (Deno.build.os === "linux") {
  processCalls();
  waitingCalls();
}

const SIGKILL = 9;

export class SupervisorProcess implements AsyncDisposable {
  readonly #kept = new Set<number>();

  private constructor(readonly folder: string, readonly daemon: DaemonProcess) {}

  /** `config` is the supervise file as data; its own folder is `run` unless it names one. */
  static async start(
    folder: string,
    config: Record<string, unknown>,
    env: Record<string, string> = {},
  ): Promise<SupervisorProcess> {
    writeConfig(folder, config);
    const daemon = new DaemonProcess(["supervise", "supervise.json"], { cwd: folder, env });
    await daemon.says("supervising");
    return new SupervisorProcess(folder, daemon);
  }
  get directory(): string {
    return `${this.folder}/run`;
  }
  get pid(): number {
    return this.daemon.pid;
  }
  ask(request: ControlRequest): Promise<ControlAnswer> {
    return askSupervisor(this.directory, request, systemClock);
  }
  async status(): Promise<SupervisorStatus> {
    const status = (await this.ask({ ask: "status" })).status!;
    if (status.keeper_pid) this.#kept.add(status.keeper_pid);
    return status;
  }
  async app(name: string): Promise<AppStatus> {
    const found = (await this.status()).apps.find((app) => app.name === name);
    assert.ok(found, `an app "${name}"`);
    return found;
  }
  /** Resolves with the app once `is` holds. */
  reaches(
    name: string,
    what: string,
    is: (app: AppStatus) => boolean,
    limit_ms = 20_000,
  ): Promise<AppStatus> {
    return until(
      `${name}: ${what}`,
      async () => {
        const app = await this.app(name);
        return is(app) ? app : undefined;
      },
      limit_ms,
      () => this.daemon.tail(),
    );
  }
  online(name: string): Promise<AppStatus> {
    return this.reaches(name, "online", ({ state }) => state === "online");
  }
  log(name: string): string {
    try {
      return Deno.readTextFileSync(`${this.folder}/logs/${name}.log`);
    } catch (error) {
      if (error instanceof Deno.errors.NotFound) return "";
      throw error;
    }
  }
  /** kill −9 of the supervisor alone. */
  async crash(): Promise<void> {
    await this.status();
    await this.daemon.kill();
  }
  /** Ends all programs too, also those of a supervisor that was killed. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.daemon[Symbol.asyncDispose]();
    const state = readState(this.directory);
    const left = [state?.keeper, ...Object.values(state?.apps ?? {}).map(({ process }) => process)];
    for (const id of left) if (id && readProcess(id.pid)) signalProcess(id, SIGKILL);
  }
}

export function writeConfig(folder: string, config: Record<string, unknown>): void {
  Deno.writeTextFileSync(`${folder}/supervise.json`, JSON.stringify({ directory: "run", ...config }));
}

/** An app that a shell line describes. */
export function shell(name: string, line: string, more: Record<string, unknown> = {}) {
  return { name, script: "/bin/sh", args: ["-c", line], ...more };
}
