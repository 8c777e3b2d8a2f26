/**
 * The end of a program and of everything it started: asked first, then, when its time is up, SIGKILL until nobody is
 * left. A program that ended by itself leaves its children to the same treatment, so that the next start finds its ports
 * free.
 */
import { type Clock, sleep } from "../base/clock.ts";
import type { Log } from "../base/log.ts";
import { SIGNALS } from "../os/child_reaper.ts";
import type { ProcessId } from "../os/process_table.ts";
import type { ProcessHost, StartedProcess } from "./host.ts";

export interface EndWorld {
  clock: Clock;
  log: Log;
  host: ProcessHost;
}

const FIRST_LOOK_MS = 5;
const MAX_LOOK_MS = 200;
/** What SIGKILL does not end for so long hangs in the kernel; it is told and left. */
const UNKILLABLE_MS = 10_000;

/** Resolves when the program and its tree are gone. */
export async function endProcess(
  world: EndWorld,
  process: StartedProcess,
  mark: string,
  stop_signal: string,
  kill_timeout_ms: number,
): Promise<void> {
  const { clock, host } = world;
  const deadline_ms = clock.monotonic_ms() + kill_timeout_ms;
  host.signalTree(process.id, mark, SIGNALS[stop_signal]);
  const patience = new AbortController();
  await Promise.race([process.ended, sleep(clock, kill_timeout_ms, patience.signal)]);
  patience.abort();
  await endLeftovers(world, process, mark, deadline_ms);
}

/** Asks what a program that ended by itself left behind to end as well. True when there was something. */
export async function endAfterExit(
  world: EndWorld,
  process: StartedProcess,
  mark: string,
  kill_timeout_ms: number,
): Promise<boolean> {
  if (world.host.usage(process.id, mark).processes === 0) return false;
  const left = world.host.signalTree(process.id, mark, SIGNALS.SIGTERM);
  world.log.info("ending what it left behind", { processes: left });
  await endLeftovers(world, process, mark, world.clock.monotonic_ms() + kill_timeout_ms);
  return true;
}

/** The same for a mark alone: what an earlier supervisor's program left. */
export async function endMarked(
  world: EndWorld,
  leader: ProcessId | undefined,
  mark: string,
  kill_timeout_ms: number,
): Promise<void> {
  if (world.host.signalTree(leader, mark, SIGNALS.SIGTERM) === 0) return;
  const gone = { id: leader, is_running: false };
  await endLeftovers(world, gone, mark, world.clock.monotonic_ms() + kill_timeout_ms);
}

async function endLeftovers(
  { clock, log, host }: EndWorld,
  process: { readonly id: ProcessId | undefined; readonly is_running: boolean },
  mark: string,
  deadline_ms: number,
): Promise<void> {
  let told = false;
  for (let look_ms = FIRST_LOOK_MS;; look_ms = Math.min(MAX_LOOK_MS, look_ms * 2)) {
    const left = host.usage(process.id, mark).processes;
    if (left === 0 && !process.is_running) return;
    const late_ms = clock.monotonic_ms() - deadline_ms;
    if (late_ms >= 0) {
      if (!told) log.warn("not ended in time, killing", { processes: left });
      told = true;
      // again each time: it may have started others in between
      host.signalTree(process.id, mark, SIGNALS.SIGKILL);
    }
    if (late_ms > UNKILLABLE_MS) {
      log.error("cannot be killed, left alone", { processes: left });
      return;
    }
    await sleep(clock, late_ms < 0 ? Math.min(look_ms, -late_ms) : FIRST_LOOK_MS);
  }
}
