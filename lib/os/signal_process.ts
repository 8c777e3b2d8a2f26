/**
 * Signals that reach the process that is meant and never a stranger who got its number since: the process is held by a
 * pidfd first, then its start time is compared, then the signal goes through the pidfd. Kernel 5.3 or later.
 */
import { ERRNO, lastErrno } from "./libc.ts";
import { processCalls } from "./process_calls.ts";
import { type ProcessId, readProcess } from "./process_table.ts";

/** The same numbers on every architecture. */
const SYS_PIDFD_SEND_SIGNAL = 424n;
const SYS_PIDFD_OPEN = 434n;

/** False when that process has ended. Throws when the kernel refuses. */
export function signalProcess(id: ProcessId, signal: number): boolean {
  const { syscall, close } = processCalls();
  const fd = Number(syscall(SYS_PIDFD_OPEN, BigInt(id.pid), 0n, 0n, 0n));
  if (fd < 0) return refusal(lastErrno(), id.pid);
  try {
    if (readProcess(id.pid)?.start_ticks !== id.start_ticks) return false;
    if (Number(syscall(SYS_PIDFD_SEND_SIGNAL, BigInt(fd), BigInt(signal), 0n, 0n)) === 0) return true;
    return refusal(lastErrno(), id.pid);
  } finally {
    close(fd);
  }
}

/** All of a process group, at one instant. The caller knows that the group is its own. False when it is empty. */
export function signalGroup(pgid: number, signal: number): boolean {
  if (pgid <= 1) throw new RangeError(`signal process group ${pgid}: want one of a child`);
  return processCalls().kill(-pgid, signal) === 0 || refusal(lastErrno(), -pgid);
}

function refusal(errno: number, target: number): false {
  if (errno === ERRNO.ESRCH || errno === ERRNO.EPERM) return false;
  throw new Error(`signal process ${target}: error ${errno}`);
}
