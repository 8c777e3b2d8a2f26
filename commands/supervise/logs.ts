/** `mdg supervise logs NAME`: what a program wrote, from its files; follows over rotations. */
import { defineCommand, type World } from "../../lib/cli/command.ts";
import type { SupervisorStatus } from "../../lib/supervisor/status.ts";
import { askStatus, DIRECTORY_FLAG, directoryOf, pick } from "./ask.ts";

export const logs = defineCommand({
  summary: "Print what apps wrote; --follow goes on",
  description:
    "Reads the log files themselves, byte for byte what the program wrote. With several names, or both streams, each line " +
    "has its app before it.",
  arguments: [{ name: "NAME", doc: 'Names of apps, or "all"', required: true, many: true }],
  flags: {
    ...DIRECTORY_FLAG,
    lines: {
      type: "number",
      short: "n",
      value: "N",
      integer: true,
      min: 0,
      max: 100_000,
      default: 20,
      doc: "how many of the last lines",
    },
    follow: { type: "boolean", short: "f", doc: "print lines as they come" },
    path: { type: "boolean", doc: "print the files' paths instead" },
  },
  examples: [
    { command: "mdg supervise logs gateway -n 100", doc: "the last hundred lines" },
    { command: "mdg supervise logs all -f", doc: "everything as it comes" },
  ],
  permissions: ["ffi"],
  async run(world, flags, names) {
    const files = await filesOf(world, flags.directory, names);
    if (flags.path) {
      for (const { path } of files) await world.stdout(`${path}\n`);
      return 0;
    }
    const { lastLines, LogFollower } = await import("../../lib/supervisor/follow_log.ts");
    const is_named = files.length > 1;
    const sources = files.map(({ path, label }) => ({
      // before the last lines are read, so that none falls between the two
      follower: flags.follow ? new LogFollower(path) : undefined,
      path,
      label: is_named ? `${label}  ` : "",
    }));
    for (const { path, label } of sources) await print(world, label, lastLines(path, flags.lines));
    await Promise.all(sources.map(({ follower, label }) => follower && follow(world, follower, label)));
    return 0;
  },
});

async function follow(
  world: World,
  follower: import("../../lib/supervisor/follow_log.ts").LogFollower,
  label: string,
): Promise<void> {
  const { followLog } = await import("../../lib/supervisor/follow_log.ts");
  using _ = follower;
  for await (const lines of followLog(follower, world.clock, world.signal)) await print(world, label, lines);
}

async function print(world: World, label: string, lines: readonly string[]): Promise<void> {
  if (lines.length > 0) await world.stdout(lines.map((line) => `${label}${line}\n`).join(""));
}

interface LabelledFile {
  path: string;
  label: string;
}

/** As the supervisor says; where none runs, as the last one had it. */
async function filesOf(
  world: World,
  directory: string | undefined,
  names: readonly string[],
): Promise<LabelledFile[]> {
  let asked: SupervisorStatus;
  try {
    asked = await askStatus(world, directory);
  } catch (error) {
    const { keptLogFiles } = await import("../../lib/supervisor/log_keeper/keeper_plan.ts");
    const kept = keptLogFiles(await directoryOf(world, directory));
    const found = kept.filter(({ app }) => names.includes("all") || names.includes(app));
    if (found.length === 0) throw error;
    world.stderr("warning: no supervisor is running, these are the logs of the last one\n");
    return found.map(({ app, stream, path }) => ({ path, label: stream === "err" ? `${app}!` : app }));
  }
  return pick(asked.apps, names).flatMap(({ name, log, error_log }) => {
    const out = { path: log, label: name };
    return error_log === undefined ? [out] : [out, { path: error_log, label: `${name}!` }];
  });
}
