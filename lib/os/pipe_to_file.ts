/**
 * Bytes from a named pipe into a file without passing through this process: splice moves them inside the kernel, so a
 * kill −9 of the mover loses none. `tee` looks at what comes next without taking it. Both ends of the pipe are held, so
 * it has a reader and its content for as long as anybody holds it. Refuses: waiting (only `waitForInput` does).
 */
import { cString, ERRNO, errnoText, lastErrno } from "./libc.ts";
import {
  O_CLOEXEC,
  O_CREAT,
  O_NONBLOCK,
  O_RDWR,
  O_WRONLY,
  processCalls,
  waitingCalls,
} from "./process_calls.ts";

const SPLICE_F_MOVE = 1;
const SPLICE_F_NONBLOCK = 2;
const F_SETPIPE_SZ = 1_031;
const F_GETPIPE_SZ = 1_032;
const FIONREAD = 0x541bn;
const POLLIN = 1;
const POLLFD_BYTES = 8;
const SEEK_END = 2;
/** What an unprivileged process may ask for; more is refused and the default of 64 KiB stays. */
const PIPE_BYTES = 1_048_576;
/** How far `peek` looks. */
const PEEK_BYTES = 65_536;

/** Makes the named pipe unless it is there. */
export function makePipe(path: string, mode: number): void {
  if (processCalls().mkfifo(cString(path), mode) === 0) return;
  const errno = lastErrno();
  if (errno !== ERRNO.EEXIST) throw new Error(`make a named pipe "${path}": ${errnoText(errno)}`);
}

/** A named pipe with both ends open. */
export class HeldPipe implements Disposable {
  readonly fd: number;
  readonly #scratch = new Uint8Array(4_096);
  #closed = false;

