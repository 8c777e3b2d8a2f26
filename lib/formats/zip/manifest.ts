/**
 * What a deployment bundle says of itself: every file with size, mode and SHA-256, as the archive's last entry, because only
 * then are the hashes known without reading twice. Keys and order are fixed, so the same files give the same bytes.
 */
import { UserError } from "../../base/errors.ts";
import { nameFault } from "./entry_name.ts";

export const MANIFEST_NAME = "mdg-manifest.json";
const FORMAT = "mdg-bundle-1";
/** More files than a bundle may hold. */
export const MAX_ENTRIES = 100_000;

export interface ManifestFile {
  path: string;
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
  mode: "0644" | "0755";
}
export interface Manifest {
  files: readonly ManifestFile[];
  /** Empty folders, without a slash at the end. */
  empty_folders: readonly string[];
}

export function manifestText({ files, empty_folders }: Manifest): string {
  const ordered = files.map(({ path, bytes, mode, sha256 }) => ({ path, bytes, mode, sha256 }));
  return JSON.stringify({ format: FORMAT, files: ordered, empty_folders }, null, 1) + "\n";
}

/** Throws a UserError saying what is wrong with it. */
export function readManifest(text: string): Manifest {
  const wrong = (reason: string) => new UserError(`read ${MANIFEST_NAME}: ${reason}`);
  let content: unknown;
  try {
    content = JSON.parse(text);
  } catch {
    throw wrong("not JSON, want a manifest of `mdg zip`");
  }
  const { format, files, empty_folders } = (content ?? {}) as Record<string, unknown>;
  if (format !== FORMAT) throw wrong(`another format, want ${JSON.stringify(FORMAT)}`);
  if (!Array.isArray(files) || !Array.isArray(empty_folders)) throw wrong("no list of files, want one");
  if (files.length + empty_folders.length > MAX_ENTRIES) throw wrong(`more than ${MAX_ENTRIES} entries`);
  if (!files.every(isFile)) throw wrong("a damaged record, want path, bytes, mode and sha256");
  if (!empty_folders.every((name) => typeof name === "string" && !nameFault(name))) {
    throw wrong("a damaged folder name");
  }
  if (new Set(files.map(({ path }) => path)).size < files.length) throw wrong("a file is named twice");
  return { files, empty_folders };
}

function isFile(record: unknown): record is ManifestFile {
  const { path, bytes, sha256, mode } = (record ?? {}) as Record<string, unknown>;
  return typeof path === "string" && nameFault(path) === undefined &&
    Number.isSafeInteger(bytes) && (bytes as number) >= 0 &&
    typeof sha256 === "string" && /^[0-9a-f]{64}$/.test(sha256) &&
    (mode === "0644" || mode === "0755");
}
