/** A machine that is made up: processes that end when the test says so, or when they are signalled. */
import type { ProcessEnd } from "../../../lib/os/child_reaper.ts";
import type { ProcessId } from "../../../lib/os/process_table.ts";
import type { ProcessHost, StartedProcess, TreeUsage } from "../../../lib/supervisor/host.ts";

export class FakeProcess implements StartedProcess {
  is_running = true;
  /** Signals that it got. */
  readonly signals: number[] = [];
  /** What it left behind when it ended. */
  leftovers = 0;
  rss_bytes = 1_000_000;
  readonly #ended = Promise.withResolvers<ProcessEnd>();

  constructor(readonly id: ProcessId, readonly name: string, readonly ignores_sigterm: boolean) {}
  get ended(): Promise<ProcessEnd> {
    return this.#ended.promise;
  }
  end(end: ProcessEnd): void {
    this.is_running = false;
    this.#ended.resolve(end);
  }
}

export class FakeHost implements ProcessHost {
  readonly processes: FakeProcess[] = [];
  ignores_sigterm = false;

  start(name: string): FakeProcess {
    const pid = 1_000 + this.processes.length;
    const process = new FakeProcess({ pid, start_ticks: pid }, name, this.ignores_sigterm);
    this.processes.push(process);
    return process;
  }
  /** The last process of an app. */
  last(name: string): FakeProcess {
    return this.processes.findLast((one) => one.name === name)!;
  }
  count(name: string): number {
    return this.processes.filter((one) => one.name === name).length;
  }
  spawn(): StartedProcess {
    throw new Error("the world spawns");
  }
  adopt(id: ProcessId): StartedProcess | undefined {
    return this.processes.find((one) => one.id.pid === id.pid && one.is_running);
  }
  find(): ProcessId | undefined {
    return undefined;
  }
  signal(id: ProcessId, signal: number): void {
    this.#of(id)?.signals.push(signal);
  }
  signalTree(leader: ProcessId | undefined, _mark: string, signal: number): number {
    const process = leader && this.#of(leader);
    if (!process) return 0;
    const count = this.usage(leader).processes;
    process.signals.push(signal);
    const is_kill = signal === 9;
    if (is_kill) process.leftovers = 0;
    if (process.is_running && (is_kill || !process.ignores_sigterm)) {
      process.end({ signal: is_kill ? "SIGKILL" : "SIGTERM" });
    }
    return count;
  }
  usage(leader: ProcessId | undefined): TreeUsage {
    const process = leader && this.#of(leader);
    const processes = process ? Number(process.is_running) + process.leftovers : 0;
    return { processes, rss_bytes: process?.rss_bytes ?? 0, cpu_ms: 0 };
  }

  #of(id: ProcessId): FakeProcess | undefined {
    return this.processes.find((one) => one.id.pid === id.pid);
  }
}
