/**
 * The real machine. Own children are known to have ended by SIGCHLD; adopted ones, which are another's children by now,
 * are looked at. Signals go to the process group at one instant and then, one by one and by pidfd, to whoever left it.
 */
import type { Clock, Timer } from "../base/clock.ts";
import { ChildReaper, type ProcessEnd, SIGNALS } from "../os/child_reaper.ts";
import {
  isRunning,
  type ProcessId,
  readProcess,
  startVariable,
  ticksPerSecond,
} from "../os/process_table.ts";
import { listProcesses } from "../os/process_table.ts";
import { signalGroup, signalProcess } from "../os/signal_process.ts";
import { type SpawnPlan, spawnProcess } from "../os/spawn_process.ts";
import type { ProcessHost, StartedProcess, TreeUsage } from "./host.ts";
import { MARK_VARIABLE, processTree } from "./process_tree.ts";

/** How often adopted processes are looked at. */
const LOOK_MS = 200;

class Started implements StartedProcess {
  is_running = true;
  readonly ended: Promise<ProcessEnd>;
  #resolve: (end: ProcessEnd) => void = () => {};

  constructor(readonly id: ProcessId) {
    this.ended = new Promise((resolve) => this.#resolve = resolve);
  }
  end(end: ProcessEnd): void {
    this.is_running = false;
    this.#resolve(end);
  }
}

export class LinuxHost implements ProcessHost, Disposable {
  readonly #children = new Map<number, Started>();
  readonly #adopted = new Set<Started>();
  readonly #reaper = new ChildReaper((pid, end) => this.#ended(pid, end));
  readonly #ms_per_tick = 1_000 / ticksPerSecond();
  #timer: Timer | undefined;

  constructor(readonly clock: Clock) {}

  spawn(plan: SpawnPlan, mark: string): StartedProcess {
    const pid = spawnProcess({ ...plan, env: { ...plan.env, [MARK_VARIABLE]: mark } });
    // it is there, if only as a zombie: nobody but the reaper, in a later turn, takes it away
    const started = new Started({ pid, start_ticks: readProcess(pid)!.start_ticks });
    this.#children.set(pid, started);
    return started;
  }
  adopt(id: ProcessId): StartedProcess | undefined {
    if (!isRunning(id)) return undefined;
    const started = new Started(id);
    this.#adopted.add(started);
    this.#timer ??= this.clock.every(LOOK_MS, () => this.#look());
    return started;
  }
  find(mark: string): ProcessId | undefined {
    const leaders = listProcesses().filter(({ pid, sid, state }) =>
      pid === sid && state !== "Z" && startVariable(pid, MARK_VARIABLE) === mark
    );
    // what it started may lead sessions, too, but is younger
    const [leader] = leaders.sort((one, other) => one.start_ticks - other.start_ticks);
    return leader && { pid: leader.pid, start_ticks: leader.start_ticks };
  }
  signal(id: ProcessId, signal: number): void {
    signalProcess(id, signal);
  }
  signalTree(leader: ProcessId | undefined, mark: string, signal: number): number {
    const count = this.#toTree(leader, mark, signal);
    // one that is stopped (SIGSTOP) hears nothing else until it goes on
    if (count > 0 && signal !== SIGNALS.SIGKILL) this.#toTree(leader, mark, SIGNALS.SIGCONT);
    return count;
  }
  usage(leader: ProcessId | undefined, mark: string): TreeUsage {
    const tree = processTree(leader, mark, Deno.pid);
    return {
      processes: tree.length,
      rss_bytes: tree.reduce((sum, { rss_bytes }) => sum + rss_bytes, 0),
      cpu_ms: tree.reduce((sum, { cpu_ticks }) => sum + cpu_ticks, 0) * this.#ms_per_tick,
    };
  }
  [Symbol.dispose](): void {
    this.#timer?.cancel();
    this.#reaper[Symbol.dispose]();
  }

  #toTree(leader: ProcessId | undefined, mark: string, signal: number): number {
    const tree = processTree(leader, mark, Deno.pid);
    const in_group = leader !== undefined && tree.some(({ pgid }) => pgid === leader.pid);
    if (in_group) signalGroup(leader.pid, signal);
    for (const entry of tree) {
      if (!in_group || entry.pgid !== leader.pid) signalProcess(entry, signal);
    }
    return tree.length;
  }
  #ended(pid: number, end: ProcessEnd): void {
    this.#children.get(pid)?.end(end);
    this.#children.delete(pid);
  }
  #look(): void {
    for (const started of this.#adopted) {
      if (isRunning(started.id)) continue;
      this.#adopted.delete(started);
      started.end({});
    }
    if (this.#adopted.size > 0) return;
    this.#timer?.cancel();
    this.#timer = undefined;
  }
}
