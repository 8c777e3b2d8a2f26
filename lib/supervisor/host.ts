/**
 * What the supervisor asks of the machine, as an interface, so that its rules are tested with a made-up machine and a
 * manual clock. linux_host.ts is the real one.
 */
import type { ProcessEnd } from "../os/child_reaper.ts";
import type { ProcessId } from "../os/process_table.ts";
import type { SpawnPlan } from "../os/spawn_process.ts";

export interface TreeUsage {
  processes: number;
  rss_bytes: number;
  /** Time on the processor since each process began, milliseconds. */
  cpu_ms: number;
}

export interface StartedProcess {
  readonly id: ProcessId;
  /** Resolves when it has ended. */
  readonly ended: Promise<ProcessEnd>;
  /** False once it has ended. */
  readonly is_running: boolean;
}

export interface ProcessHost {
  /** Throws a SpawnError when it cannot be started. `mark` is what all it starts will carry. */
  spawn(plan: SpawnPlan, mark: string): StartedProcess;
  /** A process that an earlier supervisor started; undefined when it is gone. */
  adopt(id: ProcessId): StartedProcess | undefined;
  /** Leaders that run under this mark though nobody wrote them down. */
  find(mark: string): ProcessId | undefined;
  /** To the process alone. */
  signal(id: ProcessId, signal: number): void;
  /** To all that belongs to it. How many there were. */
  signalTree(leader: ProcessId | undefined, mark: string, signal: number): number;
  /** How many processes belong to it, and what they use. */
  usage(leader: ProcessId | undefined, mark: string): TreeUsage;
}
