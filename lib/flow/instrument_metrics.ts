/**
 * The counters of one instrument, taken from their families once so that the hot path only adds to number fields.
 * The contract families come from pipeline_metrics; ours follow the same form.
 */
import type { HistogramValue, Metrics, MetricValue } from "../base/metrics.ts";
import { pipelineMetrics } from "./pipeline_metrics.ts";

/** Upper bounds in seconds. What is at or below 0 came before it was sent: the clocks differ. */
const LAG_BOUNDS_S = [0, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 60] as const;

export interface InstrumentMetrics {
  depth_messages: MetricValue;
  trade_messages: MetricValue;
  quote_messages: MetricValue;
  other_messages: MetricValue;
  book_updates: MetricValue;
  sequence_errors: MetricValue;
  trades: MetricValue;
  trades_repeated: MetricValue;
  trades_missed: MetricValue;
  trades_late: MetricValue;
  deltas_stale: MetricValue;
  resyncs: MetricValue;
  repairs: MetricValue;
  refreshes: MetricValue;
  refresh_differences: MetricValue;
  out_of_sync_s: MetricValue;
  in_sync: MetricValue;
  audit_compared: MetricValue;
  audit_equal: MetricValue;
  audit_differed: MetricValue;
  crossed: MetricValue;
  candles_equal: MetricValue;
  candles_differed: MetricValue;
  latency: HistogramValue;
  /** Of the venue: exchange time to receipt, seconds. */
  lag: HistogramValue;
  /** Made with the first event: before it there is no such time. */
  lastEvent(): MetricValue;
  /** Symbols come and go while a gateway runs: what is no longer carried must not be shown as out of sync for good. */
  forget(): void;
}

export function instrumentMetrics(
  metrics: Metrics,
  venue: string,
  symbol: string,
  keeps_book: boolean,
): InstrumentMetrics {
  // The contract's families know the symbol only; ours tell venues apart too.
  const one = (name: string, help: string) =>
    metrics.counter(name, help, ["venue", "symbol"]).with(venue, symbol);
  const contract = pipelineMetrics(metrics);
  const messages = contract.messages_processed_total;
  return {
    ...stateMetrics(metrics, venue, symbol, keeps_book),
    depth_messages: messages.with(symbol, "depth"),
    trade_messages: messages.with(symbol, "trade"),
    quote_messages: messages.with(symbol, "quote"),
    other_messages: messages.with(symbol, "other"),
    book_updates: contract.orderbook_updates_total.with(symbol),
    sequence_errors: contract.sequence_errors_total.with(symbol),
    trades: contract.trades_processed_total.with(symbol),
    trades_repeated: one("trades_repeated_total", "Trades received more than once and dropped"),
    trades_missed: one("trades_missed_total", "Trade ids skipped by a venue's consecutive numbering"),
    trades_late: one(
      "trades_late_total",
      "Trades that came after a higher id, some of them counted as missed",
    ),
    deltas_stale: one("book_deltas_stale_total", "Deltas older than the book, dropped"),
    resyncs: one("book_resyncs_total", "Times the book came back in sync by a snapshot"),
    repairs: one("book_repairs_total", "Times a late delta closed a gap without a snapshot"),
    refreshes: one("book_refreshes_total", "Background snapshots merged to widen the known depth"),
    refresh_differences: one(
      "book_refresh_differences_total",
      "Levels found different by a background snapshot",
    ),
    out_of_sync_s: one("book_out_of_sync_seconds_total", "Time out of sync, ended episodes"),
    audit_compared: one(
      "book_audit_compared_total",
      "Book tops compared with the venue's own best bid and offer",
    ),
    audit_equal: one("book_audit_equal_total", "Compared book tops that were equal"),
    audit_differed: one("book_audit_differed_total", "Compared book tops that differed"),
    crossed: one("book_crossed_total", "Updates after which the best bid was at or above the best ask"),
    candles_equal: one("candles_checked_equal_total", "Venue's candles equal to those built from its trades"),
    candles_differed: one(
      "candles_checked_differed_total",
      "Venue's candles that differed from those built from its trades",
    ),
    latency: contract.processing_latency_microseconds.with(symbol),
  };
}

/** What is so now, for as long as the symbol is carried; and the lag of its venue. */
function stateMetrics(metrics: Metrics, venue: string, symbol: string, keeps_book: boolean) {
  const one = (name: string, help: string) => metrics.gauge(name, help, ["venue", "symbol"]);
  const in_sync = one("book_in_sync", "1 while the book is live and in sequence");
  const last_event = one("feed_last_event_timestamp_seconds", "When the last event was received");
  const lag = metrics.histogram(
    "feed_exchange_lag_seconds",
    "From the venue's time of an event to its receipt",
    ["venue"],
    LAG_BOUNDS_S,
  );
  return {
    // where there never is a book none is out of sync
    in_sync: keeps_book ? in_sync.with(venue, symbol) : { value: 0 },
    lag: lag.with(venue),
    lastEvent: () => last_event.with(venue, symbol),
    forget() {
      in_sync.remove(venue, symbol);
      last_event.remove(venue, symbol);
    },
  };
}
