/**
 * The latency report as a page: one file, no script, nothing loaded. A curve of percentiles (the further right, the rarer)
 * and a timeline of each second's median, p99 and maximum, both on logarithmic scales.
 */
import type { ExitLatency, LatencyPeriod } from "../../lib/flow/latency_record.ts";
import { type LatencyFigures, QUANTILES, rounded } from "./latency_report.ts";

const WIDTH = 820;
const HEIGHT = 320;
const LEFT = 70;
const RIGHT = 34;
const BOTTOM = 40;
const TOP = 16;
const NINES = 5;
const CURVE_POINTS = 120;
type Point = readonly [x: number, y: number];

/** `title`: what was played. */
export function latencyPage(title: string, { exit, worst_lateness_ms }: LatencyFigures): string {
  const body = exit === undefined || exit.received.count === 0
    ? "<p>Nothing went out.</p>"
    : `${table(exit)}<h2>Percentiles</h2>${curve(exit)}<h2>Timeline, receipt to exit</h2>${
      timeline(exit.periods)
    }`;
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Latency: ${escaped(title)}</title>
<style>
body { font: 15px/1.5 system-ui, sans-serif; max-width: 860px; margin: 2em auto; padding: 0 1em; color: #1a1a1a; background: #fff; }
table { border-collapse: collapse; } th, td { padding: .2em .9em; text-align: right; border-bottom: 1px solid #ddd; }
svg { width: 100%; height: auto; } text { font: 12px system-ui, sans-serif; fill: #555; }
.grid { stroke: #e4e4e4; } .received { stroke: #0a6; } .exchange { stroke: #a50; } .p50 { stroke: #0a6; } .p99 { stroke: #06c; } .max { stroke: #c30; }
path { fill: none; stroke-width: 1.6; }
</style></head><body>
<h1>Latency: ${escaped(title)}</h1>
${body}
<p>Frames were played at most ${rounded(worst_lateness_ms)} ms after they were due.</p>
</body></html>
`;
}

function table({ name, received, exchange }: ExitLatency): string {
  const head = [...QUANTILES.map((q) => `p${q * 100}`), "max", "updates"].map((text) => `<th>${text}</th>`)
    .join("");
  const row = (label: string, one: ExitLatency["received"]) => {
    const cells = [...QUANTILES.map((q) => one.quantile(q)), one.count > 0 ? one.max : undefined];
    return `<tr><th>${label}</th>${
      cells.map((us) => `<td>${time(us)}</td>`).join("")
    }<td>${one.count}</td></tr>`;
  };
  return `<p>To: ${escaped(name)}.</p><table><tr><th></th>${head}</tr>${row("from receipt", received)}${
    row("from the venue's time", exchange)
  }</table>`;
}

function curve({ received, exchange }: ExitLatency): string {
  const shares = Array.from({ length: CURVE_POINTS + 1 }, (_, i) => (i / CURVE_POINTS) * NINES);
  const pointsOf = (one: ExitLatency["received"]): Point[] =>
    one.count === 0 ? [] : shares.filter((nines) => 10 ** nines <= one.count)
      .map((nines) => [nines, one.quantile(1 - 10 ** -nines || 1 / one.count)!]);
  const lines = { received: pointsOf(received), exchange: pointsOf(exchange) };
  const ticks = Array.from(
    { length: NINES + 1 },
    (_, n): [number, string] => [n, n === 0 ? "0" : `${100 - 10 ** (2 - n)}%`],
  );
  return chart(
    lines,
    NINES,
    ticks.map(([n, text]) => [n, n > 2 ? `${(100 - 10 ** (2 - n)).toFixed(n - 2)}%` : text]),
  );
}

function timeline(periods: readonly LatencyPeriod[]): string {
  const start_s = periods[0]?.at_s ?? 0;
  const span_s = Math.max(1, (periods.at(-1)?.at_s ?? 0) - start_s);
  const line = (pick: (one: LatencyPeriod) => number): Point[] =>
    periods.map((one) => [one.at_s - start_s, pick(one)]);
  const lines = {
    p50: line((one) => one.p50_us),
    p99: line((one) => one.p99_us),
    max: line((one) => one.max_us),
  };
  const ticks = Array.from({ length: 6 }, (_, i): [number, string] => {
    const at_s = span_s * i / 5;
    return [at_s, `${rounded(at_s)} s`];
  });
  return chart(lines, span_s, ticks);
}

/** Lines by class name; y is microseconds on a logarithmic scale. */
function chart(
  lines: Readonly<Record<string, readonly Point[]>>,
  x_max: number,
  x_ticks: readonly [number, string][],
): string {
  const values = Object.values(lines).flat().map(([, y]) => y).filter((y) => y > 0);
  const low = Math.floor(Math.log10(Math.min(...values, 1)));
  const high = Math.max(low + 1, Math.ceil(Math.log10(Math.max(...values, 10))));
  const x = (value: number) => LEFT + (WIDTH - LEFT - RIGHT) * value / x_max;
  const y = (us: number) =>
    TOP + (HEIGHT - TOP - BOTTOM) * (high - Math.log10(Math.max(us, 10 ** low))) / (high - low);
  const grid = Array.from({ length: high - low + 1 }, (_, i) => low + i).map((power) => {
    const at = y(10 ** power).toFixed(1);
    return `<line class="grid" x1="${LEFT}" x2="${WIDTH - RIGHT}" y1="${at}" y2="${at}"/>` +
      `<text x="${LEFT - 8}" y="${Number(at) + 4}" text-anchor="end">${time(10 ** power)}</text>`;
  });
  const labels = x_ticks.map(([value, text]) =>
    `<text x="${x(value).toFixed(1)}" y="${HEIGHT - 18}" text-anchor="middle">${text}</text>`
  );
  const paths = Object.entries(lines).filter(([, points]) => points.length > 0).map(([name, points]) => {
    const steps = points.map(([at, us], i) =>
      `${i === 0 ? "M" : "L"}${x(at).toFixed(1)} ${y(us).toFixed(1)}`
    );
    return `<path class="${name}" d="${steps.join("")}"/>`;
  });
  const legend = Object.keys(lines).map((name, i) =>
    `<line class="${name}" stroke-width="3" x1="${LEFT + 10 + 110 * i}" x2="${LEFT + 34 + 110 * i}" y1="${
      TOP + 6
    }" y2="${TOP + 6}"/>` +
    `<text x="${LEFT + 40 + 110 * i}" y="${TOP + 10}">${name}</text>`
  );
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" role="img">${
    [...grid, ...labels, ...paths, ...legend].join("")
  }</svg>`;
}

function time(us: number | undefined): string {
  if (us === undefined) return "";
  if (us < 1_000) return `${rounded(us)} µs`;
  return us < 1_000_000 ? `${rounded(us / 1_000)} ms` : `${rounded(us / 1_000_000)} s`;
}
function escaped(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;").replaceAll(
    '"',
    "&quot;",
  );
}
