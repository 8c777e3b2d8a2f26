/** The report's page opens in a browser as a chart with curves; without a browser, it is one well-formed file. */
import assert from "node:assert/strict";
import { latencyPage } from "../../commands/replay/latency_page.ts";
import { reportJson } from "../../commands/replay/latency_report.ts";
import { HistogramValue } from "../../lib/base/metrics.ts";
import { Random } from "../../lib/base/random.ts";
import { ExitLatency } from "../../lib/flow/latency_record.ts";

function exitWith(count: number): ExitLatency {
  const metric = () => new HistogramValue(Float64Array.from([1, 10]));
  const exit = new ExitLatency("payload queued", metric(), metric(), 0);
  const random = new Random("page");
  for (let i = 0; i < count; i++) exit.observe(5 + 50 * random.unit() ** 8, 10_000, i * 10);
  exit.closePeriod(count * 10);
  return exit;
}

Deno.test("the page: figures, both charts, names made harmless; nothing to load", () => {
  const page = latencyPage('<script>"x"</script>', { exit: exitWith(5_000), worst_lateness_ms: 1.5 });
  assert.equal(page.match(/<svg /g)!.length, 2);
  assert.equal(page.match(/<path class="(received|exchange|p50|p99|max)"/g)!.length, 5);
  assert.doesNotMatch(page, /<script|NaN|undefined|Infinity|https?:/);
  assert.match(page, /p99\.9/);
});

Deno.test("nothing played is said", () => {
  assert.match(latencyPage("x", { exit: undefined, worst_lateness_ms: 0 }), /Nothing went out/);
  assert.deepEqual(JSON.parse(reportJson({ exit: undefined, worst_lateness_ms: 0 })).from_receipt, null);
  const { from_receipt } = JSON.parse(reportJson({ exit: exitWith(100), worst_lateness_ms: 0 }));
  assert.equal(from_receipt.count, 100);
  assert.ok(from_receipt.p50_us <= from_receipt.p99_us && from_receipt.p99_us <= from_receipt.max_us);
});
