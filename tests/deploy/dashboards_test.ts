/**
 * Dashboards and alerts against a gateway that has every part: no name and no label that its page does not have, and
 * Prometheus itself answers each query, with data wherever the page has any.
 */
import assert from "node:assert/strict";
import { dashboardFiles } from "../../scripts/dashboards.ts";
import { until } from "../end_to_end/until.ts";
import { redisServerMissing } from "../live/redis_server.ts";
import { path } from "../mdg_process.ts";
import { serviceAddress, testUnless } from "../services.ts";
import { alertRules } from "./alert_rules.ts";
import { withEveryPart } from "./every_part.ts";
import { familiesOf, type Family, familyOf } from "./metrics_page.ts";
import { PrometheusProcess } from "./prometheus_process.ts";
import { groupingLabels, metricNames } from "./promql_names.ts";

interface Panel {
  id: number;
  type: string;
  title: string;
  description?: string;
  gridPos: { x: number; y: number; w: number; h: number };
  targets?: { expr: string; legendFormat: string }[];
}

const FOLDER = path("deploy/grafana/dashboards");
/** Made by Prometheus, not by a gateway. */
const OF_PROMETHEUS = new Set(["up", "ALERTS"]);
const OF_SCRAPES = ["instance", "job", "le"];

const dashboards = [...Deno.readDirSync(FOLDER)].map(({ name }) => ({
  name,
  text: Deno.readTextFileSync(`${FOLDER}/${name}`),
}));
const panels = dashboards.flatMap(({ name, text }) =>
  (JSON.parse(text).panels as Panel[]).map((panel) => ({ ...panel, name }))
);
const queries = [
  ...panels.flatMap(({ name, title, targets = [] }) =>
    targets.map(({ expr, legendFormat }) => ({ where: `${name}: ${title}`, expr, legend: legendFormat }))
  ),
  ...alertRules().map(({ alert, expr, annotations }) => ({
    where: alert,
    expr,
    legend: annotations.summary.replaceAll("$labels.", ""),
  })),
];

Deno.test("the dashboards are what their lists make", () => {
  assert.deepEqual(
    new Map(dashboards.map(({ name, text }) => [name, text])),
    dashboardFiles(),
    "run: deno task dashboards",
  );
});

Deno.test("panels have a place of their own, words, and queries for the chosen gateways", () => {
  for (const { name, text } of dashboards) {
    const { panels, uid } = JSON.parse(text) as { panels: Panel[]; uid: string };
    assert.match(uid, /^mdg-/);
    assert.equal(new Set(panels.map(({ id }) => id)).size, panels.length, name);
    const taken = new Set<string>();
    for (const { title, type, gridPos: { x, y, w, h }, description, targets = [] } of panels) {
      assert.ok(x + w <= 24, `${name}: ${title} is too wide`);
      for (let i = 0; i < w * h; i++) {
        const cell = `${x + i % w}:${y + Math.floor(i / w)}`;
        assert.ok(!taken.has(cell), `${name}: ${title} lies on another panel`);
        taken.add(cell);
      }
      if (type === "row") continue;
      assert.ok((description ?? "").length > 10, `${name}: ${title} has no words`);
      assert.ok(
        targets.length > 0 && targets.every(({ expr }) => expr.includes('instance=~"$instance"')),
        title,
      );
    }
  }
});

/** What is asked and not there, told for people. */
function strangers(families: Map<string, Family>): string[] {
  return queries.flatMap(({ where, expr, legend }) => {
    const asked = metricNames(expr).filter(({ name }) => !OF_PROMETHEUS.has(name));
    const known = new Set(OF_SCRAPES);
    const faults = asked.flatMap(({ name, labels }) => {
      const family = familyOf(families, name);
      if (!family) return [`${where}: no metric ${name}`];
      if (/_bucket$/.test(name) && family.kind !== "histogram") return [`${where}: ${name} is no histogram`];
      family.labels.forEach((label) => known.add(label));
      return labels.filter((label) => !family.labels.has(label) && !OF_SCRAPES.includes(label))
        .map((label) => `${where}: ${name} has no label ${label}`);
    });
    const shown = [...legend.matchAll(/\{\{\s*(\w+)/g)].map((one) => one[1]);
    const used = [...groupingLabels(expr), ...shown].filter((label) => asked.length > 0 && !known.has(label));
    return [...faults, ...used.map((label) => `${where}: nothing has a label ${label}`)];
  });
}

const openssl = serviceAddress("openssl");
const prometheus = serviceAddress("prometheus");
const missing = redisServerMissing() ??
  [openssl, prometheus].flatMap((one) => "missing" in one ? [one.missing] : []).at(0);

testUnless(missing, "each metric of dashboards and alerts exists, and Prometheus shows it", async () => {
  if (!("address" in openssl && "address" in prometheus)) return;
  await withEveryPart(openssl.address, async (gateway) => {
    const target = new URL(gateway.health_url).host;
    await using server = await PrometheusProcess.start(prometheus.address, target);
    await until("some scrapes", async () => {
      const { data } = await server.query("count_over_time(up[1m]) >= 4 and on () up == 1");
      return data.result.length > 0;
    }, 30_000);
    const families = familiesOf(await gateway.metricsText());
    assert.deepEqual(strangers(families), []);

    const asked = queries.map(({ where, expr }) => {
      const has_data = metricNames(expr).every(({ name }) => (familyOf(families, name)?.samples ?? 0) > 0);
      const is_condition = /[<>]|==|unless/.test(expr.replace("feed_data_expected", ""));
      const filled = expr.replaceAll("$instance", ".*").replaceAll("$__rate_interval", "10s");
      return { where, expr: filled, shows: has_data && !is_condition };
    });
    for (const { where, expr, shows } of asked) {
      // What has but just begun to count has no rate before its second scrape.
      await until(`${where}: what the page has samples of: ${expr}`, async () => {
        const { status, error, data } = await server.query(expr);
        assert.equal(status, "success", `${where}: ${error}: ${expr}`);
        return !shows || data.result.length > 0;
      });
    }

    const rules = await until("all rules evaluated", async () => {
      const rules = await server.rules();
      return rules.every(({ health }) => health !== "unknown") && rules;
    });
    assert.deepEqual(rules.filter(({ health }) => health !== "ok"), []);
    assert.equal(rules.length, alertRules().length);
    const pending = rules.filter(({ state }) => state !== "inactive").map(({ name }) => name);
    // RabbitMQ and PostgreSQL are away there, three symbols never spoke
    for (const name of ["MdgSinkAway", "MdgSourceAway", "MdgFeedNeverSpoke", "MdgBookOutOfSync"]) {
      assert.ok(pending.includes(name), `${name}: ${pending}`);
    }
  });
});
