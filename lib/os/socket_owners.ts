/**
 * Which process holds a socket: the kernel names a socket by its inode, and /proc/PID/fd points there. Other users'
 * processes can't be looked into without root; their sockets then stay without an owner, never with a guessed one.
 * What was found is kept, since a look at every descriptor of the machine costs tens of milliseconds.
 */
import { nextTurn } from "../base/clock.ts";
import type { ProcFiles } from "./proc_files.ts";
import type { SocketRow } from "./socket_table.ts";

const PROCESSES_PER_TURN = 8;
/** An ownerless socket is looked for again after so many calls: it may have been between two processes. */
const FORGIVE_EVERY = 16;

export interface SocketOwner {
  pid: number;
  /** As the kernel keeps it: 15 characters at most. */
  name: string;
}

export class SocketOwners {
  /** Inode → owner; undefined: looked for in vain. Only inodes of the last call are kept. */
  #known = new Map<number, SocketOwner | undefined>();
  #calls = 0;
  /** Processes that could not be looked into at the last look. */
  closed_processes = 0;

  constructor(readonly files: ProcFiles) {}

  /** The owner of each socket that has one, by inode. Several processes may hold one socket: the lowest id is told. */
  async find(sockets: readonly SocketRow[]): Promise<ReadonlyMap<number, SocketOwner | undefined>> {
    const kept = new Map<number, SocketOwner | undefined>();
    const wanted = new Set<number>();
    const forgives = this.#calls++ % FORGIVE_EVERY === 0;
    for (const { inode } of sockets) {
      if (inode === 0) continue;
      const owner = this.#known.get(inode);
      if (owner !== undefined || (this.#known.has(inode) && !forgives)) kept.set(inode, owner);
      else wanted.add(inode);
    }
    this.#known = kept;
    if (wanted.size > 0) await this.#look(wanted);
    return kept;
  }

  async #look(wanted: ReadonlySet<number>): Promise<void> {
    for (const inode of wanted) this.#known.set(inode, undefined);
    this.closed_processes = 0;
    const pids = (this.files.names("/proc") ?? []).map(Number).filter(Number.isInteger).sort((a, b) => a - b);
    for (const [i, pid] of pids.entries()) {
      if (i % PROCESSES_PER_TURN === PROCESSES_PER_TURN - 1) await nextTurn();
      const descriptors = this.files.names(`/proc/${pid}/fd`);
      if (descriptors === undefined) {
        this.closed_processes++;
        continue;
      }
      let owner: SocketOwner | undefined;
      for (const descriptor of descriptors) {
        const inode = socketInode(this.files.link(`/proc/${pid}/fd/${descriptor}`));
        if (inode === undefined || !wanted.has(inode) || this.#known.get(inode) !== undefined) continue;
        owner ??= { pid, name: this.files.text(`/proc/${pid}/comm`)?.trim() || "?" };
        this.#known.set(inode, owner);
      }
    }
  }
}

/** "socket:[5907]" → 5907 */
function socketInode(link: string | undefined): number | undefined {
  const match = /^socket:\[(\d+)\]$/.exec(link ?? "");
  return match ? Number(match[1]) : undefined;
}
