/** `mdg monitor`: one subcommand per monitor of the registry. Asked wrongly under `--check` is UNKNOWN there, not CRITICAL. */
import { type CommandGroup, defineGroup } from "../lib/cli/command.ts";
import type { MonitorKind } from "../lib/monitors/monitor.ts";
import { monitorCommand } from "../lib/monitors/run/monitor_command.ts";
import * as monitors from "../lib/monitors/registry.ts";

const KINDS: Readonly<Record<string, MonitorKind>> = { ...monitors } satisfies Record<string, MonitorKind>;

export const monitor: CommandGroup = defineGroup(
  "Watch a server live, as JSON lines, or as a monitoring check",
  Object.fromEntries(Object.entries(KINDS).map(([word, kind]) => [word, monitorCommand(word, kind)])),
  { usageCode: (argv) => argv.includes("--check") ? 3 : 2 },
);
