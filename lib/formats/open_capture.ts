/**
 * Opens a capture as a stream of bytes: lines, plain or gzip, told by its first two bytes, or a recording of ours, which
 * comes as such lines. Read piece by piece: a recording of any length takes bounded memory. What stands in it is the
 * business of whoever reads.
 */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { quoted, reasonOf, UserError } from "../base/errors.ts";
import { isRecording, recordingLines } from "./recording/lines.ts";

export interface OpenCapture {
  /** Decompressed bytes; iterating throws where the file is torn or damaged. */
  chunks: AsyncIterable<Uint8Array>;
  /** Lets the file go, also half way; resolves when it is closed. */
  close(): Promise<void>;
}

/**
 * @param chunk_bytes size of one piece
 * @throws UserError when the file cannot be opened
 */
export async function openCapture(path: string, chunk_bytes: number): Promise<OpenCapture> {
  if (await isRecording(path)) {
    const lines = recordingLines(path);
    return { chunks: lines, close: async () => void await lines.return(undefined) };
  }
  let magic: Uint8Array;
  try {
    using file = await Deno.open(path);
    magic = new Uint8Array(2);
    await file.read(magic);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "no such file" : reasonOf(error);
    throw new UserError(`read capture ${quoted(path, 200)}: ${why}`, {
      hint: "a capture has lines of `<local ns> <raw frame>`, plain or gzip",
    });
  }
  const raw = createReadStream(path, { highWaterMark: chunk_bytes });
  // Stopping half way is told as an error too; whoever iterates has heard of the real ones.
  raw.on("error", () => {});
  const closed = new Promise<void>((resolve) => raw.once("close", resolve));
  const close = () => {
    raw.destroy();
    return closed;
  };
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return { chunks: raw, close };
  const unzip = createGunzip({ chunkSize: chunk_bytes });
  raw.on("error", (error) => unzip.destroy(error));
  return { chunks: raw.pipe(unzip), close };
}
