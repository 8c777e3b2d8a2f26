/** Log files as a reader finds them: whatever the compression, in the order of their names. */
import { gunzipSync, zstdDecompressSync } from "node:zlib";
import { parseLogFileName } from "../../../../lib/sinks/log/file_name.ts";

/** Name → lines; throws when a file does not end with a whole line. `set`: only files of this set. */
export async function readLogFiles(directory: string, set?: string): Promise<[string, string[]][]> {
  const files: [string, string[]][] = [];
  const names = [...Deno.readDirSync(directory)].map(({ name }) => name).sort();
  for (const name of names) {
    const parsed = parseLogFileName(name);
    if (!parsed || parsed.temporary || (set !== undefined && parsed.set !== set)) continue;
    const bytes = await Deno.readFile(`${directory}/${name}`);
    const plain = parsed.compression === "gzip"
      ? gunzipSync(bytes)
      : parsed.compression === "zstd"
      ? zstdDecompressSync(bytes)
      : bytes;
    const text = new TextDecoder().decode(plain);
    if (text !== "" && !text.endsWith("\n")) throw new Error(`read ${name}: its last line is torn`);
    files.push([name, text.split("\n").slice(0, -1)]);
  }
  return files;
}

/** All lines of a set, in order. */
export async function readSet(directory: string, set: string): Promise<string[]> {
  return (await readLogFiles(directory, set)).flatMap(([, lines]) => lines);
}
