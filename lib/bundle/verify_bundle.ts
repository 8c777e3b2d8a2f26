/**
 * A bundle against its own manifest: every file there, unchanged, with its mode, and nothing besides. The archive's structure
 * is judged first (formats/zip/read_directory.ts); nothing is unpacked, and no more is inflated than the manifest allows.
 */
import { createHash } from "node:crypto";
import { quoted, reasonOf, UserError } from "../base/errors.ts";
import { type Manifest, MANIFEST_NAME, type ManifestFile, readManifest } from "../formats/zip/manifest.ts";
import { type ReadAt, readDirectory, type ZipEntry } from "../formats/zip/read_directory.ts";
import { readEntry } from "../formats/zip/read_entry.ts";

const MAX_MANIFEST_BYTES = 64 * 1024 * 1024;

export interface VerifyOptions {
  /** Inflated bytes of all entries together. */
  max_bytes: number;
  progress(bytes: number, total_bytes: number): void;
  signal: AbortSignal;
}
export interface Verdict {
  manifest: Manifest;
  bytes: number;
  /** One sentence each; empty when the bundle is what its manifest says. */
  problems: readonly string[];
}

/** Throws a UserError when the file is no readable bundle at all. */
export async function verifyBundle(path: string, options: VerifyOptions): Promise<Verdict> {
  try {
    using file = await Deno.open(path, { read: true });
    const { size, isFile } = await file.stat();
    if (!isFile) throw new UserError(`read archive: ${quoted(path, 200)} is no regular file, want one`);
    return await verify(readerOf(file, size), size, options);
  } catch (error) {
    if (error instanceof UserError || !(error instanceof Error)) throw error;
    if (options.signal.aborted) throw error;
    const reason = error instanceof Deno.errors.NotFound ? "there is no such file" : reasonOf(error);
    throw new UserError(`read archive ${quoted(path, 200)}: ${reason}`);
  }
}

async function verify(readAt: ReadAt, size: number, options: VerifyOptions): Promise<Verdict> {
  const entries = await readDirectory(readAt, size);
  const total_bytes = entries.reduce((sum, { bytes }) => sum + bytes, 0);
  if (total_bytes > options.max_bytes) {
    throw new UserError(`read archive: ${total_bytes} bytes unpacked, want at most ${options.max_bytes}`, {
      hint: "--max-gigabytes allows more",
    });
  }
  const by_name = new Map(entries.map((entry) => [entry.name, entry]));
  const own = by_name.get(MANIFEST_NAME);
  if (!own) throw new UserError(`read archive: no ${MANIFEST_NAME} in it, want a bundle made by \`mdg zip\``);
  const manifest = await manifestOf(readAt, own);
  by_name.delete(MANIFEST_NAME);
  const problems: string[] = [];
  for (const wanted of manifest.files) {
    const entry = by_name.get(wanted.path);
    by_name.delete(wanted.path);
    options.signal.throwIfAborted();
    const problem = entry ? await compare(readAt, entry, wanted, options, total_bytes) : "missing";
    if (problem) problems.push(`${quoted(wanted.path, 200)}: ${problem}`);
  }
  for (const folder of manifest.empty_folders) {
    if (!by_name.delete(`${folder}/`)) problems.push(`${quoted(`${folder}/`, 200)}: missing`);
  }
  for (const name of by_name.keys()) problems.push(`${quoted(name, 200)}: not in the manifest`);
  return { manifest, bytes: total_bytes, problems };
}

async function manifestOf(readAt: ReadAt, entry: ZipEntry): Promise<Manifest> {
  if (entry.bytes > MAX_MANIFEST_BYTES) {
    throw new UserError(`read ${MANIFEST_NAME}: ${entry.bytes} bytes, want at most ${MAX_MANIFEST_BYTES}`);
  }
  const decoder = new TextDecoder();
  let text = "";
  for await (const piece of readEntry(readAt, entry)) text += decoder.decode(piece, { stream: true });
  return readManifest(text + decoder.decode());
}

/** What differs; undefined when nothing does. */
async function compare(
  readAt: ReadAt,
  entry: ZipEntry,
  wanted: ManifestFile,
  { progress, signal }: VerifyOptions,
  total_bytes: number,
): Promise<string | undefined> {
  if (entry.bytes !== wanted.bytes) return `${entry.bytes} bytes, want ${wanted.bytes}`;
  const hash = createHash("sha256");
  try {
    for await (const piece of readEntry(readAt, entry)) {
      hash.update(piece);
      progress(piece.length, total_bytes);
      signal.throwIfAborted();
    }
  } catch (error) {
    if (!(error instanceof UserError)) throw error;
    return `cannot be read: ${error.message.replace(/^read archive: entry "(?:[^"\\]|\\.)*": /, "")}`;
  }
  if (hash.digest("hex") !== wanted.sha256) return "changed: another SHA-256 than in the manifest";
  const mode = entry.mode === undefined ? undefined : entry.mode.toString(8).padStart(4, "0");
  return mode !== undefined && mode !== wanted.mode ? `mode ${mode}, want ${wanted.mode}` : undefined;
}

function readerOf(file: Deno.FsFile, size: number): ReadAt {
  return async (offset, length) => {
    if (offset < 0 || offset + length > size) throw new UserError("read archive: cut off or damaged");
    const bytes = new Uint8Array(length);
    await file.seek(offset, Deno.SeekMode.Start);
    for (let done = 0; done < length;) {
      const count = await file.read(bytes.subarray(done));
      if (count === null) throw new UserError("read archive: it became shorter while it was read");
      done += count;
    }
    return bytes;
  };
}
