/**
 * POSIX shared memory: one owner creates a segment, anyone maps it to read. A name appears complete or not at all (made
 * beside it, then renamed), its owner holds a lock that the kernel takes back when the process dies, and a segment that
 * is replaced stays mapped for those who hold it. Refuses: growing or shrinking a segment, which would kill its readers.
 */
import { quoted, UserError } from "../base/errors.ts";
import { cString, ERRNO, errnoText, lastErrno, libc } from "./libc.ts";

const O_RDONLY = 0;
const O_RDWR = 2;
const O_CREAT = 0o100;
const PROT_READ = 1;
const PROT_WRITE = 2;
const MAP_SHARED = 1;
const MAP_FAILED = 0xffff_ffff_ffff_ffffn;
const LOCK_EX_NB = 2 | 4;
const AT_FDCWD = -100;
const AT_EMPTY_PATH = 0x1000;
const STATX_MODE_INO_SIZE = 0x2 | 0x100 | 0x200;
const FOLDER = "/dev/shm";
/** Another process may win the race between opening and locking this often. */
const MAX_RACES = 16;
/** NAME_MAX less the suffix of a segment being made. */
const MAX_NAME_BYTES = 250;
const NEW_SUFFIX = ".new";

/** The name without its optional leading slash, or a UserError. */
export function segmentName(name: string): string {
  const bare = name.startsWith("/") ? name.slice(1) : name;
  const bytes = new TextEncoder().encode(bare).length;
  if (bare === "" || bare === "." || bare === ".." || /[/\0]/.test(bare) || bytes > MAX_NAME_BYTES) {
    throw new UserError(
      `name shared memory ${
        quoted(name)
      }: want 1 to ${MAX_NAME_BYTES} bytes without "/", except one in front`,
      { code: 2 },
    );
  }
  return bare;
}

/** Memory mapped into this process. After `close` the buffer is detached: its views are empty, never dangling. */
export class SharedSegment implements Disposable {
  private constructor(
    readonly name: string,
    readonly buffer: ArrayBuffer,
    readonly inode: bigint,
    readonly fd: number,
    readonly pointer: Deno.PointerValue,
    readonly mapped_bytes: number,
  ) {}

  /** Maps what is there, for reading only. Undefined when there is nothing under this name. */
  static open(name: string): SharedSegment | undefined {
    const bare = segmentName(name);
    const fd = openFile(bare, O_RDONLY, 0);
    return fd === undefined ? undefined : SharedSegment.map(bare, fd, PROT_READ);
  }
  /** Takes over `fd`: it is closed with the mapping, or at once when there is none. */
  static map(name: string, fd: number, protection: number): SharedSegment {
    const { mmap, close } = lib();
    try {
      const { size, inode } = statOf(fd);
      // nothing can be mapped of an empty file; its reader finds no header
      if (size === 0) return new SharedSegment(name, new ArrayBuffer(0), inode, fd, null, 0);
      const pointer = mmap(null, BigInt(size), protection, MAP_SHARED, fd, 0n);
      if (pointer === null || Deno.UnsafePointer.value(pointer) === MAP_FAILED) throw failure("map", name);
      const buffer = Deno.UnsafePointerView.getArrayBuffer(pointer, size);
      return new SharedSegment(name, buffer, inode, fd, pointer, size);
    } catch (error) {
      close(fd);
      throw error;
    }
  }
  /** Still what a newcomer would find under the name. */
  get is_current(): boolean {
    return inodeAt(this.name) === this.inode;
  }
  close(): void {
    if (this.buffer.detached) return;
    this.buffer.transfer(0);
    if (this.pointer !== null) lib().munmap(this.pointer, BigInt(this.mapped_bytes));
    lib().close(this.fd);
  }
  [Symbol.dispose](): void {
    this.close();
  }
}

export interface SegmentPlan {
  readonly name: string;
  readonly bytes: number;
  /** Permission bits; not narrowed by the umask. */
  readonly mode: number;
  /** Throws when what lies under the name is not ours to replace. */
  check(previous: ArrayBuffer): void;
  /** Who owns what lies under the name, in words, for the refusal: "by process 123". */
  ownerOf(previous: ArrayBuffer): string;
  /** Fills the new segment before anyone can see it. */
  initialise(buffer: ArrayBuffer, previous: ArrayBuffer | undefined): void;
  /** Tells readers of the replaced segment that it is over; called once the name shows the new one. */
  retire(previous: ArrayBuffer): void;
}

/** A segment that this process alone writes, until `close`. */
export class OwnedSegment implements Disposable {
  private constructor(readonly segment: SharedSegment) {}

