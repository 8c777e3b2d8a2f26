/**
 * A file's bytes as it stands, piece by piece; a file that changes while it is read is refused, because half of one version
 * and half of another is neither.
 */
import { quoted, reasonOf, UserError } from "../base/errors.ts";
import type { BundleFile } from "./list_files.ts";

/** Larger pieces are collected late: four times the size cost 70 MB more. */
const PIECE_BYTES = 64 * 1024;

export async function* readAtRest({ path, name, bytes }: BundleFile): AsyncGenerator<Uint8Array> {
  const changed = (now: number) =>
    new UserError(
      `read ${quoted(name, 200)}: changed while it was read (${bytes} bytes, then ${now}), want it at rest`,
    );
  try {
    using file = await Deno.open(path, { read: true });
    const before = await file.stat();
    if (before.size !== bytes) throw changed(before.size);
    let count = 0;
    for (;;) {
      const piece = new Uint8Array(Math.min(PIECE_BYTES, Math.max(bytes - count, 0) + 1));
      const length = await file.read(piece);
      if (length === null) break;
      count += length;
      if (count > bytes) throw changed(count);
      yield piece.subarray(0, length);
    }
    const after = await file.stat();
    const is_touched = after.mtime?.getTime() !== before.mtime?.getTime();
    if (count !== bytes || after.size !== bytes || is_touched) throw changed(after.size);
  } catch (error) {
    if (error instanceof UserError) throw error;
    const reason = error instanceof Deno.errors.NotFound
      ? "it went away after it was listed"
      : error instanceof Deno.errors.PermissionDenied
      ? "permission denied, want a readable file"
      : reasonOf(error);
    throw new UserError(`read ${quoted(name, 200)}: ${reason}`);
  }
}
