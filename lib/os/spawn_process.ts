/**
 * Starts a program by posix_spawn as the leader of a session of its own, with its output opened by path: what the
 * runtime's own Command cannot do (it makes no process group and knows only pipes that die with us). Signals are back at
 * their defaults, nothing but 0, 1 and 2 is open. Refuses to search PATH: the caller names the file.
 */
import { cString, errnoText } from "./libc.ts";
import { O_APPEND, O_CREAT, O_RDWR, O_WRONLY, processCalls } from "./process_calls.ts";

export interface SpawnPlan {
  /** Absolute path. */
  program: string;
  /** Without the program's own name. */
  args: readonly string[];
  /** All of its environment. */
  env: Readonly<Record<string, string>>;
  /** An existing directory. */
  cwd: string;
  stdout: OutputTarget;
  stderr: OutputTarget;
}

/** `pipe`: a FIFO, opened both ways, so that a missing reader makes it wait and not die of SIGPIPE. */
export type OutputTarget = { pipe: string } | { file: string };

export class SpawnError extends Error {
  override readonly name = "SpawnError";
}

const SETSIGDEF = 0x04;
const SETSIGMASK = 0x08;
const SETSID = 0x80;
/** Larger than the structs of glibc (80 and 336 bytes) and musl. */
const FILE_ACTIONS_BYTES = 256;
const ATTRIBUTES_BYTES = 512;
const FIRST_CLOSED = 3;

/** The process id. Throws a SpawnError with the reason. */
export function spawnProcess(plan: SpawnPlan): number {
  const calls = processCalls();
  const actions = new Uint8Array(FILE_ACTIONS_BYTES);
  const attributes = new Uint8Array(ATTRIBUTES_BYTES);
  calls.posix_spawn_file_actions_init(actions);
  calls.posix_spawnattr_init(attributes);
  try {
    const open = (fd: number, path: string, flags: number) =>
      check(calls.posix_spawn_file_actions_addopen(actions, fd, cString(path), flags, 0o640));
    open(0, "/dev/null", 0);
    for (const [fd, target] of [[1, plan.stdout], [2, plan.stderr]] as const) {
      if ("pipe" in target) open(fd, target.pipe, O_RDWR);
      else open(fd, target.file, O_WRONLY | O_CREAT | O_APPEND);
    }
    check(calls.posix_spawn_file_actions_addchdir_np(actions, cString(plan.cwd)));
    check(calls.posix_spawn_file_actions_addclosefrom_np(actions, FIRST_CLOSED));
    // the mask of a fresh attribute is empty: nothing is blocked in the new process
    check(calls.posix_spawnattr_setflags(attributes, SETSIGDEF | SETSIGMASK | SETSID));
    check(calls.posix_spawnattr_setsigdefault(attributes, new Uint8Array(128).fill(0xff)));
    const argv = new StringArray([plan.program, ...plan.args]);
    const envp = new StringArray(Object.entries(plan.env).map(([name, value]) => `${name}=${value}`));
    const pid = new Uint8Array(64);
    check(
      calls.posix_spawn(pid, cString(plan.program), actions, attributes, argv.pointer, envp.pointer),
    );
    return new DataView(pid.buffer).getInt32(0, true);
  } finally {
    calls.posix_spawn_file_actions_destroy(actions);
    calls.posix_spawnattr_destroy(attributes);
  }
}

function check(errno: number): void {
  if (errno !== 0) throw new SpawnError(errnoText(errno));
}

/** A NULL-terminated `char *[]` whose strings lie in one block, which the array keeps alive. */
class StringArray {
  readonly #table: BigUint64Array<ArrayBuffer>;
  readonly #block: Uint8Array<ArrayBuffer>;

  constructor(texts: readonly string[]) {
    const parts = texts.map(cString);
    // never empty, and too large to be moved about by the engine
    this.#block = new Uint8Array(Math.max(128, parts.reduce((sum, { length }) => sum + length, 0)));
    this.#table = new BigUint64Array(Math.max(16, parts.length + 1));
    const base = Deno.UnsafePointer.value(Deno.UnsafePointer.of(this.#block));
    let offset = 0;
    for (const [i, part] of parts.entries()) {
      this.#block.set(part, offset);
      this.#table[i] = base + BigInt(offset);
      offset += part.length;
    }
  }
  get pointer(): Deno.PointerObject {
    return Deno.UnsafePointer.of(this.#table)!;
  }
}
