/**
 * The connections of one source, beside the old per-symbol families: one connection of a hundred symbols is one here, and
 * two sources of symbols with the same name are told apart.
 */
import type { Metrics, MetricValue } from "../../base/metrics.ts";

const LABELS = ["source", "venue"];

export class ConnectionCounts {
  /** Connections that ended with nothing in their place. */
  readonly lost: MetricValue;
  readonly close: () => void;

  constructor(
    metrics: Metrics,
    source: string,
    venue: string,
    lanes: readonly { readonly connected: boolean }[],
  ) {
    this.lost = metrics.counter("feed_connections_lost_total", "Connections to the venue that ended", LABELS)
      .with(source, venue);
    const wanted = metrics.gauge("feed_connections_wanted", "Connections that the symbols need", LABELS)
      .with(source, venue);
    const open = metrics.gauge("feed_connections_open", "Connections that are open", LABELS)
      .with(source, venue);
    this.close = metrics.onCollect(() => {
      wanted.value = lanes.length;
      open.value = lanes.filter((lane) => lane.connected).length;
    });
  }
}
