/**
 * Files → bundle: an archive whose last entry is the manifest with the SHA-256 of each. Every byte is read once, and what
 * goes into the archive is exactly what the inspector (the secret scan) saw.
 */
import { createHash } from "node:crypto";
import { compareNames } from "../formats/zip/entry_name.ts";
import { MANIFEST_NAME, type ManifestFile, manifestText } from "../formats/zip/manifest.ts";
import { type ArchiveEntry, type ArchiveOptions, writeArchive } from "../formats/zip/write_archive.ts";
import type { BundleFile, FileList } from "./list_files.ts";
import { readAtRest } from "./read_at_rest.ts";

/** Sees one file's bytes on their way. */
export interface Inspector {
  push(piece: Uint8Array): void;
  end(): void;
}

export interface BundleOptions extends ArchiveOptions {
  inspect(file: BundleFile): Inspector | undefined;
  progress(bytes: number, file: BundleFile): void;
}

/** The bundle's bytes. `inspect` has seen all files when it ends; its verdict is the caller's. */
export function writeBundle(list: FileList, options: BundleOptions): AsyncIterable<Uint8Array> {
  const recorded: ManifestFile[] = [];
  return writeArchive(entriesOf(list, recorded, options), options);
}

/** Reads all files for the inspector alone. */
export async function inspectFiles(list: FileList, options: BundleOptions): Promise<void> {
  for (const file of list.files) {
    for await (const _ of inspected(file, options)) { /* the inspector sees it */ }
  }
}

function entriesOf(
  { files, empty_folders }: FileList,
  recorded: ManifestFile[],
  options: BundleOptions,
): ArchiveEntry[] {
  const entries: ArchiveEntry[] = files.map((file) => ({
    name: file.name,
    is_executable: file.is_executable,
    content: () => recording(file, recorded, options),
  }));
  for (const name of empty_folders) {
    entries.push({ name: `${name}/`, is_executable: false, content: () => [] });
  }
  entries.sort((a, b) => compareNames(a.name, b.name));
  // its content is asked for last, when every file is recorded
  const manifest = () => [new TextEncoder().encode(manifestText({ files: recorded, empty_folders }))];
  return [...entries, { name: MANIFEST_NAME, is_executable: false, content: manifest }];
}

async function* recording(
  file: BundleFile,
  recorded: ManifestFile[],
  options: BundleOptions,
): AsyncGenerator<Uint8Array> {
  const hash = createHash("sha256");
  for await (const piece of inspected(file, options)) {
    hash.update(piece);
    yield piece;
  }
  const mode = file.is_executable ? "0755" : "0644";
  recorded.push({ path: file.name, bytes: file.bytes, mode, sha256: hash.digest("hex") });
}

async function* inspected(file: BundleFile, options: BundleOptions): AsyncGenerator<Uint8Array> {
  const inspector = options.inspect(file);
  for await (const piece of readAtRest(file)) {
    inspector?.push(piece);
    options.progress(piece.length, file);
    yield piece;
  }
  inspector?.end();
}