  constructor(readonly path: string) {
    const { open, fcntl } = processCalls();
    this.fd = open(cString(path), O_RDWR | O_NONBLOCK | O_CLOEXEC, 0);
    if (this.fd < 0) throw new Error(`open pipe "${path}": ${errnoText(lastErrno())}`);
    fcntl(this.fd, F_SETPIPE_SZ, BigInt(PIPE_BYTES));
  }
  /** What it can hold. */
  get capacity_bytes(): number {
    return processCalls().fcntl(this.fd, F_GETPIPE_SZ, 0n);
  }
  /** What it holds. */
  get waiting_bytes(): number {
    if (processCalls().ioctl(this.fd, FIONREAD, this.#scratch) !== 0) return 0;
    return new DataView(this.#scratch.buffer).getInt32(0, true);
  }
  /** Takes so many bytes and forgets them. */
  discard(count: number): void {
    for (let left = count; left > 0;) {
      const wanted = Math.min(left, this.#scratch.length);
      const taken = Number(processCalls().read(this.fd, this.#scratch, BigInt(wanted)));
      if (taken <= 0) return;
      left -= taken;
    }
  }
  write(bytes: Uint8Array<ArrayBuffer>): void {
    processCalls().write(this.fd, bytes, BigInt(bytes.length));
  }
  /** Takes what is there (at most 4 KiB) and forgets it. */
  clear(): void {
    this.discard(this.#scratch.length);
  }
  [Symbol.dispose](): void {
    if (!this.#closed) processCalls().close(this.fd);
    this.#closed = true;
  }
}

/** A file that is written at its end, wherever that is. */
export class SpliceFile implements Disposable {
  readonly #fd: number;
  #can_splice = true;

  constructor(readonly path: string, mode: number, readonly peek: PipePeek) {
    // without O_APPEND, which splice refuses
    this.#fd = processCalls().open(cString(path), O_WRONLY | O_CREAT | O_CLOEXEC, mode);
    if (this.#fd < 0) throw new Error(`open log file "${path}": ${errnoText(lastErrno())}`);
  }
  /** Its size; what is written next goes there. */
  seekEnd(): number {
    return Number(processCalls().lseek(this.#fd, 0n, SEEK_END));
  }
  /** Moves up to `limit` bytes. 0: the pipe is empty. Throws a FileRefuses when the file takes no more. */
  take(pipe: HeldPipe, limit: number): number {
    if (!this.#can_splice) return this.#copy(pipe, limit);
    const flags = SPLICE_F_MOVE | SPLICE_F_NONBLOCK;
    const moved = Number(processCalls().splice(pipe.fd, null, this.#fd, null, BigInt(limit), flags));
    if (moved >= 0) return moved;
    const errno = lastErrno();
    if (errno === ERRNO.EAGAIN || errno === ERRNO.EINTR) return 0;
    if (errno !== ERRNO.EINVAL) throw new FileRefuses(errnoText(errno));
    this.#can_splice = false;
    return this.#copy(pipe, limit);
  }
  write(text: string): void {
    const bytes = new TextEncoder().encode(text);
    processCalls().write(this.#fd, bytes, BigInt(bytes.length));
  }
  /** For files that know no splice. Written before it is taken: a kill in between repeats bytes, but loses none. */
  #copy(pipe: HeldPipe, limit: number): number {
    const bytes = this.peek.look(pipe).subarray(0, limit);
    if (bytes.length === 0) return 0;
    const written = Number(processCalls().write(this.#fd, bytes, BigInt(bytes.length)));
    if (written < 0) throw new FileRefuses(errnoText(lastErrno()));
    pipe.discard(written);
    return written;
  }
  [Symbol.dispose](): void {
    processCalls().close(this.#fd);
  }
}

/** The disk is full, or broken: the bytes are still in the pipe. */
class FileRefuses extends Error {
  override readonly name = "FileRefuses";
}

/** Looks at what a pipe holds without taking it. */
export class PipePeek implements Disposable {
  readonly #read_fd: number;
  readonly #write_fd: number;
  readonly #buffer = new Uint8Array(PEEK_BYTES);

  constructor() {
    [this.#read_fd, this.#write_fd] = openPipe();
  }
  /** The next bytes, at most PEEK_BYTES; valid until the next call. */
  look(pipe: HeldPipe): Uint8Array<ArrayBuffer> {
    const { tee, read } = processCalls();
    const seen = Number(tee(pipe.fd, this.#write_fd, BigInt(PEEK_BYTES), SPLICE_F_NONBLOCK));
    if (seen <= 0) return this.#buffer.subarray(0, 0);
    let filled = 0;
    while (filled < seen) {
      const count = Number(read(this.#read_fd, this.#buffer.subarray(filled), BigInt(seen - filled)));
      if (count <= 0) break;
      filled += count;
    }
    return this.#buffer.subarray(0, filled);
  }
  [Symbol.dispose](): void {
    processCalls().close(this.#read_fd);
    processCalls().close(this.#write_fd);
  }
}

/** Ends a `waitForInput` from outside. */
export class Waker implements Disposable {
  readonly fd: number;
  readonly #write_fd: number;
  readonly #byte = new Uint8Array(64);

  constructor() {
    [this.fd, this.#write_fd] = openPipe();
  }
  wake(): void {
    processCalls().write(this.#write_fd, this.#byte, 1n);
  }
  [Symbol.dispose](): void {
    processCalls().close(this.fd);
    processCalls().close(this.#write_fd);
  }
}

/** Waits in a thread until one of the descriptors has input or the time is over; which have. */
export async function waitForInput(fds: readonly number[], limit_ms: number): Promise<boolean[]> {
  const bytes = new Uint8Array(Math.max(128, fds.length * POLLFD_BYTES));
  const view = new DataView(bytes.buffer);
  for (const [i, fd] of fds.entries()) {
    view.setInt32(i * POLLFD_BYTES, fd, true);
    view.setInt16(i * POLLFD_BYTES + 4, POLLIN, true);
  }
  const ready = Number(await waitingCalls().poll(bytes, BigInt(fds.length), limit_ms));
  return fds.map((_, i) => ready > 0 && view.getInt16(i * POLLFD_BYTES + 6, true) !== 0);
}

function openPipe(): [number, number] {
  const fds = new Uint8Array(64);
  if (processCalls().pipe2(fds, O_NONBLOCK | O_CLOEXEC) !== 0) {
    throw new Error(`open a pipe: ${errnoText(lastErrno())}`);
  }
  const view = new DataView(fds.buffer);
  return [view.getInt32(0, true), view.getInt32(4, true)];
}
