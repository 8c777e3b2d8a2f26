/**
 * Counters, gauges and histograms as plain number fields: an increment costs a few nanoseconds and no label lookup.
 * A library renders them at scrape time (servers/health), so the hot path never pays for exposition.
 * Refuses: unbounded label sets — a family past `max_children` folds further children into one named "other".
 */

export type MetricKind = "counter" | "gauge" | "histogram";

/** One labelled value. Write `value` directly on the hot path. */
export interface MetricValue {
  value: number;
}

/** A histogram with fixed bucket bounds; `observe` is a binary search over a Float64Array. */
export class HistogramValue {
  readonly counts: Float64Array;
  sum = 0;
  count = 0;
  constructor(readonly bounds: Float64Array) {
    this.counts = new Float64Array(bounds.length + 1);
  }
  observe(value: number): void {
    let low = 0;
    let high = this.bounds.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.bounds[middle] < value) low = middle + 1;
      else high = middle;
    }
    this.counts[low]++;
    this.sum += value;
    this.count++;
  }
  /** The upper bound of the bucket that holds quantile `q`; undefined when empty, Infinity past the last bound. */
  quantile(q: number): number | undefined {
    if (this.count === 0) return undefined;
    let rest = q * this.count;
    for (let i = 0; i < this.counts.length; i++) {
      rest -= this.counts[i];
      if (rest <= 0) return i < this.bounds.length ? this.bounds[i] : Infinity;
    }
    return Infinity;
  }
}

export class MetricFamily<V extends MetricValue | HistogramValue> {
  readonly children = new Map<string, { labels: readonly string[]; value: V }>();
  constructor(
    readonly kind: MetricKind,
    readonly name: string,
    readonly help: string,
    readonly label_names: readonly string[],
    readonly create: () => V,
    readonly max_children = 10_000,
  ) {}
  /** The child for these label values, made on first use. Keep it: do not call this per message. */
  with(...labels: string[]): V {
    const key = labels.join("\u0000");
    const found = this.children.get(key);
    if (found) return found.value;
    if (this.children.size >= this.max_children) {
      const rest = this.label_names.map(() => "other");
      const other = this.children.get(rest.join("\u0000"));
      if (other) return other.value;
      labels = rest;
    }
    const value = this.create();
    this.children.set(labels.join("\u0000"), { labels, value });
    return value;
  }
  /** Forgets a child, for instance when its symbol is removed. */
  remove(...labels: string[]): void {
    this.children.delete(labels.join("\u0000"));
  }
}

/** All families of one process or test; no globals. */
export class Metrics {
  readonly families = new Map<string, MetricFamily<MetricValue> | MetricFamily<HistogramValue>>();
  readonly #collectors: (() => void)[] = [];

  counter(name: string, help: string, label_names: readonly string[] = []): MetricFamily<MetricValue> {
    return this.#family("counter", name, help, label_names);
  }
  gauge(name: string, help: string, label_names: readonly string[] = []): MetricFamily<MetricValue> {
    return this.#family("gauge", name, help, label_names);
  }
  histogram(
    name: string,
    help: string,
    label_names: readonly string[],
    bounds: readonly number[],
  ): MetricFamily<HistogramValue> {
    const known = this.families.get(name);
    if (known) return known as MetricFamily<HistogramValue>;
    const sorted = Float64Array.from(bounds);
    const family = new MetricFamily("histogram", name, help, label_names, () => new HistogramValue(sorted));
    this.families.set(name, family);
    return family;
  }
  /** Called before each scrape, to bring gauges up to date. Returns how to stop. */
  onCollect(collector: () => void): () => void {
    this.#collectors.push(collector);
    return () => {
      const at = this.#collectors.indexOf(collector);
      if (at >= 0) this.#collectors.splice(at, 1);
    };
  }
  collect(): void {
    for (const collector of this.#collectors) collector();
  }
  #family(
    kind: "counter" | "gauge",
    name: string,
    help: string,
    label_names: readonly string[],
  ): MetricFamily<MetricValue> {
    const known = this.families.get(name);
    if (known) return known as MetricFamily<MetricValue>;
    const family = new MetricFamily<MetricValue>(kind, name, help, label_names, () => ({ value: 0 }));
    this.families.set(name, family);
    return family;
  }
}
