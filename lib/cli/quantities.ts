/** Sizes, times and speeds as people write them: 256M, 1.5G; 90s, 15m, 1h, 7d; max, 0.5. Exact, and refused when they are not clear. */
import { quoted, UserError } from "../base/errors.ts";

const SIZES: Readonly<Record<string, number>> = { "": 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30, T: 2 ** 40 };
const TIMES_MS: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1_000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
};

/** Bytes. @throws UserError (exit 2) that names the flag */
export function parseSize(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)([KMGT]?)(?:i?B)?$/i.exec(text.trim());
  const bytes = match ? Math.round(Number(match[1]) * SIZES[match[2].toUpperCase()]) : NaN;
  if (bytes >= 1 && Number.isSafeInteger(bytes)) return bytes;
  throw new UserError(`read "${flag}": ${quoted(text)} is no size, want a number with K, M, G or T`, {
    code: 2,
  });
}

/** Milliseconds. @throws UserError (exit 2) that names the flag */
export function parseDuration(flag: string, text: string): number {
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(text.trim());
  const time_ms = match ? Number(match[1]) * TIMES_MS[match[2]] : NaN;
  if (time_ms >= 1 && Number.isSafeInteger(Math.round(time_ms))) return time_ms;
  throw new UserError(`read "${flag}": ${quoted(text)} is no time, want a number with ms, s, m, h or d`, {
    code: 2,
  });
}

/** Market seconds a second; "max" is Infinity. @throws UserError (exit 2) */
export function parseSpeed(text: string): number {
  if (text === "max") return Infinity;
  const speed = Number(text);
  if (speed > 0 && Number.isFinite(speed)) return speed;
  throw new UserError(`play at speed ${quoted(text)}: not a speed, want max or a number above 0`, {
    code: 2,
  });
}
