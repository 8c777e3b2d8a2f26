/**
 * base/metrics families → Prometheus text, through prom-client's registry: names, label escaping and number forms are
 * its business. Values are read at scrape time from our own plain fields, so counting never pays for exposition.
 * Families that appear later join at the next scrape; a name or label Prometheus would refuse is left out and reported.
 */
import { Counter, Gauge, Histogram, Registry } from "prom-client";
import { reasonOf } from "../../base/errors.ts";
import type { Log } from "../../base/log.ts";
import type { HistogramValue, MetricFamily, Metrics, MetricValue } from "../../base/metrics.ts";

type Labels = Record<string, string>;

export class Exposition {
  readonly #registry = new Registry();
  readonly #known = new Set<string>();

  constructor(readonly metrics: Metrics, readonly log: Log) {}
  get content_type(): string {
    return this.#registry.contentType;
  }
  /** The text of one scrape. */
  render(): Promise<string> {
    this.metrics.collect();
    for (const family of this.metrics.families.values()) {
      if (this.#known.has(family.name)) continue;
      this.#known.add(family.name);
      try {
        register(this.#registry, family);
      } catch (error) {
        this.log.error(`expose metric "${family.name}": ${reasonOf(error)}`);
      }
    }
    return this.#registry.metrics();
  }
}

function register(
  registry: Registry,
  family: MetricFamily<MetricValue> | MetricFamily<HistogramValue>,
): void {
  const shape = {
    name: family.name,
    help: family.help,
    labelNames: [...family.label_names],
    registers: [registry],
  };
  if (isHistogram(family)) {
    new HistogramView(shape, family);
  } else if (family.kind === "counter") {
    const counter = new Counter({
      ...shape,
      collect() {
        counter.reset();
        eachChild(family, (labels, { value }) => {
          // prom-client throws on these, and one broken counter must not hide all the others.
          if (Number.isFinite(value) && value >= 0) counter.inc(labels, value);
        });
      },
    });
  } else {
    const gauge = new Gauge({
      ...shape,
      collect() {
        gauge.reset();
        eachChild(family, (labels, value) => gauge.set(labels, value.value));
      },
    });
  }
}

function isHistogram(
  family: MetricFamily<MetricValue> | MetricFamily<HistogramValue>,
): family is MetricFamily<HistogramValue> {
  return family.kind === "histogram";
}

function eachChild<V extends MetricValue | HistogramValue>(
  family: MetricFamily<V>,
  visit: (labels: Labels, value: V) => void,
): void {
  for (const child of family.children.values()) visit(labelsOf(family, child.labels), child.value);
}

function labelsOf(family: { label_names: readonly string[] }, values: readonly string[]): Labels {
  const labels: Labels = {};
  for (let i = 0; i < family.label_names.length; i++) labels[family.label_names[i]] = values[i] ?? "";
  return labels;
}

interface Shape {
  name: string;
  help: string;
  labelNames: string[];
  registers: Registry[];
}

/** A histogram whose buckets were counted by us: prom-client would count one observation at a time. */
class HistogramView extends Histogram {
  readonly #family: MetricFamily<HistogramValue>;
  readonly #head: Shape;
  constructor(shape: Shape, family: MetricFamily<HistogramValue>) {
    super({ ...shape, buckets: [1] });
    this.#family = family;
    this.#head = shape;
  }
  /** The registry prefers this internal form to `get`. */
  getForPromString(): ReturnType<Histogram["get"]> {
    return this.get();
  }
  override get(): ReturnType<Histogram["get"]> {
    const { name, help } = this.#head;
    const values: { metricName: string; labels: Record<string, string | number>; value: number }[] = [];
    eachChild(this.#family, (labels, value) => {
      let cumulative = 0;
      for (let i = 0; i < value.counts.length; i++) {
        cumulative += value.counts[i];
        const le = i < value.bounds.length ? value.bounds[i] : "+Inf";
        values.push({ metricName: `${name}_bucket`, labels: { ...labels, le }, value: cumulative });
      }
      values.push({ metricName: `${name}_sum`, labels, value: value.sum });
      values.push({ metricName: `${name}_count`, labels, value: value.count });
    });
    // prom-client types the metric type as an enum that it does not export as a value.
    return Promise.resolve({
      name,
      help,
      type: "histogram",
      aggregator: "sum",
      values,
      collect: () => {},
    } as unknown as Awaited<ReturnType<Histogram["get"]>>);
  }
}
