/**
 * Ties the threads of this process to CPUs. All of them, those of the engine too: threads started later inherit it from
 * the one that starts them. Refuses a CPU that does not exist or that the process may not use, where the kernel would
 * quietly take the rest of a list.
 */
import { UserError } from "../base/errors.ts";
import { cString, ERRNO, errnoText, lastErrno, libc } from "./libc.ts";

/** cpu_set_t: one bit per CPU. */
const CPU_SET_BYTES = 128;
/** Where the name begins in a struct dirent, which is how glibc shapes it on all 64-bit machines. */
const DIRENT_NAME = 19;
/** Threads may start while others are being pinned: look again until none is new. */
const MAX_PASSES = 8;
const PURPOSE = "pin to CPUs";

/** Pins every thread; returns how many. Throws a UserError (exit 2) naming the CPUs there are. */
export function pinProcess(cpus: readonly number[]): number {
  const usable = usableCpus();
  const wrong = cpus.filter((cpu) => !usable.includes(cpu));
  if (cpus.length === 0 || wrong.length > 0) {
    throw new UserError(
      `pin to CPU ${wrong.join(", ") || "none"}: this process may use ${usable.join(", ")}, want of those`,
      { code: 2 },
    );
  }
  const mask = new Uint8Array(CPU_SET_BYTES);
  for (const cpu of cpus) mask[cpu >> 3] |= 1 << (cpu & 7);
  const pinned = new Set<number>();
  for (let pass = 0; pass < MAX_PASSES; pass++) {
    const fresh = threadIds().filter((id) => !pinned.has(id));
    if (fresh.length === 0) break;
    for (const id of fresh) {
      if (pinThread(id, mask)) pinned.add(id);
    }
  }
  return pinned.size;
}

/** The CPUs that the calling thread may run on, ascending. */
export function usableCpus(): number[] {
  const mask = new Uint8Array(CPU_SET_BYTES);
  if (libc(PURPOSE).sched_getaffinity(0, BigInt(CPU_SET_BYTES), mask) < 0) {
    throw new UserError(`ask for CPUs: ${errnoText(lastErrno())}`);
  }
  return Array.from({ length: CPU_SET_BYTES * 8 }, (_, cpu) => cpu)
    .filter((cpu) => mask[cpu >> 3] & (1 << (cpu & 7)));
}

/** False when the thread has ended meanwhile. */
function pinThread(id: number, mask: Uint8Array<ArrayBuffer>): boolean {
  if (libc(PURPOSE).sched_setaffinity(id, BigInt(CPU_SET_BYTES), mask) === 0) return true;
  const errno = lastErrno();
  if (errno === ERRNO.ESRCH) return false;
  throw new UserError(`pin thread ${id}: ${errnoText(errno)}`);
}

/** Read natively: the runtime opens /proc only with every permission there is. */
function threadIds(): number[] {
  const { opendir, readdir, closedir } = libc(PURPOSE);
  const folder = opendir(cString("/proc/self/task"));
  if (folder === null) throw new UserError(`list threads: ${errnoText(lastErrno())}`);
  const ids: number[] = [];
  for (let entry = readdir(folder); entry !== null; entry = readdir(folder)) {
    const id = Number(new Deno.UnsafePointerView(entry).getCString(DIRENT_NAME));
    if (Number.isInteger(id)) ids.push(id);
  }
  closedir(folder);
  return ids;
}
