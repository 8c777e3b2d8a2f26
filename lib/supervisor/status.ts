/**
 * What is shown of the programs: one model, as JSON for programs and as a table for people. A value that is not known is
 * absent.
 */
import { type App, type AppState, endText, type LastEnd } from "./app.ts";
import { durationText, sizeText } from "./quantities.ts";
import type { Supervisor } from "./supervisor.ts";

export interface AppStatus {
  name: string;
  state: AppState;
  /** Why it is in this state. */
  reason?: string;
  /** When it entered this state, Unix epoch, milliseconds. */
  since_ms: number;
  is_wanted: boolean;
  pid?: number;
  uptime_ms?: number;
  restarts: number;
  /** Failed starts in a row. */
  failures: number;
  processes?: number;
  memory_bytes?: number;
  cpu_percent?: number;
  /** What it says of itself (sd_notify STATUS). */
  says?: string;
  last_end?: LastEnd;
  next_scheduled?: { at_ms: number; action: string };
  log: string;
  error_log?: string;
}

export interface SupervisorStatus {
  version: string;
  pid: number;
  keeper_pid?: number;
  since_ms: number;
  now_ms: number;
  file: string;
  directory: string;
  apps: AppStatus[];
}

export function appStatus(
  app: App,
  supervisor: Supervisor,
  logs: { out: string; err: string | undefined },
): AppStatus {
  const now_ms = app.world.clock.now_ms();
  const { process, usage } = app;
  const is_running = process?.is_running ?? false;
  return {
    name: app.name,
    state: app.state,
    reason: app.reason,
    since_ms: app.since_ms,
    is_wanted: app.is_wanted,
    pid: is_running ? process!.id.pid : undefined,
    uptime_ms: is_running ? now_ms - app.started_ms! : undefined,
    restarts: app.restarts,
    failures: app.failures,
    processes: usage?.processes,
    memory_bytes: usage?.rss_bytes,
    cpu_percent: app.cpu_percent === undefined ? undefined : Math.round(app.cpu_percent * 10) / 10,
    says: app.status_text,
    last_end: app.last_end,
    next_scheduled: supervisor.nextScheduled(app.name),
    log: logs.out,
    error_log: logs.err,
  };
}

const HEAD = ["APP", "STATE", "PID", "UP", "RESTARTS", "CPU", "MEMORY", "NEXT", "WHY"];
const NEW_YORK = "America/New_York";

/** A table with aligned columns, one app a line. */
export function statusTable(status: SupervisorStatus): string {
  const rows = status.apps.map((app) => [
    app.name,
    app.state,
    app.pid?.toString() ?? "-",
    app.uptime_ms === undefined ? "-" : durationText(app.uptime_ms),
    app.restarts.toString(),
    app.cpu_percent === undefined ? "-" : `${app.cpu_percent.toFixed(1)}%`,
    app.memory_bytes === undefined ? "-" : sizeText(app.memory_bytes),
    app.next_scheduled ? `${app.next_scheduled.action} ${newYorkTime(app.next_scheduled.at_ms)}` : "-",
    whyOf(app),
  ]);
  const widths = HEAD.map((head, i) => Math.max(head.length, ...rows.map((row) => row[i].length)));
  return [HEAD, ...rows]
    .map((row) => row.map((cell, i) => cell.padEnd(widths[i])).join("  ").trimEnd() + "\n")
    .join("");
}

function whyOf({ state, reason, says, last_end }: AppStatus): string {
  if (reason !== undefined) return reason;
  if (says !== undefined) return says;
  if (state === "online" && last_end) return `before: ${last_end.why || endText(last_end)}`;
  return "";
}

function newYorkTime(at_ms: number): string {
  const when = Temporal.Instant.fromEpochMilliseconds(at_ms).toZonedDateTimeISO(NEW_YORK);
  return `${when.toPlainDate()} ${when.toPlainTime().toString({ smallestUnit: "minute" })} NY`;
}

/** Every app that is meant to run is online. */
export function allWell(status: SupervisorStatus): boolean {
  return status.apps.every(({ state, is_wanted }) =>
    state !== "failed" && (!is_wanted || state === "online")
  );
}
