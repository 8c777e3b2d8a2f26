/**
 * A dashboard as data → Grafana's JSON. `$I` in a query stands for the chosen gateways. Positions, ids and colours are
 * made here, so that the lists of panels say only what is shown and why.
 */

export interface Panel {
  title: string;
  /** What it means and when to look, for the person on call. */
  help: string;
  kind?: "graph" | "number" | "states" | "table" | "heatmap";
  /** Grafana's word: s, µs, bytes, Bps, cps, short, percentunit, dtdurations … */
  unit: string;
  /** Of 24 columns. */
  width?: number;
  queries: readonly (readonly [expr: string, legend: string])[];
  /** From here on it is yellow, and from here on red. */
  warn?: number;
  bad?: number;
  /** Less is worse: below `bad` red. */
  is_falling?: true;
  min?: number;
  max?: number;
}

export interface Dashboard {
  uid: string;
  title: string;
  rows: readonly { title: string; panels: readonly Panel[] }[];
}

const DATASOURCE = { type: "prometheus", uid: "prometheus" };
const TYPES = {
  graph: "timeseries",
  number: "stat",
  states: "state-timeline",
  table: "table",
  heatmap: "heatmap",
} as const;
const COLUMNS = 24;
const HEIGHTS = { graph: 8, number: 4, states: 8, table: 8, heatmap: 8 };

export function grafanaJson(dashboard: Dashboard): Record<string, unknown> {
  const panels: Record<string, unknown>[] = [];
  let id = 0;
  let y = 0;
  for (const row of dashboard.rows) {
    const gridPos = { x: 0, y: y++, w: COLUMNS, h: 1 };
    panels.push({ id: ++id, type: "row", title: row.title, collapsed: false, panels: [], gridPos });
    let x = 0;
    let height = 0;
    for (const panel of row.panels) {
      const kind = panel.kind ?? "graph";
      const w = panel.width ?? (kind === "number" ? 4 : 8);
      if (x + w > COLUMNS) [x, y, height] = [0, y + height, 0];
      panels.push(panelJson(panel, ++id, { x, y, w, h: HEIGHTS[kind] }));
      x += w;
      height = Math.max(height, HEIGHTS[kind]);
    }
    y += height;
  }
  return {
    uid: dashboard.uid,
    title: dashboard.title,
    tags: ["mdg"],
    schemaVersion: 39,
    version: 1,
    editable: true,
    graphTooltip: 1,
    time: { from: "now-1h", to: "now" },
    refresh: "10s",
    timezone: "browser",
    links: [{
      type: "dashboards",
      title: "mdg",
      tags: ["mdg"],
      asDropdown: true,
      keepTime: true,
      includeVars: true,
    }],
    templating: { list: [instanceVariable()] },
    annotations: { list: [] },
    panels,
  };
}

function instanceVariable() {
  const query = "label_values(mdg_build_info, instance)";
  return {
    name: "instance",
    label: "Gateway",
    type: "query",
    datasource: DATASOURCE,
    definition: query,
    query: { query, refId: "instances" },
    refresh: 2,
    multi: true,
    includeAll: true,
    allValue: ".*",
    current: { text: "All", value: "$__all" },
  };
}

function panelJson(panel: Panel, id: number, gridPos: Record<string, number>) {
  const kind = panel.kind ?? "graph";
  const is_instant = kind === "number" || kind === "table";
  return {
    id,
    type: TYPES[kind],
    title: panel.title,
    description: panel.help,
    datasource: DATASOURCE,
    gridPos,
    targets: panel.queries.map(([expr, legend], i) => ({
      refId: String.fromCharCode(65 + i),
      datasource: DATASOURCE,
      expr: expr.replaceAll("$I", 'instance=~"$instance"'),
      legendFormat: legend,
      ...is_instant ? { instant: true, range: false } : { range: true },
      ...kind === "table" || kind === "heatmap" ? { format: kind } : {},
    })),
    fieldConfig: {
      defaults: {
        unit: panel.unit,
        ...panel.min === undefined ? {} : { min: panel.min },
        ...panel.max === undefined ? {} : { max: panel.max },
        color: { mode: panel.bad === undefined ? "palette-classic" : "thresholds" },
        thresholds: { mode: "absolute", steps: thresholds(panel) },
        ...kind === "graph"
          ? {
            color: { mode: "palette-classic" },
            custom: { lineWidth: 1, fillOpacity: 8, showPoints: "never" },
          }
          : {},
      },
      overrides: [],
    },
    options: optionsOf(kind),
  };
}

function thresholds({ warn, bad, is_falling }: Panel): { color: string; value: number | null }[] {
  if (bad === undefined) return [{ color: "green", value: null }];
  const middle = warn === undefined ? [] : [{ color: "yellow", value: is_falling ? bad : warn }];
  return is_falling
    ? [{ color: "red", value: null }, ...middle, { color: "green", value: warn ?? bad }]
    : [{ color: "green", value: null }, ...middle, { color: "red", value: bad }];
}

function optionsOf(kind: keyof typeof TYPES): Record<string, unknown> {
  switch (kind) {
    case "graph":
      return {
        legend: { displayMode: "list", placement: "bottom", calcs: [] },
        tooltip: { mode: "multi", sort: "desc" },
      };
    case "number":
      return { reduceOptions: { calcs: ["lastNotNull"] }, colorMode: "background", graphMode: "none" };
    case "states":
      return { mergeValues: true, showValue: "never", legend: { showLegend: false } };
    case "heatmap":
      return { calculate: false, yAxis: { unit: "µs" }, color: { scheme: "Spectral", mode: "scheme" } };
    case "table":
      return { showHeader: true };
  }
}

/** Quantiles of a histogram, one query each. */
export function quantiles(
  metric: string,
  by: string,
  legend: string,
  wanted: readonly number[] = [0.5, 0.99],
): [string, string][] {
  const labels = by === "" ? "le" : `${by}, le`;
  return wanted.map((q) => [
    `histogram_quantile(${q}, sum by (${labels}) (rate(${metric}_bucket{$I}[$__rate_interval])))`,
    `p${q * 100} ${legend}`.trim(),
  ]);
}

/** Per second, summed by these labels. */
export function perSecond(metric: string, by: string): string {
  return `sum by (${by}) (rate(${metric}{$I}[$__rate_interval]))`;
}

/** How many in the last hour, by these labels. */
export function lastHour(metric: string, by: string): string {
  return `sum by (${by}) (increase(${metric}{$I}[1h]))`;
}
