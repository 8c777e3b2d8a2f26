/** Alert rules by Prometheus's own tool: valid, tested, each test able to fail, each alert explained to who is woken. */
import assert from "node:assert/strict";
import { parse } from "yaml";
import { inFolder } from "../in_folder.ts";
import { serviceTest } from "../services.ts";
import { runProgram } from "./image_builder.ts";
import { alertRules, ruleFile, RULES_FOLDER } from "./alert_rules.ts";
import { metricNames } from "./promql_names.ts";

const folder = RULES_FOLDER;
const rules = alertRules();

serviceTest("promtool", "promtool takes the rules and the scrape config", async (promtool) => {
  for (const args of [["check", "rules", "alerts.yml"], ["check", "config", "prometheus.yml"]]) {
    const { code, stdout, stderr } = await runProgram(promtool, [
      ...args.slice(0, 2),
      `${folder}/${args[2]}`,
    ]);
    assert.equal(code, 0, stdout + stderr);
    assert.match(stdout, /SUCCESS/);
  }
});

serviceTest("promtool", "the alerts fire when they should, and only then", async (promtool) => {
  const { code, stdout, stderr } = await runProgram(promtool, ["test", "rules", `${folder}/alerts_test.yml`]);
  assert.equal(code, 0, stdout + stderr);
});

serviceTest("promtool", "an alert that never fires fails a test", (promtool) =>
  inFolder(async (work) => {
    await Deno.copyFile(`${folder}/alerts_test.yml`, `${work}/alerts_test.yml`);
    const silenced = ruleFile();
    for (const group of silenced.groups) {
      for (const rule of group.rules) rule.expr = "vector(0) > 1";
    }
    // JSON is YAML
    await Deno.writeTextFile(`${work}/alerts.yml`, JSON.stringify(silenced));
    const { code, stdout, stderr } = await runProgram(promtool, ["test", "rules", `${work}/alerts_test.yml`]);
    assert.equal(code, 1);
    const missed = new Set(
      [...(stdout + stderr).matchAll(/exp:\s*(.*?)\s*got:/gs)].flatMap(([, expected]) =>
        [...expected.matchAll(/alertname="(\w+)"/g)].map((one) => one[1])
      ),
    );
    assert.deepEqual([...missed].sort(), rules.map(({ alert }) => alert).sort());
  }));

Deno.test("each alert's tests have a moment at which it does not fire", () => {
  interface Moment {
    exp_samples: { labels: string }[];
  }
  const tests: { promql_expr_test?: Moment[] }[] = parse(
    Deno.readTextFileSync(`${folder}/alerts_test.yml`),
  ).tests;
  for (const { alert } of rules) {
    const fires = ({ exp_samples }: Moment) =>
      exp_samples.some(({ labels }) => labels.includes(`"${alert}"`));
    const own = tests.filter(({ promql_expr_test = [] }) => promql_expr_test.some(fires));
    assert.ok(own.some(({ promql_expr_test }) => !promql_expr_test!.every(fires)), alert);
  }
});

Deno.test("each alert has a name of its own, a severity and words", () => {
  assert.equal(new Set(rules.map(({ alert }) => alert)).size, rules.length);
  for (const { alert, labels, annotations } of rules) {
    assert.ok(["critical", "warning"].includes(labels.severity), alert);
    assert.ok(annotations.summary.length > 10, alert);
  }
});

Deno.test("names of metrics are found in any expression", () => {
  assert.deepEqual(
    metricNames(
      'sum by (le, a) (rate(x_bucket{b="not_me", c=~"y.*"}[5m] offset 1m)) / on (instance) group_left (d) z_total > 5e3 or up',
    ),
    [
      { name: "x_bucket", labels: ["b", "c"] },
      { name: "z_total", labels: [] },
      { name: "up", labels: [] },
    ],
  );
});
