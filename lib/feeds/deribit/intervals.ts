/** Deribit names chart resolutions by minutes or "1D"; those without a counterpart here are left out. */
import type { Interval } from "../../market/interval.ts";

export const RESOLUTION_OF_INTERVAL: Partial<Record<string, string>> = {
  "1m": "1",
  "3m": "3",
  "5m": "5",
  "15m": "15",
  "30m": "30",
  "1h": "60",
  "2h": "120",
  "6h": "360",
  "12h": "720",
  "1d": "1D",
};

export const INTERVAL_OF_RESOLUTION: ReadonlyMap<string, Interval> = new Map(
  Object.entries(RESOLUTION_OF_INTERVAL).map(([interval, word]) => [word!, interval as Interval]),
);
