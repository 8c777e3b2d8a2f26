/**
 * `mdg supervise FILE`: starts programs and keeps them up, in the foreground; its further words ask a running one. What
 * it promises is in lib/supervisor/README.md.
 */
import { defineCommand, defineGroup } from "../lib/cli/command.ts";
import { askingWorld } from "../lib/cli/read_input.ts";
import { reload, restart, shutdown, start, status, stop } from "./supervise/ask.ts";
import { check } from "./supervise/check.ts";
import { keepLogs } from "./supervise/keep_logs.ts";
import { logs } from "./supervise/logs.ts";
import { schedule } from "./supervise/schedule.ts";
import { systemd } from "./supervise/systemd.ts";

/** Programs have their own kill_timeout; the frame's limit would leave them behind. */
const DRAIN_LIMIT_MS = 3_600_000;

const words = {
  status,
  start,
  stop,
  restart,
  reload,
  logs,
  schedule,
  check,
  shutdown,
  systemd,
  "keep-logs": keepLogs,
};

const superviseFile = defineCommand({
  summary: "Start programs and keep them up",
  description:
    "Starts the apps of FILE in the order of their dependencies and keeps them up: restarts with backoff, readiness, " +
    "health, memory limits, logs, schedules in New York's time. Stays in the foreground; SIGTERM ends everything in " +
    "order, SIGHUP reads FILE again. After a crash the next supervisor takes the running programs over. Linux only.",
  arguments: [{
    name: "FILE",
    doc: "The supervise file: .yaml, .yml, .json5, .jsonc or .json",
    required: true,
  }],
  flags: {},
  examples: [
    { command: "mdg supervise supervise.yaml", doc: "in the foreground" },
    { command: "mdg supervise status", doc: "what it is doing" },
    { command: "mdg supervise systemd supervise.yaml", doc: "a unit that does this at boot" },
  ],
  permissions: ["ffi"],
  drain_limit_ms: DRAIN_LIMIT_MS,
  async run(world, _flags, [file]) {
    const [{ runSupervisor }, { selfCommand }, { refuseMistypedWord }] = await Promise.all([
      import("../lib/supervisor/run_supervisor.ts"),
      import("./supervise/self_command.ts"),
      import("./supervise/mistyped_word.ts"),
    ]);
    refuseMistypedWord(file, Object.keys(words));
    const { clock, log, signal, version } = world;
    await runSupervisor(file, {
      ...askingWorld(world),
      env: world.env,
      clock,
      log,
      signal,
      version,
      self: selfCommand(),
      onReload: (callback) => world.onReload(callback),
    });
    return 0;
  },
});

export const supervise = defineGroup("Start programs and keep them up, 24/7", words, { bare: superviseFile });
