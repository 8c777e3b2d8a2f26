/**
 * A Worker's metrics in the main thread's exposition: the Worker reports cumulative values now and then, the main thread
 * adds what is new to counters and histograms and sums gauges over its Workers. Whatever a gone Worker counted stays
 * counted.
 */
import { HistogramValue, type MetricKind, type Metrics } from "../../../base/metrics.ts";

interface Child {
  readonly labels: readonly string[];
  readonly value: number;
  /** Histograms: counts per bucket, then the sum. */
  readonly counts?: readonly number[];
}
interface Family {
  readonly kind: MetricKind;
  readonly name: string;
  readonly help: string;
  readonly label_names: readonly string[];
  readonly bounds?: readonly number[];
  readonly children: readonly Child[];
}
export type MetricsReport = readonly Family[];

export function reportMetrics(metrics: Metrics): MetricsReport {
  metrics.collect();
  return [...metrics.families.values()].map(({ kind, name, help, label_names, children }) => {
    const list = [...children.values()].map(({ labels, value }) =>
      value instanceof HistogramValue
        ? { labels, value: value.sum, counts: [...value.counts] }
        : { labels, value: value.value }
    );
    const [first] = children.values();
    const bounds = first?.value instanceof HistogramValue ? [...first.value.bounds] : undefined;
    return { kind, name, help, label_names, bounds, children: list };
  });
}

/** One Worker's reports, taken into the main thread's metrics. */
export class ReportedMetrics {
  readonly #last = new Map<string, Child>();
  readonly #names = new Map<string, readonly string[]>();

  constructor(readonly metrics: Metrics) {}

  take(report: MetricsReport): void {
    for (const family of report) for (const child of family.children) this.#take(family, child);
  }
  /** The Worker is gone: its gauges count no more. */
  end(): void {
    for (const [key, last] of this.#last) {
      const [name, kind] = key.split("\u0000");
      if (kind === "gauge") {
        this.metrics.gauge(name, "", this.#names.get(name)!).with(...last.labels).value -= last.value;
      }
    }
    this.#last.clear();
  }
  #take({ kind, name, help, label_names, bounds }: Family, child: Child): void {
    const key = [name, kind, ...child.labels].join("\u0000");
    const last = this.#last.get(key);
    this.#last.set(key, child);
    if (child.counts !== undefined) {
      const histogram = this.metrics.histogram(name, help, label_names, bounds!).with(...child.labels);
      for (const [i, count] of child.counts.entries()) {
        const more = count - (last?.counts?.[i] ?? 0);
        histogram.counts[i] += more;
        histogram.count += more;
      }
      histogram.sum += child.value - (last?.value ?? 0);
      return;
    }
    this.#names.set(name, label_names);
    const family = kind === "counter"
      ? this.metrics.counter(name, help, label_names)
      : this.metrics.gauge(name, help, label_names);
    family.with(...child.labels).value += child.value - (last?.value ?? 0);
  }
}
