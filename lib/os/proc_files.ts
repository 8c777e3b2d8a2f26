/**
 * What the kernel tells in /proc and /sys, read by native calls: the runtime opens these only with every permission there
 * is, which a monitor must not need. Where native calls are missing the runtime is asked all the same. A file that is
 * gone or closed to this user is undefined, never an error: processes end while one looks.
 */
import { reasonOf, UserError } from "../base/errors.ts";
import { cString, libc } from "./libc.ts";

const O_RDONLY_CLOEXEC = 0o2000000;
const CHUNK_BYTES = 64 * 1024;
/** /proc/net/tcp of 100,000 sockets is 15 MB. */
const MAX_FILE_BYTES = 32 * 1024 * 1024;
const MAX_LINK_BYTES = 256;
/** Where the name begins in a struct dirent, which is how glibc shapes it on all 64-bit machines. */
const DIRENT_NAME = 19;
const PURPOSE = "read /proc";

export interface ProcFiles {
  /** Its whole text. */
  text(path: string): string | undefined;
  /** Names in a folder, without "." and "..". */
  names(path: string): string[] | undefined;
  /** Where a symbolic link points. */
  link(path: string): string | undefined;
}

/** Throws a UserError where /proc can't be read at all, saying why. */
export function procFiles(): ProcFiles {
  if (Deno.build.os !== "linux") {
    throw new UserError(`${PURPOSE}: not supported on ${Deno.build.os}, want Linux`, { code: 2 });
  }
  try {
    return native(libc(PURPOSE));
  } catch (error) {
    try {
      Deno.readTextFileSync("/proc/net/dev");
    } catch {
      throw new UserError(`${PURPOSE}: ${reasonOf(error)}`);
    }
    return RUNTIME;
  }
}

function native(
  { open, read, close, readlink, opendir, readdir, closedir }: ReturnType<typeof libc>,
): ProcFiles {
  const chunk = new Uint8Array(CHUNK_BYTES);
  const link = new Uint8Array(MAX_LINK_BYTES);
  return {
    text(path) {
      const fd = open(cString(path), O_RDONLY_CLOEXEC);
      if (fd < 0) return undefined;
      const decoder = new TextDecoder();
      let text = "";
      for (let length = 0; length < MAX_FILE_BYTES;) {
        const count = Number(read(fd, chunk, BigInt(CHUNK_BYTES)));
        if (count < 0) {
          close(fd);
          return undefined;
        }
        if (count === 0) break;
        length += count;
        text += decoder.decode(chunk.subarray(0, count), { stream: true });
      }
      close(fd);
      return text + decoder.decode();
    },
    names(path) {
      const folder = opendir(cString(path));
      if (folder === null) return undefined;
      const names: string[] = [];
      for (let entry = readdir(folder); entry !== null; entry = readdir(folder)) {
        const name = new Deno.UnsafePointerView(entry).getCString(DIRENT_NAME);
        if (name !== "." && name !== "..") names.push(name);
      }
      closedir(folder);
      return names;
    },
    link(path) {
      const count = Number(readlink(cString(path), link, BigInt(MAX_LINK_BYTES)));
      return count < 0 ? undefined : new TextDecoder().decode(link.subarray(0, count));
    },
  };
}

function orUndefined<T>(work: () => T): T | undefined {
  try {
    return work();
  } catch {
    return undefined;
  }
}

const RUNTIME: ProcFiles = {
  text: (path) => orUndefined(() => Deno.readTextFileSync(path)),
  names: (path) => orUndefined(() => [...Deno.readDirSync(path)].map(({ name }) => name)),
  link: (path) => orUndefined(() => Deno.readLinkSync(path)),
};
