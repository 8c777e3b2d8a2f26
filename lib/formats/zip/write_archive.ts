/**
 * Entries → the bytes of a zip, streamed, the same for the same entries: order as given, one time stamp, modes 0644 or 0755,
 * no extra fields but zip64's, a fixed compression level. yazl lays out the records; what it cannot promise (a source
 * that fails ends the whole archive, stamps free of the zone) is seen to here.
 */
import { Buffer } from "node:buffer";
import { Readable } from "node:stream";
// @ts-types="@types/yazl"
import { ZipFile } from "yazl";

export interface ArchiveEntry {
  /** Ends in "/" for an empty folder, which has no content. */
  name: string;
  is_executable: boolean;
  /** Opened when its turn comes, not before. */
  content(): AsyncIterable<Uint8Array> | Iterable<Uint8Array>;
}

export interface ArchiveOptions {
  time: Date;
  /** 0 stores; 1–9 deflate. */
  level: number;
}

const [FILE, FOLDER] = [0o100000, 0o040000];

/** The archive's bytes; throws what an entry's content throws. */
export async function* writeArchive(
  entries: readonly ArchiveEntry[],
  { time, level }: ArchiveOptions,
): AsyncGenerator<Uint8Array> {
  const zip = new ZipFile();
  const output = zip.outputStream as unknown as Readable;
  let source: Readable | undefined;
  zip.on("error", (error: Error) => output.destroy(error));
  const stamp = { mtime: time, forceDosTimestamp: true };
  for (const { name, is_executable, content } of entries) {
    if (name.endsWith("/")) {
      zip.addEmptyDirectory(name, { ...stamp, mode: FOLDER | 0o755 });
      continue;
    }
    const mode = FILE | (is_executable ? 0o755 : 0o644);
    zip.addReadStreamLazy(name, { ...stamp, mode, compressionLevel: level }, (take) => {
      source = Readable.from(asBuffers(content()), { objectMode: false });
      // a pipe does not hand errors on
      source.on("error", (error) => output.destroy(error));
      take(undefined, source);
    });
  }
  zip.end();
  try {
    for await (const piece of output) yield piece as Uint8Array;
  } finally {
    source?.destroy();
  }
}

async function* asBuffers(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>): AsyncGenerator<Buffer> {
  for await (const { buffer, byteOffset, byteLength } of content) {
    yield Buffer.from(buffer as ArrayBuffer, byteOffset, byteLength);
  }
}
