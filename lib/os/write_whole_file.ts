/**
 * Files written whole or not at all: the bytes go to a temporary neighbour, reach the disk, and take the name by rename.
 * A failure leaves the old file as it was and no debris. Several files are all staged before the first is renamed.
 * Follows symbolic links to the file behind them and keeps its mode; refuses to guess at pipes and devices, which are
 * simply written to.
 */
import { basename, dirname } from "node:path";
import { quoted, reasonOf, UserError } from "../base/errors.ts";

/** A text, bytes, or pieces of either in order; pieces are written as they come, so the whole need not be in memory. */
export type FileContent =
  | string
  | Uint8Array
  | Iterable<string | Uint8Array>
  | AsyncIterable<string | Uint8Array>;

export interface WriteOptions {
  /** Permission bits of a file that did not exist; default 0644. A file that did keeps its own unless `force_mode`. */
  mode?: number;
  /** Gives `mode` to an existing file, too. */
  force_mode?: boolean;
  /** Looks at the staged file (complete, on disk) before it takes the name; throwing keeps the old file. */
  verify?: (staged_path: string) => Promise<void>;
}

/** Writes one file; throws a UserError naming `path` when the world says no. */
export async function writeWholeFile(
  path: string,
  content: FileContent,
  options: WriteOptions = {},
): Promise<void> {
  await writeWholeFiles([{ path, content }], options);
}

/** Writes all files or, up to the renames themselves, none. */
export async function writeWholeFiles(
  files: readonly { path: string; content: FileContent }[],
  options: WriteOptions = {},
): Promise<void> {
  const staged: StagedFile[] = [];
  try {
    for (const { path, content } of files) {
      staged.push(await StagedFile.create(path, options));
      await staged[staged.length - 1].fill(content);
    }
    for (const file of staged) await file.commit();
  } finally {
    for (const file of staged) await file.discard();
  }
}

/** A file on its way: created beside its target, filled, then committed or discarded. */
class StagedFile {
  #pending = true;

  private constructor(
    readonly path: string,
    readonly target: string,
    readonly staged_path: string,
    readonly old: Deno.FileInfo | undefined,
    readonly options: WriteOptions,
  ) {}

  static async create(path: string, options: WriteOptions): Promise<StagedFile> {
    try {
      const old = await infoOf(path);
      if (old?.isDirectory) throw new UserError(`write ${quoted(path, 200)}: a directory, want a file`);
      const target = old ? await Deno.realPath(path) : await danglingTarget(path);
      if (old && !old.isFile) return new StagedFile(path, target, target, old, options);
      const staged_path = await Deno.makeTempFile({
        dir: dirname(target),
        prefix: `.${basename(target).slice(0, 100)}.`,
        suffix: ".tmp",
      });
      return new StagedFile(path, target, staged_path, old, options);
    } catch (error) {
      throw failure(path, error);
    }
  }

  async fill(content: FileContent): Promise<void> {
    try {
      using file = await Deno.open(this.staged_path, { write: true });
      if (typeof content === "string" || content instanceof Uint8Array) await writeAll(file, content);
      else for await (const piece of content) await writeAll(file, piece);
      if (!this.#in_place) await file.sync();
    } catch (error) {
      throw failure(this.path, error);
    }
    if (!this.#in_place) await this.options.verify?.(this.staged_path);
  }

  async commit(): Promise<void> {
    try {
      if (!this.#in_place) {
        await this.#keepOwnerAndMode();
        await Deno.rename(this.staged_path, this.target);
      }
      this.#pending = false;
    } catch (error) {
      throw failure(this.path, error);
    }
  }

  /** Nothing after a commit. */
  async discard(): Promise<void> {
    if (!this.#pending || this.#in_place) return;
    this.#pending = false;
    try {
      await Deno.remove(this.staged_path);
    } catch (error) {
      if (!(error instanceof Deno.errors.NotFound)) throw failure(this.path, error);
    }
  }

  get #in_place(): boolean {
    return this.staged_path === this.target;
  }

  async #keepOwnerAndMode(): Promise<void> {
    if (Deno.build.os === "windows") return;
    const fresh = this.options.mode ?? 0o644;
    const mode = this.options.force_mode ? fresh : this.old?.mode ?? fresh;
    const mine = await Deno.stat(this.staged_path);
    const { old } = this;
    if (old && (old.uid !== mine.uid || old.gid !== mine.gid)) {
      try {
        await Deno.chown(this.staged_path, old.uid, old.gid);
      } catch (error) {
        // Only root may give a file away; replacing a file of someone else's then makes it ours, as editors do.
        const refused = error instanceof Deno.errors.PermissionDenied ||
          error instanceof Deno.errors.NotCapable;
        if (!refused) throw error;
      }
    }
    await Deno.chmod(this.staged_path, mode & 0o7777);
  }
}

async function infoOf(path: string): Promise<Deno.FileInfo | undefined> {
  try {
    return await Deno.stat(path);
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

/** A link to a file that does not exist yet is followed once, so that the link stays a link. */
async function danglingTarget(path: string): Promise<string> {
  try {
    const link = await Deno.readLink(path);
    return link.startsWith("/") ? link : `${dirname(path)}/${link}`;
  } catch {
    return path;
  }
}

const encoder = new TextEncoder();

async function writeAll(file: Deno.FsFile, piece: string | Uint8Array): Promise<void> {
  const bytes = typeof piece === "string" ? encoder.encode(piece) : piece;
  for (let done = 0; done < bytes.length;) done += await file.write(bytes.subarray(done));
}

function failure(path: string, error: unknown): unknown {
  const name = quoted(path, 200);
  const fail = (reason: string) => new UserError(`write ${name}: ${reason}`, { cause: error });
  if (error instanceof UserError) return error;
  if (error instanceof Deno.errors.NotFound) return fail("its folder does not exist, want an existing one");
  if (error instanceof Deno.errors.NotADirectory) {
    return fail("a part of the path is a file, want a directory");
  }
  if (error instanceof Deno.errors.PermissionDenied || error instanceof Deno.errors.NotCapable) {
    return fail("permission denied, want a writable folder");
  }
  // some have a code of the system, some only its number; a wish to stop has neither and is handed on
  const is_system = error instanceof Error &&
    (typeof (error as { code?: unknown }).code === "string" || /\(os error \d+\)/.test(error.message));
  return is_system ? fail(reasonOf(error)) : error;
}