  /**
   * Creates it, or takes over the name of a dead owner. Its memory is there before this returns, so that no later
   * write can meet a full /dev/shm. Throws a UserError when another process owns it, or the system says no.
   */
  static create(plan: SegmentPlan): OwnedSegment {
    const name = segmentName(plan.name);
    // whoever holds the lock of the new file is the only one who may put it under the name
    const fd = lockFile(name + NEW_SUFFIX, O_RDWR | O_CREAT);
    if (fd === "taken" || fd === undefined) {
      throw new UserError(
        `open shared memory ${quoted(name)}: another process is opening it, want one writer`,
      );
    }
    let previous: SharedSegment | undefined;
    let made: SharedSegment | undefined;
    try {
      previous = lockPrevious(name, plan);
      allocate(name, fd, plan);
      made = SharedSegment.map(name, fd, PROT_READ | PROT_WRITE);
      plan.initialise(made.buffer, previous?.buffer);
      if (lib().rename(pathOf(name + NEW_SUFFIX), pathOf(name)) !== 0) throw failure("rename", name);
      if (previous) plan.retire(previous.buffer);
      return new OwnedSegment(made);
    } catch (error) {
      lib().shm_unlink(cString(`/${name}${NEW_SUFFIX}`));
      if (made) made.close();
      else lib().close(fd);
      throw error;
    } finally {
      previous?.close();
    }
  }
  get buffer(): ArrayBuffer {
    return this.segment.buffer;
  }
  /** Lets go; `remove` takes the name away as well, unless it is another's by now. */
  close(remove: boolean): void {
    const { segment } = this;
    if (segment.buffer.detached) return;
    if (remove && segment.is_current) lib().shm_unlink(cString(`/${segment.name}`));
    segment.close();
  }
  [Symbol.dispose](): void {
    this.close(true);
  }
}

/** What lies under the name now, locked by us, so that nobody writes it any more. */
function lockPrevious(name: string, plan: SegmentPlan): SharedSegment | undefined {
  const fd = lockFile(name, O_RDWR);
  if (fd === undefined) return undefined;
  if (fd === "taken") {
    using segment = SharedSegment.open(name);
    const owner = segment ? plan.ownerOf(segment.buffer) : "by another process";
    throw new UserError(`open shared memory ${quoted(name)}: it is written ${owner}, want one writer`, {
      hint: "stop the other writer, or give this one another name",
    });
  }
  const segment = SharedSegment.map(name, fd, PROT_READ | PROT_WRITE);
  try {
    plan.check(segment.buffer);
    return segment;
  } catch (error) {
    segment.close();
    throw error;
  }
}

function allocate(name: string, fd: number, plan: SegmentPlan): void {
  const { fchmod, ftruncate, posix_fallocate } = lib();
  if (fchmod(fd, plan.mode) !== 0) throw failure("set the mode of", name);
  // what a writer that died while opening left behind
  if (ftruncate(fd, 0n) !== 0) throw failure("empty", name);
  let errno: number;
  do errno = posix_fallocate(fd, 0n, BigInt(plan.bytes)); while (errno === ERRNO.EINTR);
  if (errno !== 0) {
    throw new UserError(`open shared memory ${quoted(name)}: ${plan.bytes} bytes: ${errnoText(errno)}`, {
      hint: errno === ERRNO.ENOSPC ? "make it smaller, or give /dev/shm more room" : undefined,
    });
  }
}

/** Opens and locks the file that the name shows. Undefined when there is none; "taken" when another holds its lock. */
function lockFile(name: string, flags: number): number | "taken" | undefined {
  const { flock, close } = lib();
  for (let race = 0; race < MAX_RACES; race++) {
    const fd = openFile(name, flags, 0o600);
    if (fd === undefined) return undefined;
    if (flock(fd, LOCK_EX_NB) !== 0) {
      const errno = lastErrno();
      close(fd);
      if (errno === ERRNO.EAGAIN) return "taken";
      throw failure("lock", name, errno);
    }
    // between opening and locking the name may have gone to another file
    if (statOf(fd).inode === inodeAt(name)) return fd;
    close(fd);
  }
  return "taken";
}

/** Undefined when nothing is there. */
function openFile(name: string, flags: number, mode: number): number | undefined {
  const fd = lib().shm_open(cString(`/${name}`), flags, mode);
  if (fd >= 0) return fd;
  const errno = lastErrno();
  if (errno === ERRNO.ENOENT) return undefined;
  throw failure("open", name, errno);
}

function statOf(fd: number): { size: number; inode: bigint } {
  const stat = statx(fd, "", AT_EMPTY_PATH);
  if (stat === undefined) throw new Error(`stat shared memory: ${errnoText(lastErrno())}`);
  return stat;
}

function inodeAt(name: string): bigint | undefined {
  return statx(AT_FDCWD, `${FOLDER}/${name}`, 0)?.inode;
}

/** struct statx is the same on every architecture: inode at 32, size at 40. */
function statx(fd: number, path: string, flags: number): { size: number; inode: bigint } | undefined {
  const bytes = new Uint8Array(256);
  if (lib().statx(fd, cString(path), flags, STATX_MODE_INO_SIZE, bytes) !== 0) return undefined;
  const view = new DataView(bytes.buffer);
  return { inode: view.getBigUint64(32, true), size: Number(view.getBigUint64(40, true)) };
}

function pathOf(name: string): Uint8Array<ArrayBuffer> {
  return cString(`${FOLDER}/${name}`);
}

function lib() {
  return libc("open shared memory");
}

function failure(action: string, name: string, errno = lastErrno()): UserError {
  return new UserError(`${action} shared memory ${quoted(name)}: ${errnoText(errno)}`);
}
