/** Pages as prom-client and others print them. */
import assert from "node:assert/strict";
import { bucketQuantile, bucketsSince, MetricsPage } from "../../../lib/formats/prometheus_text.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { Metrics } from "../../../lib/base/metrics.ts";
import { Exposition } from "../../../lib/servers/health/exposition.ts";

const HISTOGRAM = `# TYPE wait histogram
wait_bucket{le="1",symbol="A"} 10
wait_bucket{le="2",symbol="A"} 30
wait_bucket{le="+Inf",symbol="A"} 40
wait_bucket{le="1",symbol="B"} 0
wait_bucket{le="2",symbol="B"} 0
wait_bucket{le="+Inf",symbol="B"} 60
`;

Deno.test("what our own exposition writes is read back, hostile label values too", async () => {
  const metrics = new Metrics();
  const hostile = 'a"b\\c\nd} 5';
  metrics.counter("frames_total", "Frames", ["venue", "outcome"]).with(hostile, "events").value = 7;
  metrics.counter("frames_total", "Frames", ["venue", "outcome"]).with("x", "events").value = 1e21;
  metrics.gauge("plain", "Plain").with().value = -0.5;
  metrics.histogram("wait", "Wait", ["symbol"], [1, 2]).with("A").observe(1.5);
  const page = await MetricsPage.read(await new Exposition(metrics, silentLog).render());
  assert.equal(page.unread, 0);
  assert.equal(page.value("frames_total", { venue: hostile }), 7);
  assert.equal(page.sum("frames_total", { outcome: "events" }), 1e21 + 7);
  assert.equal(page.value("plain"), -0.5);
  assert.deepEqual(page.buckets("wait"), [{ le: 1, count: 0 }, { le: 2, count: 1 }, {
    le: Infinity,
    count: 1,
  }]);
  assert.deepEqual([page.value("absent"), page.sum("absent"), page.has("absent")], [
    undefined,
    undefined,
    false,
  ]);
});

Deno.test("timestamps, infinities, blanks; what is no sample is counted, not guessed", async () => {
  const page = await MetricsPage.read(
    'a 1 1700000000000\nb{x="1" , y="2",} +Inf\nc NaN\nbroken{x="1 5\nno_value\n9lives 3\nd 0x10\n\n# HELP a b\n',
  );
  assert.equal(page.value("a"), 1);
  assert.equal(page.value("b", { x: "1", y: "2" }), Infinity);
  assert.ok(Number.isNaN(page.value("c")));
  assert.equal(page.unread, 4);
});

Deno.test("quantiles as Prometheus estimates them; the bucket without an end gives its beginning", async () => {
  const page = await MetricsPage.read(HISTOGRAM);
  const a = page.buckets("wait", { symbol: "A" });
  assert.equal(bucketQuantile(0.25, a), 1);
  assert.equal(bucketQuantile(0.5, a), 1.5);
  assert.equal(bucketQuantile(0.99, a), 2);
  assert.deepEqual(page.buckets("wait").map(({ count }) => count), [10, 30, 100]);
  assert.equal(bucketQuantile(0.5, []), undefined);
  assert.equal(bucketQuantile(0.5, page.buckets("wait", { symbol: "nobody" })), undefined);
});

Deno.test("between two readings only the new counts; after a restart all of them", () => {
  const before = [{ le: 1, count: 5 }, { le: Infinity, count: 8 }];
  assert.deepEqual(bucketsSince([{ le: 1, count: 6 }, { le: Infinity, count: 12 }], before), [
    { le: 1, count: 1 },
    { le: Infinity, count: 4 },
  ]);
  const restarted = [{ le: 1, count: 6 }, { le: Infinity, count: 7 }];
  assert.deepEqual(bucketsSince(restarted, before), restarted);
});
