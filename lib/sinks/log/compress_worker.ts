/**
 * The Worker that compresses a file into another, streaming, and puts the result on disk before it says so.
 */
import { createReadStream, createWriteStream } from "node:fs";
import { pipeline } from "node:stream/promises";
import { createGzip, createZstdCompress } from "node:zlib";
import { reasonOf } from "../../base/errors.ts";
import type { CompressAnswer, CompressRequest } from "./archive.ts";

interface WorkerScope {
  onmessage: ((event: MessageEvent<CompressRequest>) => void) | null;
  postMessage(answer: CompressAnswer): void;
}
const scope = self as unknown as WorkerScope;

scope.onmessage = async ({ data }) => {
  scope.postMessage(await compress(data));
};

async function compress({ from, to, compression, mode }: CompressRequest): Promise<CompressAnswer> {
  try {
    const packer = compression === "zstd" ? createZstdCompress() : createGzip();
    await pipeline(createReadStream(from), packer, createWriteStream(to, { mode }));
    using file = await Deno.open(to, { write: true });
    await file.sync();
    return {};
  } catch (error) {
    return { reason: reasonOf(error) };
  }
}
