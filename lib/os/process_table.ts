/**
 * What /proc tells of processes. Read natively: the runtime opens /proc only with every permission there is. A process is
 * known by its id and its start time together, because ids are used again.
 */
import { cString } from "./libc.ts";
import { O_CLOEXEC, processCalls } from "./process_calls.ts";

/** Says which process is meant, for as long as the machine runs. */
export interface ProcessId {
  readonly pid: number;
  /** Clock ticks from boot to its start. */
  readonly start_ticks: number;
}

export interface ProcessEntry extends ProcessId {
  readonly ppid: number;
  readonly pgid: number;
  readonly sid: number;
  /** R, S, D, Z (zombie), T … */
  readonly state: string;
  readonly rss_bytes: number;
  /** Time on the processor, user and system, in clock ticks. */
  readonly cpu_ticks: number;
}

/** Where the name begins in a struct dirent, which is how glibc shapes it on all 64-bit machines. */
const DIRENT_NAME = 19;
const SC_CLK_TCK = 2;
const SC_PAGESIZE = 30;
const STAT_BYTES = 4_096;
/** The kernel lets an environment be as large as argv, 2 MiB by default; the variable looked for stands among its first. */
const MAX_ENVIRON_BYTES = 262_144;

const decoder = new TextDecoder();
const stat_buffer = new Uint8Array(STAT_BYTES);
/** Made when first needed: most commands never look. */
let environ_buffer: Uint8Array<ArrayBuffer> | undefined;
let page_bytes: number | undefined;

/** Undefined when there is no such process (any more). */
export function readProcess(pid: number): ProcessEntry | undefined {
  const text = readText(`/proc/${pid}/stat`, stat_buffer);
  if (!text) return undefined;
  // the name stands in brackets and may hold anything, brackets too
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  page_bytes ??= Number(processCalls().sysconf(SC_PAGESIZE));
  return {
    pid,
    state: fields[0],
    ppid: Number(fields[1]),
    pgid: Number(fields[2]),
    sid: Number(fields[3]),
    cpu_ticks: Number(fields[11]) + Number(fields[12]),
    start_ticks: Number(fields[19]),
    rss_bytes: Number(fields[21]) * page_bytes,
  };
}

/** True while this very process runs; a zombie does not. */
export function isRunning(id: ProcessId): boolean {
  const found = readProcess(id.pid);
  return found !== undefined && found.start_ticks === id.start_ticks && found.state !== "Z";
}

/** All processes that this one may see, zombies included. */
export function listProcesses(): ProcessEntry[] {
  const { opendir, readdir, closedir } = processCalls();
  const folder = opendir(cString("/proc"));
  if (folder === null) return [];
  const found: ProcessEntry[] = [];
  for (let entry = readdir(folder); entry !== null; entry = readdir(folder)) {
    const pid = Number(new Deno.UnsafePointerView(entry).getCString(DIRENT_NAME));
    const process = Number.isInteger(pid) && pid > 0 ? readProcess(pid) : undefined;
    if (process) found.push(process);
  }
  closedir(folder);
  return found;
}

/** The value a process got at its start for a variable; undefined as well when we may not look. */
export function startVariable(pid: number, name: string): string | undefined {
  environ_buffer ??= new Uint8Array(MAX_ENVIRON_BYTES);
  const text = readText(`/proc/${pid}/environ`, environ_buffer);
  const entry = text?.split("\0").find((one) => one.startsWith(`${name}=`));
  return entry?.slice(name.length + 1);
}

/** Changes with every boot: process ids of another boot mean nothing. */
export function bootId(): string {
  return readText("/proc/sys/kernel/random/boot_id", new Uint8Array(STAT_BYTES))?.trim() ?? "";
}

/** Clock ticks per second, the unit of `start_ticks` and `cpu_ticks`. */
export function ticksPerSecond(): number {
  return Number(processCalls().sysconf(SC_CLK_TCK));
}

export function ownUserId(): number {
  return processCalls().getuid();
}

function readText(path: string, buffer: Uint8Array<ArrayBuffer>): string | undefined {
  const { open, read, close } = processCalls();
  const fd = open(cString(path), O_CLOEXEC, 0);
  if (fd < 0) return undefined;
  let filled = 0;
  for (;;) {
    const count = Number(read(fd, buffer.subarray(filled), BigInt(buffer.length - filled)));
    if (count <= 0) break;
    filled += count;
  }
  close(fd);
  return filled === 0 ? undefined : decoder.decode(buffer.subarray(0, filled));
}
