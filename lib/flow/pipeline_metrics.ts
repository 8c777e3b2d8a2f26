/**
 * The metric families that the old services' dashboards and alerts read: names and labels are contracts
 * (requirements B), so they are declared here and nowhere else. A sink declares its own. Children are made per symbol by
 * whoever counts; keep the child, do not look it up per message.
 */
import type { HistogramValue, MetricFamily, Metrics, MetricValue } from "../base/metrics.ts";

/** Upper bounds in microseconds: 1 µs to 100 ms. */
export const LATENCY_BOUNDS_US = [1, 2, 5, 10, 20, 50, 100, 200, 500, 1_000, 5_000, 20_000, 100_000] as const;

export interface PipelineMetrics {
  /** `{symbol}`: 1 while the symbol's stream is connected, else 0. */
  readonly websocket_connected: MetricFamily<MetricValue>;
  /** `{symbol}` */
  readonly websocket_disconnects_total: MetricFamily<MetricValue>;
  /** `{symbol, type}` */
  readonly messages_processed_total: MetricFamily<MetricValue>;
  /** `{symbol}`: malformed or unknown frames. */
  readonly messages_error_total: MetricFamily<MetricValue>;
  /** `{symbol}`: frame received to update handed out, microseconds. */
  readonly processing_latency_microseconds: MetricFamily<HistogramValue>;
  /** `{symbol}` */
  readonly orderbook_updates_total: MetricFamily<MetricValue>;
  /** `{symbol}` */
  readonly sequence_errors_total: MetricFamily<MetricValue>;
  /** `{symbol}` */
  readonly trades_processed_total: MetricFamily<MetricValue>;
}

/** The same families for the same `metrics`, however often it is called. */
export function pipelineMetrics(metrics: Metrics): PipelineMetrics {
  return {
    websocket_connected: metrics.gauge(
      "websocket_connected",
      "1 while the venue's stream of this symbol is connected",
      ["symbol"],
    ),
    websocket_disconnects_total: metrics.counter(
      "websocket_disconnects_total",
      "Connections to the venue that ended",
      ["symbol"],
    ),
    messages_processed_total: metrics.counter(
      "messages_processed_total",
      "Messages of the venue that were understood and used",
      ["symbol", "type"],
    ),
    messages_error_total: metrics.counter(
      "messages_error_total",
      "Messages of the venue that were malformed or unknown",
      ["symbol"],
    ),
    processing_latency_microseconds: metrics.histogram(
      "processing_latency_microseconds",
      "From frame received to update handed out, microseconds",
      ["symbol"],
      LATENCY_BOUNDS_US,
    ),
    orderbook_updates_total: metrics.counter(
      "orderbook_updates_total",
      "Updates applied to an order book",
      ["symbol"],
    ),
    sequence_errors_total: metrics.counter(
      "sequence_errors_total",
      "Gaps in the venue's update ids",
      ["symbol"],
    ),
    trades_processed_total: metrics.counter("trades_processed_total", "Trades taken in", ["symbol"]),
  };
}
