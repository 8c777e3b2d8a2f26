/** OKX's candle channels. From six hours up the plain words open at UTC+8; the `utc` ones are ours. It has no 8h. */
import type { Interval } from "../../market/interval.ts";

export const CHANNEL_OF_INTERVAL: Partial<Record<string, string>> = {
  "1m": "candle1m",
  "3m": "candle3m",
  "5m": "candle5m",
  "15m": "candle15m",
  "30m": "candle30m",
  "1h": "candle1H",
  "2h": "candle2H",
  "4h": "candle4H",
  "6h": "candle6Hutc",
  "12h": "candle12Hutc",
  "1d": "candle1Dutc",
  "3d": "candle3Dutc",
  "1w": "candle1Wutc",
  "1M": "candle1Mutc",
};

export const INTERVAL_OF_CHANNEL: ReadonlyMap<string, Interval> = new Map(
  Object.entries(CHANNEL_OF_INTERVAL).map(([interval, channel]) => [channel!, interval as Interval]),
);
