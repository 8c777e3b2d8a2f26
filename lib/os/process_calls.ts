/**
 * The part of the C library that starts, watches and ends processes and moves bytes between their pipes and files.
 * Apart from libc.ts so that who maps shared memory does not need it. Variadic functions (open, fcntl, prctl, syscall)
 * take integers only, which Linux passes as it does for any other function.
 */
import { libc } from "./libc.ts";

const SYMBOLS = {
  posix_spawn: { parameters: ["buffer", "buffer", "buffer", "buffer", "pointer", "pointer"], result: "i32" },
  posix_spawn_file_actions_init: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_destroy: { parameters: ["buffer"], result: "i32" },
  posix_spawn_file_actions_addopen: {
    parameters: ["buffer", "i32", "buffer", "i32", "u32"],
    result: "i32",
  },
  posix_spawn_file_actions_addchdir_np: { parameters: ["buffer", "buffer"], result: "i32" },
  posix_spawn_file_actions_addclosefrom_np: { parameters: ["buffer", "i32"], result: "i32" },
  posix_spawnattr_init: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_destroy: { parameters: ["buffer"], result: "i32" },
  posix_spawnattr_setflags: { parameters: ["buffer", "i16"], result: "i32" },
  posix_spawnattr_setsigdefault: { parameters: ["buffer", "buffer"], result: "i32" },
  waitpid: { parameters: ["i32", "buffer", "i32"], result: "i32" },
  kill: { parameters: ["i32", "i32"], result: "i32" },
  prctl: { parameters: ["i32", "u64", "u64", "u64", "u64"], result: "i32" },
  syscall: { parameters: ["i64", "i64", "i64", "i64", "i64"], result: "i64" },
  getuid: { parameters: [], result: "u32" },
  sysconf: { parameters: ["i32"], result: "i64" },
  open: { parameters: ["buffer", "i32", "u32"], result: "i32" },
  close: { parameters: ["i32"], result: "i32" },
  read: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  write: { parameters: ["i32", "buffer", "usize"], result: "isize" },
  lseek: { parameters: ["i32", "i64", "i32"], result: "i64" },
  opendir: { parameters: ["buffer"], result: "pointer" },
  readdir: { parameters: ["pointer"], result: "pointer" },
  closedir: { parameters: ["pointer"], result: "i32" },
  mkfifo: { parameters: ["buffer", "u32"], result: "i32" },
  pipe2: { parameters: ["buffer", "i32"], result: "i32" },
  fcntl: { parameters: ["i32", "i32", "i64"], result: "i32" },
  ioctl: { parameters: ["i32", "u64", "buffer"], result: "i32" },
  poll: { parameters: ["buffer", "u64", "i32"], result: "i32" },
  splice: { parameters: ["i32", "pointer", "i32", "pointer", "usize", "u32"], result: "isize" },
  tee: { parameters: ["i32", "i32", "usize", "u32"], result: "isize" },
  socket: { parameters: ["i32", "i32", "i32"], result: "i32" },
  sendto: { parameters: ["i32", "buffer", "usize", "i32", "buffer", "u32"], result: "isize" },
} as const;

/** The same `poll`, waiting in a thread of its own. */
const WAITING_SYMBOLS = { poll: { ...SYMBOLS.poll, nonblocking: true } } as const;

type Calls = Deno.DynamicLibrary<typeof SYMBOLS>["symbols"];
type WaitingCalls = Deno.DynamicLibrary<typeof WAITING_SYMBOLS>["symbols"];

export const O_RDWR = 2;
export const O_WRONLY = 1;
export const O_CREAT = 0o100;
export const O_APPEND = 0o2000;
export const O_NONBLOCK = 0o4000;
export const O_CLOEXEC = 0o2000000;

const PURPOSE = "supervise processes";

let opened: Calls | undefined;
let waiting: WaitingCalls | undefined;

/** Throws a UserError where there is no such library or native calls are not allowed. */
export function processCalls(): Calls {
  // its refusals of other systems and of missing permissions are the right ones here, too
  libc(PURPOSE);
  return opened ??= Deno.dlopen("libc.so.6", SYMBOLS).symbols;
}

export function waitingCalls(): WaitingCalls {
  libc(PURPOSE);
  return waiting ??= Deno.dlopen("libc.so.6", WAITING_SYMBOLS).symbols;
}
