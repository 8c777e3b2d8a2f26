/**
 * What a directory of log files holds at start, put in order: torn last lines cut off, half-made compressed files
 * removed, files whose compression was interrupted handed on to be compressed. Touches only names of log files.
 */
import type { Archive } from "./archive.ts";
import { type Compression, logFileName, parseLogFileName } from "./file_name.ts";
import type { KnownFiles } from "./file_set.ts";
import { cutTornLine } from "./log_file.ts";

export interface Recovered {
  readonly sets: ReadonlyMap<string, KnownFiles>;
  /** Files with a torn last line, and what was cut off them. */
  readonly torn_files: number;
  readonly torn_bytes: number;
}

/** Set → start → what is there of it. */
type Found = Map<string, Map<number, Set<Compression>>>;

export async function recover(directory: string, archive: Archive): Promise<Recovered> {
  const found = await list(directory);
  const sets = new Map<string, KnownFiles>();
  let torn_files = 0;
  let torn_bytes = 0;
  for (const [set, files] of found) {
    const starts_ms = [...files.keys()].sort((one, other) => one - other);
    const rotated_ms: number[] = [];
    let active_ms: number | undefined;
    for (const start_ms of starts_ms) {
      const forms = files.get(start_ms)!;
      const path = `${directory}/${logFileName(set, start_ms)}`;
      if (forms.has("none") && forms.size > 1) await Deno.remove(path);
      const is_plain = forms.size === 1 && forms.has("none");
      if (is_plain) {
        const cut_bytes = await cutTornLine(path);
        if (cut_bytes > 0) torn_files++;
        torn_bytes += cut_bytes;
      }
      if (is_plain && start_ms === starts_ms.at(-1)) active_ms = start_ms;
      else {
        rotated_ms.push(start_ms);
        if (is_plain) archive.add(path);
      }
    }
    sets.set(set, { rotated_ms, active_ms });
  }
  return { sets, torn_files, torn_bytes };
}

async function list(directory: string): Promise<Found> {
  const found: Found = new Map();
  for await (const { name, isFile } of Deno.readDir(directory)) {
    const parsed = isFile ? parseLogFileName(name) : undefined;
    if (!parsed) continue;
    if (parsed.temporary) {
      await Deno.remove(`${directory}/${name}`);
      continue;
    }
    let files = found.get(parsed.set);
    if (!files) found.set(parsed.set, files = new Map());
    const forms = files.get(parsed.start_ms);
    if (forms) forms.add(parsed.compression);
    else files.set(parsed.start_ms, new Set([parsed.compression]));
  }
  return found;
}
