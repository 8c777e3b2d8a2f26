/**
 * Candle intervals in the venues' usual words, with their lengths. Months have no one length: their bars follow the
 * calendar (UTC), and the length given here is that of 30 days, for ordering and budgets only.
 */
export const INTERVALS = [
  "1m",
  "3m",
  "5m",
  "15m",
  "30m",
  "1h",
  "2h",
  "4h",
  "6h",
  "8h",
  "12h",
  "1d",
  "3d",
  "1w",
  "1M",
] as const;
export type Interval = typeof INTERVALS[number];

const DAY_MS = 86_400_000;
/** 1970-01-05 was the first Monday. */
const FIRST_MONDAY_MS = 4 * DAY_MS;

const UNIT_MS: Readonly<Record<string, number>> = {
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 7 * 86_400_000,
  M: 30 * 86_400_000,
};

/** Length in milliseconds; a month counts as 30 days. */
export function intervalMs(interval: Interval): number {
  return Number(interval.slice(0, -1)) * UNIT_MS[interval.slice(-1)];
}

/** The first millisecond of the bar that a time belongs to, by UTC: weeks begin on Monday, months on the 1st. */
export function barStartMs(interval: Interval, time_ms: number): number {
  if (interval === "1M") {
    const date = new Date(time_ms);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth(), 1);
  }
  const length_ms = intervalMs(interval);
  const offset_ms = interval === "1w" ? FIRST_MONDAY_MS : 0;
  return Math.floor((time_ms - offset_ms) / length_ms) * length_ms + offset_ms;
}

/** The first millisecond of the bar after the one that begins at `start_ms`. */
export function nextBarMs(interval: Interval, start_ms: number): number {
  if (interval !== "1M") return start_ms + intervalMs(interval);
  const date = new Date(start_ms);
  return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + 1, 1);
}

/** The last millisecond of the bar that opens at `open_ms` (as venues write it: one before the next bar's open). */
export function closeTimeMs(interval: Interval, open_ms: number): number {
  return nextBarMs(interval, open_ms) - 1;
}
