/** What two monitors say of a gateway's feeds: the flag, the measures with their ranges, and their values. */
import { greatest, scaled, total } from "../known_numbers.ts";
import type { Measures, Readings } from "../monitor.ts";
import type { FeedRow } from "./feed_rows.ts";

export const STALE_AFTER = {
  type: "number",
  value: "SECONDS",
  min: 0.1,
  max: 86_400,
  default: 15,
  doc: "a connected feed that says nothing for longer is stale",
} as const;

export const FEED_MEASURES = {
  feeds_down: { unit: "", doc: "feeds without a connection", critical: "0", min: 0 },
  feeds_stale: {
    unit: "",
    doc: "feeds connected and silent while their market is open",
    critical: "0",
    min: 0,
  },
  feed_messages_per_s: { unit: "", doc: "frames of all feeds", min: 0 },
  feed_lag_p99_ms: { unit: "ms", doc: "from the venue's time to receipt, slowest feed" },
  feed_gaps: { unit: "", doc: "gaps in the venues' ids since the last look", min: 0 },
  feed_reconnects: { unit: "", doc: "connections lost since the last look", warning: "0", min: 0 },
} as const satisfies Measures;

/** All absent where there is no gateway to look at. */
export function feedReadings(feeds: readonly FeedRow[] | undefined): Readings {
  return {
    feeds_down: feeds?.filter(({ state }) => state === "down").length,
    feeds_stale: feeds?.filter(({ state }) => state === "stale").length,
    feed_messages_per_s: total(feeds?.map((one) => one.messages_per_s)),
    feed_lag_p99_ms: scaled(greatest(feeds?.map((one) => one.lag_p99_s)), 1e3),
    feed_gaps: total(feeds?.map((one) => one.new_gaps)),
    feed_reconnects: total(feeds?.map((one) => one.new_reconnects)),
  };
}
