/**
 * Names of log files: `<set>.<start>.ndjson`, compressed `….ndjson.gz` or `.zst`. The start is UTC to the millisecond in
 * digits of fixed width, so names sort by time. What a symbol may not do to a path is percent-encoded, so that two
 * symbols never share a file.
 */

export type Compression = "none" | "gzip" | "zstd";

const SUFFIX: Readonly<Record<Compression, string>> = { none: "", gzip: ".gz", zstd: ".zst" };
/** File systems take 255 bytes, of which start, kind and ".tmp" need 40. */
export const MAX_SET_NAME = 210;

export const TEMPORARY_SUFFIX = ".tmp";
const NAME = /^(.+)\.(\d{4})(\d{2})(\d{2})T(\d{2})(\d{2})(\d{2})\.(\d{3})Z\.ndjson(\.gz|\.zst)?(\.tmp)?$/;

export interface LogFileName {
  readonly set: string;
  readonly start_ms: number;
  readonly compression: Compression;
  /** A compressed file that is not whole yet. */
  readonly temporary: boolean;
}

/** The set's name from the configured template: "{channel}-{symbol}" → "trades-BTCUSDT". */
export function fileSetName(template: string, channel: string, venue: string, symbol: string): string {
  return template.replace(/\{(channel|venue|symbol)\}/g, (_, word) => {
    return safe(word === "channel" ? channel : word === "venue" ? venue : symbol);
  }).replace(/^\./, "%2E");
}

export function logFileName(set: string, start_ms: number, compression: Compression = "none"): string {
  const start = new Date(start_ms).toISOString().replaceAll("-", "").replaceAll(":", "");
  return `${set}.${start}.ndjson${SUFFIX[compression]}`;
}

/** Undefined for a file that is none of ours. */
export function parseLogFileName(name: string): LogFileName | undefined {
  const match = NAME.exec(name);
  if (!match) return undefined;
  const [, set, year, month, day, hour, minute, second, millisecond, packed, temporary] = match;
  const start_ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}.${millisecond}Z`);
  if (!Number.isFinite(start_ms)) return undefined;
  const compression = packed === ".gz" ? "gzip" : packed === ".zst" ? "zstd" : "none";
  return { set, start_ms, compression, temporary: temporary !== undefined };
}

function safe(text: string): string {
  return text.replace(/[^A-Za-z0-9._-]/gu, (char) => encodeURIComponent(char));
}
