/** MEXC's words for candle intervals, the same in all its markets; it has no 3m, 2h, 6h, 12h and 3d. */
import { type Interval, nextBarMs } from "../../market/interval.ts";

const MAX_TIME_MS = 1e14;

export const WORD_OF_INTERVAL: Partial<Record<string, string>> = {
  "1m": "Min1",
  "5m": "Min5",
  "15m": "Min15",
  "30m": "Min30",
  "1h": "Min60",
  "4h": "Hour4",
  "8h": "Hour8",
  "1d": "Day1",
  "1w": "Week1",
  "1M": "Month1",
};

export const INTERVAL_OF_WORD: ReadonlyMap<string, Interval> = new Map(
  Object.entries(WORD_OF_INTERVAL).map(([interval, word]) => [word!, interval as Interval]),
);

/** The venue's words for those of `intervals` that it has. */
export function intervalWords(intervals: readonly string[] = ["1m"]): string[] {
  return intervals.map((one) => WORD_OF_INTERVAL[one]).filter((word) => word !== undefined);
}

/** The last millisecond of a bar. `end_s`: the first second of the next one; NaN: not said, the interval tells. */
export function barCloseMs(interval: Interval, open_ms: number, end_s: number): number {
  const end_ms = end_s * 1000;
  return (end_ms > open_ms && end_ms < MAX_TIME_MS ? end_ms : nextBarMs(interval, open_ms)) - 1;
}
