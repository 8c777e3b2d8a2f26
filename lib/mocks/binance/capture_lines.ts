/**
 * A capture as batches of text lines, pulled: the next piece of the file is read only when the last one was taken, so a
 * paused player costs no memory. Plain or gzip, told by the first two bytes.
 * A torn end (the recorder was killed) yields what is whole and is reported, not thrown.
 */
import { createReadStream } from "node:fs";
import { createGunzip } from "node:zlib";
import { quoted, reasonOf, UserError } from "../../base/errors.ts";

const CHUNK_BYTES = 256 * 1024;
const MAX_LINE_LENGTH = 16 * 1024 * 1024;

/**
 * Yields whole lines without their line ends.
 * @param onTorn told why the end is missing, when it is
 * @throws UserError when the file cannot be opened
 */
export async function* captureLines(path: string, onTorn: (why: string) => void): AsyncGenerator<string[]> {
  const chunks = await openCapture(path);
  const decoder = new TextDecoder();
  let rest = "";
  try {
    for await (const chunk of chunks) {
      const lines = (rest + decoder.decode(chunk, { stream: true })).split("\n");
      rest = lines.pop()!;
      if (rest.length > MAX_LINE_LENGTH) {
        throw new Error(`a line has more than ${MAX_LINE_LENGTH} characters`);
      }
      if (lines.length > 0) yield lines;
    }
  } catch (error) {
    onTorn(reasonOf(error));
    return;
  }
  if (rest !== "") yield [rest];
}

async function openCapture(path: string): Promise<AsyncIterable<Uint8Array>> {
  const magic = new Uint8Array(2);
  try {
    using file = await Deno.open(path);
    await file.read(magic);
  } catch (error) {
    const why = error instanceof Deno.errors.NotFound ? "no such file" : reasonOf(error);
    throw new UserError(`read capture ${quoted(path, 200)}: ${why}`, {
      hint: "a capture has lines of `<local ns> <raw frame>`, plain or gzip",
    });
  }
  const raw = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  if (magic[0] !== 0x1f || magic[1] !== 0x8b) return raw;
  const unzip = createGunzip({ chunkSize: CHUNK_BYTES });
  raw.on("error", (error) => unzip.destroy(error));
  unzip.on("close", () => raw.destroy());
  return raw.pipe(unzip);
}
