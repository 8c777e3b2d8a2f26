/** The commands that ask a running supervisor: status, start, stop, restart, reload, shutdown. */
import { sleep } from "../../lib/base/clock.ts";
import { quoted, UserError } from "../../lib/base/errors.ts";
import { type Command, defineCommand, type ExitCode, type World } from "../../lib/cli/command.ts";
import type { ControlAnswer, ControlRequest } from "../../lib/supervisor/control/protocol.ts";
import type { AppStatus, SupervisorStatus } from "../../lib/supervisor/status.ts";

export const DIRECTORY_FLAG = {
  directory: {
    type: "text",
    value: "DIR",
    doc: "the supervisor's folder; absent: MDG_SUPERVISE_DIRECTORY, else the one of this user",
  },
} as const;

const JSON_FLAG = { json: { type: "boolean", doc: "print JSON" } } as const;
const WAIT_FLAG = {
  wait: { type: "boolean", doc: "return when they are online (0) or were given up (1)" },
} as const;
const NAMES = [{ name: "NAME", doc: 'Names of apps, or "all"', required: true, many: true }] as const;
const LOOK_MS = 100;

export async function directoryOf(world: World, given: string | undefined): Promise<string> {
  const { defaultDirectory } = await import("../../lib/supervisor/workplace.ts");
  return given ?? defaultDirectory(world.env);
}

async function ask(
  world: World,
  directory: string | undefined,
  request: ControlRequest,
): Promise<ControlAnswer> {
  const { askSupervisor } = await import("../../lib/supervisor/control/ask_supervisor.ts");
  return await askSupervisor(await directoryOf(world, directory), request, world.clock);
}

export async function askStatus(world: World, directory: string | undefined): Promise<SupervisorStatus> {
  return (await ask(world, directory, { ask: "status" })).status!;
}

export const status = defineCommand({
  summary: "Show the programs: state, pid, uptime, restarts, CPU, memory, what comes next",
  description:
    "Exit code 0 when the supervisor answered. With --check 1 unless every app that is meant to run is online.",
  arguments: [{ name: "NAME", doc: "Only these apps", many: true }],
  flags: {
    ...DIRECTORY_FLAG,
    ...JSON_FLAG,
    check: { type: "boolean", doc: "judge, for probes" },
  },
  examples: [
    { command: "mdg supervise status", doc: "a table" },
    { command: "mdg supervise status --json | jq '.apps[].state'", doc: "for programs" },
  ],
  permissions: ["ffi"],
  async run(world, flags, names): Promise<ExitCode> {
    const { allWell, statusTable } = await import("../../lib/supervisor/status.ts");
    const all = await askStatus(world, flags.directory);
    const shown = { ...all, apps: pick(all.apps, names) };
    await world.stdout(flags.json ? JSON.stringify(shown, null, 2) + "\n" : statusTable(shown));
    return flags.check && !allWell(shown) ? 1 : 0;
  },
});

export const start = changing("start", "Start apps, and what they depend on", true);
export const stop = changing("stop", "Stop apps and everything they started", false);
export const restart = changing("restart", "Restart apps; those that do not run are started", true);

export const reload = defineCommand({
  summary: "Read the file again, or send apps their reload signal",
  description:
    "Without names the supervise file is read again: only apps whose config differs are restarted. A file with problems " +
    "changes nothing. With names these apps get their reload_signal, SIGHUP by default.",
  arguments: [{ name: "NAME", doc: 'Names of apps, or "all"', many: true }],
  flags: { ...DIRECTORY_FLAG, ...JSON_FLAG },
  examples: [
    { command: "mdg supervise reload", doc: "after a change of the file" },
    { command: "mdg supervise reload gateway", doc: "SIGHUP to the gateway" },
  ],
  permissions: ["ffi"],
  async run(world, flags, names) {
    const request: ControlRequest = names.length > 0
      ? { ask: "signal", names: [...names] }
      : { ask: "reload" };
    const answer = await ask(world, flags.directory, request);
    if (flags.json) await world.stdout(JSON.stringify(answer.reload ?? answer.apps, null, 2) + "\n");
    else if (answer.reload) await world.stdout(reloadText({ ...answer.reload }));
    return 0;
  },
});

export const shutdown = defineCommand({
  summary: "End the supervisor: with its programs, or without them",
  description:
    "Apps are stopped in the order of their dependencies. With --keep they go on running, and the next supervisor of the " +
    "same folder takes them over: for a new version of mdg without a break.",
  flags: { ...DIRECTORY_FLAG, keep: { type: "boolean", doc: "leave the programs running" } },
  examples: [{ command: "mdg supervise shutdown --keep", doc: "before a new mdg takes over" }],
  permissions: ["ffi"],
  async run(world, flags) {
    await ask(world, flags.directory, { ask: "shutdown", keep: flags.keep });
    return 0;
  },
});

function changing(word: "start" | "stop" | "restart", summary: string, waits: boolean): Command {
  return defineCommand({
    summary,
    arguments: NAMES,
    flags: waits ? { ...DIRECTORY_FLAG, ...JSON_FLAG, ...WAIT_FLAG } : { ...DIRECTORY_FLAG, ...JSON_FLAG },
    examples: [
      { command: `mdg supervise ${word} gateway`, doc: "one" },
      { command: `mdg supervise ${word} all`, doc: "all of them" },
    ],
    permissions: ["ffi"],
    async run(world, flags: { directory: string | undefined; json: boolean; wait?: boolean }, names) {
      const answer = await ask(world, flags.directory, { ask: word, names: [...names] });
      const asked = answer.apps!.map(({ name }) => name);
      const apps = flags.wait ? await settled(world, flags.directory, asked) : answer.apps!;
      if (flags.json) await world.stdout(JSON.stringify(apps, null, 2) + "\n");
      else for (const { name, state, reason } of apps) await world.stdout(line(name, state, reason));
      return apps.some(({ state }) => flags.wait && state !== "online" && state !== "exited") ? 1 : 0;
    },
  });
}

async function settled(world: World, directory: string | undefined, names: string[]): Promise<AppStatus[]> {
  const final = ["online", "exited", "failed", "stopped"];
  for (;;) {
    world.signal.throwIfAborted();
    const apps = pick((await askStatus(world, directory)).apps, names);
    if (apps.every(({ state }) => final.includes(state))) return apps;
    await sleep(world.clock, LOOK_MS, world.signal);
  }
}

export function pick(apps: readonly AppStatus[], names: readonly string[]): AppStatus[] {
  if (names.length === 0 || names.includes("all")) return [...apps];
  return names.map((name) => {
    const app = apps.find((one) => one.name === name);
    if (app) return app;
    throw new UserError(`find app ${quoted(name)}: want one of ${apps.map((one) => one.name).join(", ")}`, {
      code: 2,
    });
  });
}

function line(name: string, state: string, reason: string | undefined): string {
  return `${name}  ${state}${reason === undefined ? "" : `  ${reason}`}\n`;
}

function reloadText(report: Record<string, string[]>): string {
  const told = Object.entries(report).filter(([, names]) => names.length > 0);
  return told.map(([what, names]) => `${what}: ${names.join(", ")}\n`).join("");
}
