/**
 * The counters of one delivery queue. Every offered update that its target takes ends in exactly one of published,
 * dropped or conflated, or is still queued; the tests hold the queue to that sum.
 */
import type { Metrics, MetricValue } from "../base/metrics.ts";
import type { UpdateKind } from "./delivery_target.ts";

export type CountByKind = Readonly<Record<UpdateKind, MetricValue>>;

export interface DeliveryMetrics {
  readonly published: CountByKind;
  readonly dropped: CountByKind;
  readonly conflated: MetricValue;
  readonly errors: MetricValue;
  readonly queued: MetricValue;
  readonly queued_bytes: MetricValue;
}

export function deliveryMetrics(metrics: Metrics, sink: string): DeliveryMetrics {
  const byKind = (name: string, help: string): CountByKind => {
    const family = metrics.counter(name, help, ["sink", "type"]);
    return {
      book: family.with(sink, "book"),
      book_status: family.with(sink, "book_status"),
      trade: family.with(sink, "trade"),
      quote: family.with(sink, "quote"),
      ticker: family.with(sink, "ticker"),
      candle: family.with(sink, "candle"),
    };
  };
  return {
    published: byKind("sink_published_total", "Messages that the sink's other side has taken"),
    dropped: byKind("sink_dropped_total", "Messages lost at a bound, refused for good, or left at shutdown"),
    conflated: metrics.counter(
      "sink_conflated_total",
      "Updates replaced by a newer state, or withheld with a book out of sync, while the sink was behind",
      ["sink"],
    ).with(sink),
    errors: metrics.counter("sink_errors_total", "Writes that the sink rejected, wholly or in part", ["sink"])
      .with(sink),
    queued: metrics.gauge("sink_queued", "Messages queued or in flight", ["sink"]).with(sink),
    queued_bytes: metrics.gauge("sink_queued_bytes", "Memory of messages queued or in flight", ["sink"])
      .with(sink),
  };
}
