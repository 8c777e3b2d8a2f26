/**
 * A capture as batches of text lines, pulled: the next piece of the file is read only when the last one was taken, so a
 * paused player costs no memory. Plain or gzip, told by the first two bytes.
 * A torn end (the recorder was killed) yields what is whole and is reported, not thrown.
 */
import { reasonOf } from "../../base/errors.ts";
import { openCapture } from "../../formats/open_capture.ts";

const CHUNK_BYTES = 256 * 1024;
const MAX_LINE_LENGTH = 16 * 1024 * 1024;

/**
 * Yields whole lines without their line ends.
 * @param onTorn told why the end is missing, when it is
 * @throws UserError when the file cannot be opened
 */
export async function* captureLines(path: string, onTorn: (why: string) => void): AsyncGenerator<string[]> {
  const { chunks, close } = await openCapture(path, CHUNK_BYTES);
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
  } finally {
    await close();
  }
  if (rest !== "") yield [rest];
}
