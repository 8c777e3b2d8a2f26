/** `mdg zip --verify`: the verdict on a bundle, in words and as an exit code. */
import type { ExitCode, World } from "../cli/command.ts";
import { byteText, ProgressLine } from "../cli/progress_line.ts";
import { absolutePath } from "../cli/text_files/read_text.ts";
import { verifyBundle } from "./verify_bundle.ts";

export async function verifyCommand(world: World, file: string, max_bytes: number): Promise<ExitCode> {
  let line: ProgressLine | undefined;
  const progress = (bytes: number, total_bytes: number) => {
    const { clock, stderr_is_terminal: is_terminal, stderr } = world;
    line ??= new ProgressLine({ verb: "verifying", total_bytes, clock, is_terminal, stderr });
    line.add(bytes);
  };
  const { manifest, bytes, problems } = await verifyBundle(absolutePath(world.cwd, file), {
    max_bytes,
    progress,
    signal: world.signal,
  }).finally(() => line?.end());
  if (problems.length === 0) {
    await world.stdout(`${file}: whole, ${manifest.files.length} files, ${byteText(bytes)}\n`);
    return 0;
  }
  for (const problem of problems) await world.stdout(`${file}: ${problem}\n`);
  return 1;
}
