/**
 * How this very program is started again: the binary by itself, from source with the flags of the task `start`.
 */
import manifest from "../../deno.json" with { type: "json" };
import type { SelfCommand } from "../../lib/supervisor/keeper_process.ts";

export function selfCommand(): SelfCommand {
  const program = Deno.execPath();
  if (Deno.build.standalone) return { program, args: [] };
  const flags = manifest.tasks.start.split(" ").filter((word) => word.startsWith("--"));
  const path = (relative: string) => decodeURIComponent(new URL(relative, import.meta.url).pathname);
  return {
    program,
    args: ["run", "--quiet", "--config", path("../../deno.json"), ...flags, path("../../main.ts")],
  };
}
