/** Bybit names candle intervals by minutes or a letter; it has no 8h and no 3d. */
import type { Interval } from "../../market/interval.ts";

export const WORD_OF_INTERVAL: Partial<Record<string, string>> = {
  "1m": "1",
  "3m": "3",
  "5m": "5",
  "15m": "15",
  "30m": "30",
  "1h": "60",
  "2h": "120",
  "4h": "240",
  "6h": "360",
  "12h": "720",
  "1d": "D",
  "1w": "W",
  "1M": "M",
};

export const INTERVAL_OF_WORD: ReadonlyMap<string, Interval> = new Map(
  Object.entries(WORD_OF_INTERVAL).map(([interval, word]) => [word!, interval as Interval]),
);
