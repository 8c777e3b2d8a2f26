/** Kraken names candle intervals by their minutes; its 15 days have no counterpart here. */
import type { Interval } from "../../market/interval.ts";

export const MINUTES_OF_INTERVAL: Partial<Record<string, number>> = {
  "1m": 1,
  "5m": 5,
  "15m": 15,
  "30m": 30,
  "1h": 60,
  "4h": 240,
  "1d": 1440,
  "1w": 10_080,
};

export const INTERVAL_OF_MINUTES: ReadonlyMap<number, Interval> = new Map(
  Object.entries(MINUTES_OF_INTERVAL).map(([interval, minutes]) => [minutes!, interval as Interval]),
);
