/** Feeds as a table of the screen: the same one in `monitor net` and `monitor gateway`. */
import { countText, microsecondsText, secondsText } from "../../tui/quantity.ts";
import type { TableBlock, Tone } from "../../tui/screen.ts";
import type { FeedRow } from "./feed_rows.ts";

const TONES: Readonly<Record<FeedRow["state"], Tone>> = {
  live: "good",
  stale: "bad",
  down: "bad",
  closed: "dim",
};

export function feedTable(feeds: readonly FeedRow[]): TableBlock {
  return {
    kind: "table",
    title: "Feeds",
    empty: "this gateway tells of no feed",
    columns: [
      { name: "Feed", key: "f" },
      { name: "State" },
      { name: "Msg/s", align: "right", key: "m" },
      { name: "Lag p50", align: "right", optional: true },
      { name: "p99", align: "right", key: "l" },
      { name: "Silent", align: "right" },
      { name: "Gaps", align: "right" },
      { name: "Lost", align: "right", optional: true },
      { name: "Conn", align: "right", optional: true },
      { name: "Quiet", align: "right", optional: true },
      { name: "Symbols", align: "right", optional: true },
    ],
    rows: feeds.map((feed) => ({
      id: feed.venue,
      cells: [
        feed.venue,
        { text: feed.state, tone: TONES[feed.state] },
        { text: countText(feed.messages_per_s), order: feed.messages_per_s },
        lagText(feed.lag_p50_s),
        { text: lagText(feed.lag_p99_s), order: feed.lag_p99_s },
        secondsText(feed.silent_s),
        { text: countText(feed.gaps), tone: (feed.new_gaps ?? 0) > 0 ? "warning" : undefined },
        { text: countText(feed.reconnects), tone: (feed.new_reconnects ?? 0) > 0 ? "warning" : undefined },
        feed.connections_open === undefined
          ? "-"
          : `${feed.connections_open}/${feed.connections_wanted ?? "?"}`,
        countText(feed.stale_symbols),
        countText(feed.symbols),
      ],
    })),
  };
}

/** Negative where the clocks differ. */
function lagText(lag_s: number | undefined): string {
  return microsecondsText(lag_s === undefined ? undefined : lag_s * 1e6);
}
