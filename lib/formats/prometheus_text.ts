/**
 * The Prometheus text format 0.0.4, read: what a /metrics page says, found by name and labels. Refuses: guessing at a line
 * that is not of the form; it is counted and left out.
 */
import { nextTurn } from "../base/clock.ts";

export interface MetricSample {
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}
/** Cumulative counts by upper bound, ascending; the last bound is Infinity. */
export type Buckets = readonly { readonly le: number; readonly count: number }[];

const LINES_PER_TURN = 2_000;
const NONE: readonly MetricSample[] = [];
const NAME = /^[a-zA-Z_:][\w:]*/;
const LABEL = /\s*([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)"\s*,?/y;
const ESCAPES: Readonly<Record<string, string>> = { "\\n": "\n", '\\"': '"', "\\\\": "\\" };

export class MetricsPage {
  readonly #samples = new Map<string, MetricSample[]>();
  /** Name and label → value → samples; made when first asked for, since a page of thousands of symbols is asked for each. */
  readonly #indexes = new Map<string, Map<string, MetricSample[]>>();
  /** Lines that are no sample and no comment. */
  unread = 0;

  private constructor() {}
  /** Gives the event loop a turn now and then: pages of thousands of symbols have 10 MB. */
  static async read(text: string): Promise<MetricsPage> {
    const page = new MetricsPage();
    let count = 0;
    for (const line of text.split("\n")) {
      if (++count % LINES_PER_TURN === 0) await nextTurn();
      if (line === "" || line.startsWith("#")) continue;
      if (!page.#read(line)) page.unread++;
    }
    return page;
  }
  has(name: string): boolean {
    return this.#samples.has(name);
  }
  /** Those whose labels include `labels`; the last label of these should be the one that tells most. */
  all(name: string, labels: Readonly<Record<string, string>> = {}): readonly MetricSample[] {
    const wanted = Object.entries(labels);
    const last = wanted.pop();
    if (!last) return this.#samples.get(name) ?? NONE;
    const found = this.#index(name, last[0]).get(last[1]) ?? NONE;
    return found.filter((one) => wanted.every(([key, value]) => one.labels[key] === value));
  }
  /** The first one; undefined where there is none. */
  value(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    return this.all(name, labels)[0]?.value;
  }
  /** Of all that fit; undefined where there is none. */
  sum(name: string, labels: Readonly<Record<string, string>> = {}): number | undefined {
    const found = this.all(name, labels);
    return found.length === 0 ? undefined : found.reduce((sum, one) => sum + one.value, 0);
  }
  /** Of all histograms of this name that fit, added up; empty where there is none. */
  buckets(name: string, labels: Readonly<Record<string, string>> = {}): Buckets {
    const by_bound = new Map<number, number>();
    for (const { labels: { le }, value } of this.all(`${name}_bucket`, labels)) {
      const bound = numberOf(le ?? "");
      if (bound !== undefined) by_bound.set(bound, (by_bound.get(bound) ?? 0) + value);
    }
    return [...by_bound].map(([le, count]) => ({ le, count })).sort((a, b) => a.le - b.le);
  }

  #index(name: string, label: string): Map<string, MetricSample[]> {
    const key = `${name}\u0000${label}`;
    let index = this.#indexes.get(key);
    if (!index) {
      const samples = (this.#samples.get(name) ?? []).filter(({ labels }) => label in labels);
      this.#indexes.set(key, index = Map.groupBy(samples, ({ labels }) => labels[label]));
    }
    return index;
  }
  #read(line: string): boolean {
    const name = NAME.exec(line)?.[0];
    if (name === undefined) return false;
    let at = name.length;
    const labels: Record<string, string> = Object.create(null);
    if (line[at] === "{") {
      LABEL.lastIndex = ++at;
      for (let match = LABEL.exec(line); match !== null; match = LABEL.exec(line)) {
        labels[match[1]] = match[2].replaceAll(/\\[n"\\]/g, (escape) => ESCAPES[escape]);
        at = LABEL.lastIndex;
      }
      const end = /^\s*\}/.exec(line.slice(at));
      if (!end) return false;
      at += end[0].length;
    }
    // a timestamp may follow
    const fields = /^\s+(\S+)(?:\s+-?\d+)?\s*$/.exec(line.slice(at));
    const value = numberOf(fields?.[1] ?? "");
    if (value === undefined) return false;
    const samples = this.#samples.get(name);
    if (samples) samples.push({ labels, value });
    else this.#samples.set(name, [{ labels, value }]);
    return true;
  }
}

function numberOf(text: string): number | undefined {
  if (text === "+Inf") return Infinity;
  if (text === "-Inf") return -Infinity;
  if (text === "NaN") return NaN;
  return /^[+-]?(\d+(\.\d*)?|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined;
}

/** What was observed between two readings of a histogram; all of it where a counter began anew. */
export function bucketsSince(now: Buckets, before: Buckets): Buckets {
  const counts = new Map(before.map(({ le, count }) => [le, count]));
  const began_anew = now.some(({ le, count }) => count < (counts.get(le) ?? 0));
  return began_anew ? now : now.map(({ le, count }) => ({ le, count: count - (counts.get(le) ?? 0) }));
}

/**
 * The value that the share `q` does not exceed, estimated as Prometheus does it: evenly spread inside a bucket. In the
 * last one, whose values have no bound, it is the greatest bound. Undefined when nothing was observed.
 */
export function bucketQuantile(q: number, buckets: Buckets): number | undefined {
  const total = buckets.at(-1)?.count ?? 0;
  if (total <= 0) return undefined;
  const rank = q * total;
  const at = buckets.findIndex(({ count }) => count >= rank);
  const { le, count } = buckets[at];
  if (le === Infinity) return buckets.at(-2)?.le ?? Infinity;
  const below = at === 0 ? { le: Math.min(0, le), count: 0 } : buckets[at - 1];
  if (count === below.count) return le;
  return below.le + (le - below.le) * (rank - below.count) / (count - below.count);
}
