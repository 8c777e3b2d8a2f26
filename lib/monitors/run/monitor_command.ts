/** A monitor as a subcommand: its flags and the common ones, its measures in the help. */
import { type Command, defineCommand } from "../../cli/command.ts";
import type { Measures, MonitorKind } from "../monitor.ts";
import { MONITOR_FLAGS } from "./monitor_flags.ts";

export function monitorCommand(word: string, kind: MonitorKind): Command {
  const { summary, description = summary, examples, permissions } = kind;
  return defineCommand({
    summary,
    description: `${description}\n\n${measuresText(kind.measures)}`,
    arguments: kind.arguments,
    flags: { ...kind.flags, ...MONITOR_FLAGS },
    examples,
    permissions,
    async run(world, flags, args) {
      const { runMonitor } = await import("./run_monitor.ts");
      return await runMonitor({ word, kind, world, flags, args });
    },
  });
}

function measuresText(measures: Measures): string {
  const names = Object.keys(measures);
  const width = Math.max(...names.map((name) => name.length));
  const lines = names.map((name) => {
    const { doc, unit, warning, critical } = measures[name];
    const levels = [["w", warning], ["c", critical]].filter(([, range]) => range !== undefined);
    const notes = [unit, ...levels.map(([level, range]) => `${level} ${range}`)].filter((note) =>
      note !== ""
    );
    return `  ${name.padEnd(width)}  ${doc}${notes.length > 0 ? ` (${notes.join("; ")})` : ""}`;
  });
  return `Measured, by the names that --warning, --critical, --csv and the JSON use:\n${lines.join("\n")}`;
}
