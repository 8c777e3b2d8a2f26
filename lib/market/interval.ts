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
