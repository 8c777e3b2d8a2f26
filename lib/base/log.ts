/**
 * The word everything logs through. The implementation (pino, JSON lines or readable) lives in lib/cli; below it only
 * this shape is known, so a test passes `silentLog` or collects. Rate limiting belongs to `everyInterval`.
 */
import type { Clock } from "./clock.ts";

export type LogLevel = "trace" | "debug" | "info" | "warn" | "error";
export type LogFields = Record<string, unknown>;

export interface Log {
  trace(message: string, fields?: LogFields): void;
  debug(message: string, fields?: LogFields): void;
  info(message: string, fields?: LogFields): void;
  warn(message: string, fields?: LogFields): void;
  error(message: string, fields?: LogFields): void;
  /** A log whose lines all carry these fields. */
  with(fields: LogFields): Log;
}

/** Says nothing. */
export const silentLog: Log = {
  trace() {},
  debug() {},
  info() {},
  warn() {},
  error() {},
  with: () => silentLog,
};

/** Lets one call through per interval and key, and tells it how many were held back since. Keys are bounded. */
export class RateLimitedLog {
  readonly #last = new Map<string, { at_ms: number; held: number }>();
  constructor(
    readonly log: Log,
    readonly clock: Clock,
    readonly interval_ms = 5_000,
    readonly max_keys = 1_000,
  ) {}

  warn(key: string, message: string, fields: LogFields = {}): void {
    const now_ms = this.clock.monotonic_ms();
    const seen = this.#last.get(key);
    if (seen && now_ms - seen.at_ms < this.interval_ms) {
      seen.held++;
      return;
    }
    if (!seen && this.#last.size >= this.max_keys) this.#last.clear();
    this.log.warn(message, seen?.held ? { ...fields, similar_held_back: seen.held } : fields);
    this.#last.set(key, { at_ms: now_ms, held: 0 });
  }
}
