/** `mdg supervise schedule FILE`: when what will happen, in New York's time and in UTC, without starting anything. */
import { quoted, UserError } from "../../lib/base/errors.ts";
import { defineCommand } from "../../lib/cli/command.ts";
import { askingWorld } from "../../lib/cli/read_input.ts";

const NEW_YORK = "America/New_York";

export const schedule = defineCommand({
  summary: "Preview the schedule of a supervise file",
  description:
    "Prints the next runs of every rule. A wall time that daylight saving skips runs at the first instant after the gap, " +
    "one that comes twice runs at the first; holidays and early closes of the New York Stock Exchange are those of any year.",
  arguments: [{ name: "FILE", doc: "The supervise file", required: true }],
  flags: {
    next: {
      type: "number",
      value: "N",
      integer: true,
      min: 1,
      max: 1_000,
      default: 10,
      doc: "how many runs",
    },
    from: { type: "text", value: "TIME", doc: "after this time (ISO 8601); absent: now" },
    json: { type: "boolean", doc: "one object a line" },
  },
  examples: [
    { command: "mdg supervise schedule supervise.yaml", doc: "the next ten" },
    {
      command: "mdg supervise schedule supervise.yaml --from 2026-11-25T00:00-05:00 --json",
      doc: "the days around Thanksgiving",
    },
  ],
  async run(world, flags, [file]) {
    const [{ loadSuperviseFile }, { nextRuns }] = await Promise.all([
      import("../../lib/supervisor/load_supervise_file.ts"),
      import("../../lib/supervisor/schedule/next_run.ts"),
    ]);
    const { value: config } = await loadSuperviseFile(file, askingWorld(world));
    const from_ms = flags.from === undefined ? world.clock.now_ms() : timeOf(flags.from);
    const runs = config.apps.flatMap(({ name, schedule }) =>
      schedule.flatMap((rule) =>
        nextRuns(rule, from_ms, flags.next, config.closures).map((run) => ({
          app: name,
          do: rule.do,
          ...run,
        }))
      )
    );
    runs.sort((one, other) => one.at_ms - other.at_ms);
    for (const { app, do: action, at_ms, note } of runs.slice(0, flags.next)) {
      const instant = Temporal.Instant.fromEpochMilliseconds(at_ms);
      const new_york = instant.toZonedDateTimeISO(NEW_YORK);
      const utc = instant.toString({ smallestUnit: "second" });
      const local = new_york.toString({ smallestUnit: "second", timeZoneName: "never" });
      const day = new_york.toLocaleString("en-US", { weekday: "short" });
      await world.stdout(
        flags.json
          ? JSON.stringify({ app, do: action, at_ms, new_york: local, utc, day, note }) + "\n"
          : `${day} ${local.replace("T", " ")}  ${utc}  ${action} ${app}${note ? `  (${note})` : ""}\n`,
      );
    }
    return 0;
  },
});

/** Milliseconds since the Unix epoch. */
function timeOf(text: string): number {
  const at_ms = Date.parse(text);
  if (Number.isFinite(at_ms)) return at_ms;
  throw new UserError(`preview from ${quoted(text)}: not a time, want ISO 8601`, {
    code: 2,
    hint: "for example --from 2026-11-25T09:30-05:00",
  });
}
