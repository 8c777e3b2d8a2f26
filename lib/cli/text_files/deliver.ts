/**
 * Output of the text tools, the same for all: stdout, a whole file (`-o`), or only a verdict (`--check`) or the
 * difference (`--diff`) to what is there. Refuses to touch any file before every text is ready.
 */
import { UserError } from "../../base/errors.ts";
import { unifiedDiff } from "../../formats/unified_diff.ts";
import { writeWholeFile } from "../../os/write_whole_file.ts";
import type { ExitCode, World } from "../command.ts";
import { absolutePath, readText } from "./read_text.ts";

export interface Delivery {
  output: string | undefined;
  check: boolean;
  diff: boolean;
}

/** Brings `text` where the flags say. */
export async function deliver(world: World, flags: Delivery, text: Iterable<string>): Promise<ExitCode> {
  const { output } = flags;
  if (flags.check || flags.diff) {
    if (output === undefined) {
      throw new UserError("compare: no output file to compare with, want -o FILE", { code: 2 });
    }
    const there = await existingText(world, output);
    return await compare(world, flags, output, there, Array.from(text).join(""));
  }
  if (output !== undefined && output !== "-") {
    await writeWholeFile(absolutePath(world.cwd, output), text);
    return 0;
  }
  // A conversion may find a fault at its very end: stdout gets all or nothing.
  for (const piece of Array.from(text)) {
    await world.stdout(piece);
    if (world.signal.aborted) break;
  }
  return 0;
}

/** 0 when equal; else says so (`--check`, on stderr) or shows it (`--diff`, on stdout), and 1. */
export async function compare(
  world: World,
  flags: { check: boolean; diff: boolean },
  name: string,
  old_text: string,
  new_text: string,
): Promise<ExitCode> {
  if (old_text === new_text) return 0;
  if (flags.diff) await world.stdout(unifiedDiff(name, old_text, new_text));
  else world.stderr(`${name}: would change\n`);
  return 1;
}

/** The text of a file, empty when there is none. */
export async function existingText(world: World, path: string): Promise<string> {
  try {
    await Deno.stat(absolutePath(world.cwd, path));
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return "";
    throw error;
  }
  return (await readText(world, path)).text;
}
