/** `mdg supervise keep-logs DIR`: the process that writes the logs; the supervisor starts it, people have no need to. */
import { defineCommand } from "../../lib/cli/command.ts";

export const keepLogs = defineCommand({
  summary: "Write the logs of a supervisor's programs (started by the supervisor itself)",
  arguments: [{ name: "DIR", doc: "The supervisor's folder", required: true }],
  flags: {},
  examples: [],
  permissions: ["ffi"],
  async run(world, _flags, [directory]) {
    const { keepLogs } = await import("../../lib/supervisor/log_keeper/log_keeper.ts");
    await keepLogs(directory, world);
    return 0;
  },
});
