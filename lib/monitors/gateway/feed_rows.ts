/**
 * A gateway's feeds, one row a venue, from two readings of its metrics. Families that name only the symbol are used
 * where the symbol belongs to one venue; where two share it, what can't be told apart is absent.
 */
import { increase, total } from "../known_numbers.ts";
import {
  bucketQuantile,
  bucketsSince,
  type MetricSample,
  type MetricsPage,
} from "../../formats/prometheus_text.ts";

export interface FeedRow {
  venue: string;
  symbols: number;
  /** Down: no connection. Stale: connected and silent. Closed: its market keeps no hours now. */
  state: "live" | "stale" | "down" | "closed";
  connections_open?: number;
  connections_wanted?: number;
  messages_per_s?: number;
  lag_p50_s?: number;
  lag_p99_s?: number;
  /** Seconds since anything came; absent before the first event. */
  silent_s?: number;
  /** Symbols silent for longer than allowed while their market is open. */
  stale_symbols: number;
  out_of_sync: number;
  /** Since the gateway started, and since the last look. */
  gaps?: number;
  new_gaps?: number;
  reconnects?: number;
  new_reconnects?: number;
}

export interface Reading {
  page: MetricsPage;
  at_ms: number;
  /** The gateway's wall clock. */
  gateway_ms: number;
}

export interface FeedOptions {
  /** A feed that says nothing for longer is stale. */
  stale_after_s: number;
}

export function feedRows(now: Reading, before: Reading | undefined, options: FeedOptions): FeedRow[] {
  const instruments = now.page.all("feed_data_expected");
  const shared = new Map<string, number>();
  for (const { labels: { symbol } } of instruments) shared.set(symbol, (shared.get(symbol) ?? 0) + 1);
  return [...Map.groupBy(instruments, ({ labels }) => labels.venue)].map(([venue, of_venue]) => {
    const symbols = of_venue.map(({ labels }) => labels.symbol);
    const own = symbols.every((symbol) => shared.get(symbol) === 1) ? symbols : undefined;
    const bySymbol = (page: MetricsPage | undefined, name: string) =>
      own && page && total(own.map((symbol) => page.sum(name, { symbol })));
    const { page } = now;
    const past = before?.page;
    const elapsed_s = before && (now.at_ms - before.at_ms) / 1000;
    const frames = page.sum("feed_frames_total", { venue }) ?? bySymbol(page, "messages_processed_total");
    const frames_before = past?.sum("feed_frames_total", { venue }) ??
      bySymbol(past, "messages_processed_total");
    const messages = increase(frames, frames_before);
    const lag = bucketsSince(
      page.buckets("feed_exchange_lag_seconds", { venue }),
      past?.buckets("feed_exchange_lag_seconds", { venue }) ?? [],
    );
    const gaps = bySymbol(page, "sequence_errors_total");
    const reconnects = page.sum("feed_connections_lost_total", { venue });
    const connections_open = page.sum("feed_connections_open", { venue });
    const connections_wanted = page.sum("feed_connections_wanted", { venue });
    const silence = silenceOf(now, venue, of_venue, options.stale_after_s);
    return {
      venue,
      symbols: symbols.length,
      state: stateOf(silence, symbols.length, options.stale_after_s, connections_open),
      connections_open,
      connections_wanted,
      messages_per_s: messages === undefined || !elapsed_s ? undefined : messages / elapsed_s,
      lag_p50_s: bucketQuantile(0.5, lag),
      lag_p99_s: bucketQuantile(0.99, lag),
      silent_s: silence.youngest_s,
      stale_symbols: silence.stale,
      out_of_sync: page.all("book_in_sync", { venue }).filter(({ value }) => value === 0).length,
      gaps,
      new_gaps: increase(gaps, bySymbol(past, "sequence_errors_total")),
      reconnects,
      new_reconnects: increase(reconnects, past?.sum("feed_connections_lost_total", { venue })),
    };
  });
}

interface Silence {
  /** Some symbol's market is open. */
  is_expected: boolean;
  youngest_s?: number;
  stale: number;
}

function silenceOf(
  { page, gateway_ms }: Reading,
  venue: string,
  expected: readonly MetricSample[],
  stale_after_s: number,
): Silence {
  const heard = new Map(
    page.all("feed_last_event_timestamp_seconds", { venue }).map((
      { labels, value },
    ) => [labels.symbol, value]),
  );
  // Before a first event the wait counts from the start of the process.
  const since_s = page.value("process_start_time_seconds");
  const age = (at_s: number | undefined) => at_s && Math.max(0, gateway_ms / 1000 - at_s);
  const open = expected.filter(({ value }) => value === 1).map(({ labels }) => labels.symbol);
  const ages = [...heard.values()].map((at_s) => age(at_s)!);
  return {
    is_expected: open.length > 0,
    youngest_s: ages.length === 0 ? undefined : ages.reduce((least, one) => Math.min(least, one)),
    stale: open.filter((symbol) => (age(heard.get(symbol) ?? since_s) ?? 0) > stale_after_s).length,
  };
}

/** Stale is the whole feed only when nothing at all comes: some symbols are quiet by nature. */
function stateOf(
  { is_expected, stale, youngest_s }: Silence,
  symbols: number,
  stale_after_s: number,
  connections_open: number | undefined,
): FeedRow["state"] {
  if (connections_open === 0) return is_expected ? "down" : "closed";
  if (!is_expected) return "closed";
  const is_silent = youngest_s === undefined ? stale === symbols : youngest_s > stale_after_s;
  return is_silent ? "stale" : "live";
}
