/**
 * Durations and sizes as people and the old pmdaemon write them: a bare number is milliseconds or bytes, a text has a
 * unit ("90s", "5m", "500M"). Units of size are powers of 1024, as pmdaemon had them.
 */
import { z } from "zod";

const DURATION_MS: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000 };
const SIZE_BYTES: Readonly<Record<string, number>> = {
  B: 1,
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};
const MAX_DURATION_MS = 7 * 24 * 3_600_000;

/** Milliseconds; undefined when the text is no duration. */
export function parseDuration(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*(ms|s|m|h)?$/.exec(text.trim());
  return match ? Number(match[1]) * DURATION_MS[match[2] ?? "ms"] : undefined;
}

/** Bytes; undefined when the text is no size. */
export function parseSize(text: string): number | undefined {
  const match = /^(\d+(?:\.\d+)?)\s*([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  return match ? Math.floor(Number(match[1]) * SIZE_BYTES[match[2].toUpperCase() || "B"]) : undefined;
}

/** A config value that becomes milliseconds. */
export function duration(min_ms = 0): z.ZodType<number> {
  return quantity(
    parseDuration,
    (ms) => ms >= min_ms && ms <= MAX_DURATION_MS,
    `want a duration from ${min_ms} ms to 7 days, such as 500 (milliseconds), "90s" or "5m"`,
  );
}

/** A config value that becomes bytes. */
export function size(min_bytes: number): z.ZodType<number> {
  return quantity(
    parseSize,
    (bytes) => bytes >= min_bytes && bytes <= Number.MAX_SAFE_INTEGER,
    `want a size of at least ${min_bytes} bytes, such as "500M" or "1G"`,
  );
}

function quantity(
  parse: (text: string) => number | undefined,
  fits: (value: number) => boolean,
  wanted: string,
): z.ZodType<number> {
  return z.union([z.number(), z.string()]).transform((written, context) => {
    const value = typeof written === "number" ? written : parse(written);
    if (value !== undefined && fits(value)) return value;
    context.addIssue({ code: "custom", message: wanted });
    return z.NEVER;
  }) as unknown as z.ZodType<number>;
}

/** "3d 4h", "5m 12s", "0.4s": for people. */
export function durationText(ms: number): string {
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)}s`;
  const parts: string[] = [];
  let rest_s = Math.floor(ms / 1_000);
  for (const [unit, length_s] of [["d", 86_400], ["h", 3_600], ["m", 60], ["s", 1]] as const) {
    const count = Math.floor(rest_s / length_s);
    rest_s -= count * length_s;
    if (count > 0) parts.push(`${count}${unit}`);
  }
  return parts.slice(0, 2).join(" ");
}

/** "812M": for people. */
export function sizeText(bytes: number): string {
  let unit = 0;
  let value = bytes;
  const units = Object.keys(SIZE_BYTES);
  for (; value >= 1_024 && unit < units.length - 1; unit++) value /= 1_024;
  return `${value < 10 && unit > 0 ? value.toFixed(1) : Math.round(value)}${units[unit]}`;
}
