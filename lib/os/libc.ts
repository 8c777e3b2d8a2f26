/**
 * The C library of Linux, opened once when first asked for; process_calls.ts adds what processes need, and there are no
 * other native calls in this house. Everything above speaks of segments, threads, sockets and pages, never of symbols.
 * Refuses other systems with a clear word, since none of what hangs on it (shared memory, pinning, socket statistics)
 * exists there in this form.
 */
import { quoted, reasonOf, UserError } from "../base/errors.ts";

const SYMBOLS = {
  shm_open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  shm_unlink: { parameters: ["buffer"], result: "i32" },
  rename: { parameters: ["buffer", "buffer"], result: "i32" },
  flock: { parameters: ["i32", "i32"], result: "i32" },
  fchmod: { parameters: ["i32", "u32"], result: "i32" },
  ftruncate: { parameters: ["i32", "i64"], result: "i32" },
  posix_fallocate: { parameters: ["i32", "i64", "i64"], result: "i32" },
  statx: { parameters: ["i32", "buffer", "i32", "u32", "buffer"], result: "i32" },
  mmap: { parameters: ["pointer", "usize", "i32", "i32", "i32", "i64"], result: "pointer" },
  munmap: { parameters: ["pointer", "usize"], result: "i32" },
  open: { parameters: ["buffer", "i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  readlink: { parameters: ["buffer", "buffer", "usize"], result: "isize" },
  close: { parameters: ["i32"], result: "i32" },
  opendir: { parameters: ["buffer"], result: "pointer" },
  readdir: { parameters: ["pointer"], result: "pointer" },
  closedir: { parameters: ["pointer"], result: "i32" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  setsockopt: { parameters: ["i32", "i32", "i32", "buffer", "u32"], result: "i32" },
  send: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  recv: { parameters: ["i32", "buffer", "usize", "i32"], result: "isize" },
  sched_setaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  sched_getaffinity: { parameters: ["i32", "usize", "buffer"], result: "i32" },
  clock_gettime: { parameters: ["i32", "buffer"], result: "i32" },
  malloc_trim: { parameters: ["usize"], result: "i32", nonblocking: true },
  __errno_location: { parameters: [], result: "pointer" },
} as const;

type Libc = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];

export const ERRNO = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EAGAIN: 11,
  EACCES: 13,
  EEXIST: 17,
  EINVAL: 22,
  ENOSPC: 28,
} as const;

const ERRNO_TEXT: Readonly<Record<number, string>> = {
  [ERRNO.EPERM]: "operation not permitted",
  [ERRNO.ENOENT]: "no such file",
  [ERRNO.EACCES]: "permission denied",
  [ERRNO.EEXIST]: "it exists",
  [ERRNO.EINVAL]: "invalid argument",
  [ERRNO.ENOSPC]: "no space left on /dev/shm",
  7: "too many arguments or variables",
  8: "no program of this machine, or a script without #!",
  12: "out of memory",
  20: "a part of the path is a file",
  24: "too many open files",
  40: "a symbolic link",
};

let opened: Libc | undefined;

/** The library; throws a UserError naming `purpose` where there is none or native calls are not allowed. */
export function libc(purpose: string): Libc {
  if (opened) return opened;
  if (Deno.build.os !== "linux") {
    throw new UserError(`${purpose}: not supported on ${Deno.build.os}, want Linux`, { code: 2 });
  }
  try {
    opened = Deno.dlopen("libc.so.6", SYMBOLS).symbols;
  } catch (error) {
    if (error instanceof Deno.errors.NotCapable) {
      throw new UserError(`${purpose}: native calls are not allowed, want --allow-ffi`, { cause: error });
    }
    throw new UserError(`${purpose}: ${reasonOf(error)}, want glibc 2.34 or later`, { cause: error });
  }
  return opened;
}

/** The error number of the last call of this thread that failed. Read it at once. */
export function lastErrno(): number {
  const location = opened!.__errno_location();
  return location === null ? 0 : new Deno.UnsafePointerView(location).getInt32();
}

/** "permission denied", or the bare number where it has no words here. */
export function errnoText(errno: number): string {
  return ERRNO_TEXT[errno] ?? `error ${errno}`;
}

/** A NUL-terminated copy. */
export function cString(text: string): Uint8Array<ArrayBuffer> {
  if (text.includes("\0")) throw new RangeError(`native call with ${quoted(text)}: a NUL inside, want none`);
  return new TextEncoder().encode(text + "\0");
}
