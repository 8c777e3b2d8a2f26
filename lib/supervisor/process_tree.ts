/**
 * Which processes belong to a program: its session and process group, whoever carries its mark in the environment (a
 * daemon that left the session), and all descendants of those. Without cgroups, so that it works in any container and for
 * any user. What escapes: a process that left the session, lost its parents and began with another environment.
 * A number that a stranger got is never taken for the dead leader's.
 */
import { listProcesses, type ProcessEntry, type ProcessId, startVariable } from "../os/process_table.ts";

/** The variable that carries the mark. */
export const MARK_VARIABLE = "MDG_SUPERVISED";

/** The running ones (no zombies), leader included. `self` is the supervisor, which never belongs. */
export function processTree(leader: ProcessId | undefined, mark: string, self: number): ProcessEntry[] {
  const all = listProcesses().filter(({ pid, state }) => state !== "Z" && pid !== self);
  return treeOf(all, leader, (pid) => startVariable(pid, MARK_VARIABLE) === mark);
}

/** The rule itself, on a given table. */
export function treeOf(
  all: readonly ProcessEntry[],
  leader: ProcessId | undefined,
  isMarked: (pid: number) => boolean,
): ProcessEntry[] {
  const holder = all.find(({ pid }) => pid === leader?.pid);
  // a kernel gives no number away while a session or a group bears it: if a stranger has it, ours is empty
  const is_taken = holder !== undefined && holder.start_ticks !== leader!.start_ticks;
  const session = leader === undefined || is_taken ? undefined : leader.pid;
  const children = Map.groupBy(all, ({ ppid }) => ppid);
  const found = new Map<number, ProcessEntry>();
  const take = (entry: ProcessEntry) => {
    const waiting = [entry];
    for (let one = waiting.pop(); one !== undefined; one = waiting.pop()) {
      if (found.has(one.pid)) continue;
      found.set(one.pid, one);
      waiting.push(...children.get(one.pid) ?? []);
    }
  };
  for (const entry of all) {
    if (session !== undefined && (entry.sid === session || entry.pgid === session)) take(entry);
  }
  for (const entry of all) {
    // looking is dear, and what is older than the leader was not started by it
    if (found.has(entry.pid) || (leader && entry.start_ticks < leader.start_ticks)) continue;
    if (isMarked(entry.pid)) take(entry);
  }
  return [...found.values()];
}
