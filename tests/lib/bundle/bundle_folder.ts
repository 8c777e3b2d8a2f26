/** Bundles made in memory from a folder of a test, with the scan left out unless it is what the test is about. */
import { type FileList, listBundleFiles } from "../../../lib/bundle/list_files.ts";
import { writeBundle } from "../../../lib/bundle/write_bundle.ts";
import { archiveTime } from "../../../lib/formats/zip/archive_time.ts";

/** Runs `body` in a folder of its own, which is removed afterwards. */
export async function inFolder(body: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "mdg-bundle-" });
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

export function listAll(root: string, ignored: readonly RegExp[] = [], paths = ["."]): Promise<FileList> {
  return listBundleFiles({ root, paths, ignored, excluded: new Set() });
}

export async function bundleBytes(list: FileList, level = 6): Promise<Uint8Array<ArrayBuffer>> {
  const options = { time: archiveTime(undefined), level, inspect: () => undefined, progress() {} };
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for await (const piece of writeBundle(list, options)) pieces.push(new Uint8Array(piece));
  return new Uint8Array(await new Blob(pieces).arrayBuffer());
}
