/**
 * `Log` on pino: synchronous, no worker, so the last line before the end is not lost. JSON lines for machines, one
 * readable line for people. Secrets are masked before anything is formatted; a level that is off costs a comparison.
 */
import { pino } from "pino";
import type { Clock } from "../base/clock.ts";
import type { Log, LogFields, LogLevel } from "../base/log.ts";
import { redact, redactText } from "../base/redact.ts";
import { logText } from "./log_text.ts";

export interface LoggerOptions {
  level: LogLevel;
  format: "json" | "text";
  color: boolean;
  clock: Clock;
  /** Takes one whole line, with its newline. */
  write(line: string): void;
}

type Method = (message: string, fields?: LogFields) => void;
const silent: Method = () => {};

export function createLogger(options: LoggerOptions): Log {
  const write = options.format === "json"
    ? options.write
    : (line: string) => options.write(logText(JSON.parse(line), options.color));
  const root = pino({
    level: options.level,
    base: null,
    messageKey: "message",
    timestamp: () => `,"time":"${new Date(options.clock.now_ms()).toISOString()}"`,
    formatters: { level: (label) => ({ level: label }) },
  }, { write });
  return wrap(root, {});
}

type Root = Pick<ReturnType<typeof pino>, LogLevel | "isLevelEnabled">;

function wrap(root: Root, bound: LogFields): Log {
  const method = (level: LogLevel): Method =>
    root.isLevelEnabled(level)
      ? (message, fields) =>
        root[level](redact(fields ? { ...bound, ...fields } : bound) as LogFields, redactText(message))
      : silent;
  return {
    trace: method("trace"),
    debug: method("debug"),
    info: method("info"),
    warn: method("warn"),
    error: method("error"),
    with: (fields) => wrap(root, { ...bound, ...fields }),
  };
}
