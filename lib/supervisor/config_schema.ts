/**
 * What a supervise file may hold. Names are pmdaemon's where its meaning is kept (script, autorestart, max_restarts,
 * min_uptime, restart_delay, kill_timeout, max_memory_restart). What apps say of each other is app_references.ts.
 * Relative paths are taken from the file's folder.
 */
import { z } from "zod";
import { documentJsonSchema } from "../config/json_schema.ts";
import { duration, size } from "./quantities.ts";
import { scheduleSchema } from "./schedule/schedule_schema.ts";

const MAX_APPS = 200;
const NAME = /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/;
/** `all` is every app on the command line. */
const RESERVED_NAME = "all";
const SIGNAL_NAMES = ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGKILL"] as const;
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

const port = z.union([
  z.int().min(1).max(65_535),
  z.string().regex(/^(\[[0-9a-fA-F:.]+\]|[^:\s/]+):\d{1,5}$/, 'want a port, or "HOST:PORT"'),
]);
const http_url = z.string().regex(/^https?:\/\/[^\s]+$/, 'want a URL, such as "http://127.0.0.1:9090/ready"');

const ready = z.strictObject({
  port: port.optional().meta({ description: "Ready when this TCP port accepts" }),
  http: http_url.optional().meta({ description: "Ready when GET answers 200 to 299" }),
  line: z.string().min(1).refine(isRegExp, { error: "want a regular expression" }).optional()
    .meta({ description: "Ready when a line of the output matches" }),
  notify: z.literal(true).optional().meta({ description: "Ready when it says READY=1 (sd_notify)" }),
  timeout: duration(1).default(60_000).meta({ description: "Not ready by then: a failed start" }),
}).refine(
  ({ port, http, line, notify }) =>
    [port, http, line, notify].filter((one) => one !== undefined).length === 1,
  { error: "want exactly one of port, http, line, notify" },
);

const health_check = z.strictObject({
  port: port.optional().meta({ description: "Healthy while this TCP port accepts" }),
  http: http_url.optional().meta({ description: "Healthy while GET answers 200 to 299" }),
  interval: duration(10).default(30_000).meta({ description: "Time between checks" }),
  timeout: duration(1).default(5_000).meta({ description: "No answer by then counts as a failure" }),
  retries: z.int().min(1).max(1_000).default(3).meta({ description: "Failures in a row before a restart" }),
}).refine(({ port, http }) => (port === undefined) !== (http === undefined), {
  error: "want exactly one of port, http",
});

const app = z.strictObject({
  name: z.string().regex(NAME, "want up to 64 letters, digits, _ . -")
    .refine((name) => name !== RESERVED_NAME, { error: 'want another name: "all" means every app' }),
  script: z.string().min(1)
    .meta({ description: "Program: a path, or a name on PATH; `mdg` is this very program" }),
  args: z.array(z.union([z.string(), z.number()]).transform(String)).max(1_000).default([])
    .meta({ description: "Its arguments, one an item; no shell" }),
  cwd: z.string().min(1).default(".").meta({ description: "Where it runs" }),
  env: z.record(
    z.string().regex(ENV_NAME, "want a variable's name"),
    z.union([z.string(), z.number(), z.boolean()]).transform(String),
  ).default({}).meta({ description: "Variables added to the supervisor's own" }),
  autostart: z.boolean().default(true).meta({ description: "false: only when asked" }),
  autorestart: z.union([z.boolean(), z.enum(["always", "on_failure", "never"])]).default("always")
    .transform((value) => value === true ? "always" : value === false ? "never" : value)
    .meta({ description: "When it is started again after it ended" }),
  max_restarts: z.union([z.int().min(0).max(1_000_000), z.literal("unlimited")]).default(16)
    .meta({ description: "Failed starts in a row before it is given up" }),
  min_uptime: duration().default(1_000)
    .meta({ description: "Ended sooner, or never ready: a failed start" }),
  restart_delay: duration().default(100)
    .meta({ description: "Wait before the first restart; doubles with each failure, with jitter" }),
  max_restart_delay: duration().default(30_000).meta({ description: "The longest wait" }),
  kill_timeout: duration(1).default(30_000)
    .meta({ description: "From the wish to stop to SIGKILL" }),
  stop_signal: z.enum(SIGNAL_NAMES).default("SIGTERM")
    .meta({ description: "What asks it to stop; goes to its process group" }),
  reload_signal: z.enum(SIGNAL_NAMES).default("SIGHUP")
    .meta({ description: "What `reload NAME` sends to it" }),
  max_memory_restart: size(1_048_576).optional()
    .meta({ description: "Resident memory of it and all it started; above: a restart" }),
  watchdog: duration(10).optional()
    .meta({ description: "Restarted when it says no WATCHDOG=1 (sd_notify) for so long" }),
  ready: ready.optional().meta({ description: "When it is up; absent: min_uptime after its start" }),
  health_check: health_check.optional().meta({ description: "Restarted when it stops answering" }),
  depends_on: z.array(z.string()).max(MAX_APPS).default([])
    .meta({ description: "Apps that must be up before this one starts; they are stopped after it" }),
  separate_stderr: z.boolean().default(false).meta({ description: "NAME.err.log beside NAME.log" }),
  schedule: z.array(scheduleSchema).max(100).default([])
    .meta({ description: "When it is restarted, started, stopped or reloaded" }),
});

export const superviseSchema = z.strictObject({
  directory: z.string().min(1).optional()
    .meta({ description: "Socket, pipes and state of the supervisor; absent: a folder of this user" }),
  logs: z.strictObject({
    directory: z.string().min(1).default("logs").meta({ description: "Where NAME.log is" }),
    max_size: size(4_096).default(50 * 1_048_576).meta({ description: "A file is rotated at this size" }),
    keep_files: z.int().min(1).max(10_000).default(10)
      .meta({ description: "Rotated files that are kept per app" }),
  }).prefault({}),
  memory_interval: duration(100).default(5_000)
    .meta({ description: "How often memory and processor are looked at" }),
  closures: z.record(z.iso.date(), z.string()).default({})
    .meta({ description: "Days the exchange is closed that were announced later: day → why" }),
  encryption: z.strictObject({
    identity_file: z.string().min(1).optional(),
    recipients: z.array(z.string().min(1)).max(64).optional(),
  }).optional().meta({ description: "Keys of the encrypted values of this file" }),
  apps: z.array(app).min(1).max(MAX_APPS).meta({ description: "The programs" }),
});

export type SuperviseConfig = z.output<typeof superviseSchema>;
export type AppConfig = SuperviseConfig["apps"][number];
export type ReadyConfig = NonNullable<AppConfig["ready"]>;

/** For editors. */
export function superviseJsonSchema(): Record<string, unknown> {
  return {
    $schema: "https://json-schema.org/draft/2020-12/schema",
    title: "mdg supervise file",
    ...documentJsonSchema(superviseSchema),
  };
}

function isRegExp(text: string): boolean {
  try {
    new RegExp(text, "u");
    return true;
  } catch {
    return false;
  }
}
