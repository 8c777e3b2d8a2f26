/**
 * Who ended, and how: SIGCHLD, then waitpid until nobody is left. As subreaper (PR_SET_CHILD_SUBREAPER) this process also
 * inherits what its children's children leave behind when they fork twice, so none stays a zombie. It reaps everybody:
 * a process with a reaper must not start children in any other way than by spawnProcess.
 */
import { errnoText, lastErrno } from "./libc.ts";
import { processCalls } from "./process_calls.ts";

/** Undefined both: how it ended is not known (it was another's child). */
export interface ProcessEnd {
  code?: number;
  signal?: string;
}

const PR_SET_CHILD_SUBREAPER = 36;
const WNOHANG = 1;
const ANY_CHILD = -1;

export const SIGNALS: Readonly<Record<string, number>> = {
  SIGHUP: 1,
  SIGINT: 2,
  SIGQUIT: 3,
  SIGILL: 4,
  SIGTRAP: 5,
  SIGABRT: 6,
  SIGBUS: 7,
  SIGFPE: 8,
  SIGKILL: 9,
  SIGUSR1: 10,
  SIGSEGV: 11,
  SIGUSR2: 12,
  SIGPIPE: 13,
  SIGALRM: 14,
  SIGTERM: 15,
  SIGSTKFLT: 16,
  SIGCONT: 18,
  SIGSTOP: 19,
  SIGXCPU: 24,
  SIGXFSZ: 25,
  SIGWINCH: 28,
  SIGSYS: 31,
};

export class ChildReaper implements Disposable {
  /** Processes that ended, orphans included. */
  reaped = 0;
  readonly #status = new Uint8Array(64);
  readonly #reap = () => this.reap();

  constructor(readonly onEnd: (pid: number, end: ProcessEnd) => void) {
    if (processCalls().prctl(PR_SET_CHILD_SUBREAPER, 1n, 0n, 0n, 0n) !== 0) {
      throw new Error(`become the reaper of orphans: ${errnoText(lastErrno())}`);
    }
    Deno.addSignalListener("SIGCHLD", this.#reap);
  }
  /** Everybody who has ended by now. */
  reap(): void {
    const view = new DataView(this.#status.buffer);
    for (;;) {
      const pid = processCalls().waitpid(ANY_CHILD, this.#status, WNOHANG);
      if (pid <= 0) return;
      this.reaped++;
      this.onEnd(pid, endOf(view.getInt32(0, true)));
    }
  }
  [Symbol.dispose](): void {
    Deno.removeSignalListener("SIGCHLD", this.#reap);
  }
}

/** What a wait status says. */
export function endOf(status: number): ProcessEnd {
  const signal = status & 0x7f;
  if (signal === 0) return { code: (status >> 8) & 0xff };
  const name = Object.keys(SIGNALS).find((one) => SIGNALS[one] === signal);
  return { signal: name ?? `signal ${signal}` };
}
