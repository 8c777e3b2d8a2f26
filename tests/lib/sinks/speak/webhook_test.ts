/** A webhook that is down, slow, overloaded, refusing; what is lost is counted and told, and secrets stay secret. */
import assert from "node:assert/strict";
import { type Clock, systemClock, withDeadline } from "../../../../lib/base/clock.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { AlertMetrics } from "../../../../lib/sinks/speak/alert_metrics.ts";
import { Webhook, type WebhookSettings } from "../../../../lib/sinks/speak/webhook.ts";
import { alertOf } from "./alert_of.ts";
import { countOf, logInto } from "./log_lines.ts";
import { WebhookServer } from "./webhook_server.ts";

const SECRET = "hunter2-hunter2";
const PATIENCE_MS = 10_000;
const DEADLINE_MS = 5_000;

/** Real time, but pauses between attempts are cut short, and remembered; what bounds an honest answer is not. */
function hastyClock(waits: number[]): Clock {
  return {
    ...systemClock,
    after(delay_ms, callback) {
      waits.push(delay_ms);
      const is_deadline = delay_ms === PATIENCE_MS || delay_ms === DEADLINE_MS;
      return systemClock.after(is_deadline ? delay_ms : Math.min(delay_ms, 20), callback);
    },
  };
}

class Stage {
  readonly metrics = new Metrics();
  readonly lines: string[] = [];
  readonly waits: number[] = [];
  readonly webhook: Webhook;
  constructor(url: string, settings: Partial<WebhookSettings> = {}, clock: Clock = hastyClock(this.waits)) {
    this.webhook = new Webhook({
      url,
      secret: SECRET,
      header: "x-mdg-secret",
      text_key: "text",
      deadline_ms: DEADLINE_MS,
      attempts: 3,
      max_queued: 1_000,
      ...settings,
    }, {
      sink: "speak",
      clock,
      log: logInto(this.lines),
      metrics: new AlertMetrics(this.metrics, "speak"),
      seed: "test",
    });
  }
  push(...ids: number[]): void {
    for (const id of ids) this.webhook.push(alertOf(id));
  }
  dropped(reason: string): number {
    return countOf(this.metrics, "alerts_dropped_total", "webhook", reason);
  }
  get posted(): number {
    return countOf(this.metrics, "alerts_posted_total");
  }
  close(deadline_ms = PATIENCE_MS): Promise<void> {
    return withDeadline(systemClock, PATIENCE_MS, "close", this.webhook.close(deadline_ms));
  }
  /** Neither in logs nor in what /ready would say. */
  noSecrets(url: string): void {
    const told = [...this.lines, this.webhook.notReady() ?? ""].join("\n");
    const { pathname, search } = new URL(url);
    for (const secret of [SECRET, pathname, search.slice(1), "T0KEN-in-path", "also-secret"]) {
      if (secret.length > 1) assert.ok(!told.includes(secret), `told "${secret}": ${told}`);
    }
  }
}
const idsOf = (server: WebhookServer) => server.alerts.map(({ values }) => values.id);

Deno.test("posts in order, many in one, with header, numbers and times", async () => {
  await using server = new WebhookServer();
  const stage = new Stage(server.url, { text_key: "content" });
  stage.webhook.push(
    alertOf(0, { venue: "kraken", symbol: "BTC/USD", resolved: true, values: { id: 0, price: 65000.5 } }),
  );
  stage.push(...Array.from({ length: 250 }, (_, i) => i + 1));
  await stage.close();
  assert.deepEqual(idsOf(server), Array.from({ length: 251 }, (_, i) => i));
  assert.deepEqual(server.posts.map(({ body }) => body.alerts.length), [100, 100, 51]);
  const [{ headers, body }] = server.posts;
  assert.equal(headers.get("x-mdg-secret"), SECRET);
  assert.equal(headers.get("content-type"), "application/json");
  const { at, ...first } = body.alerts[0];
  assert.match(at, /^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  assert.deepEqual(first, {
    rule: "rule",
    priority: "normal",
    venue: "kraken",
    symbol: "BTC/USD",
    text: "alert 0",
    resolved: true,
    values: { id: 0, price: 65000.5 },
  });
  assert.match(String(body.content), /^alert 0\nalert 1\n/);
  assert.equal(body.lost, 0);
  assert.equal(stage.posted, 251);
  stage.noSecrets(server.url);
});

Deno.test("500, then fine: nothing is lost, nothing doubled, and meanwhile it is not ready", async () => {
  await using server = new WebhookServer();
  const stage = new Stage(server.url);
  server.answer = (attempt) => {
    if (attempt === 2) assert.equal(stage.webhook.notReady(), "webhook: status 500");
    return attempt < 3 ? 500 : 204;
  };
  stage.push(1, 2);
  await stage.close();
  assert.deepEqual(idsOf(server), [1, 2]);
  assert.equal(server.attempts, 3);
  assert.equal(stage.webhook.notReady(), undefined);
  assert.equal(countOf(stage.metrics, "webhook_failed_posts_total"), 2);
  stage.noSecrets(server.url);
});

Deno.test("500 for ever: attempts are bounded, alerts are counted, the next post tells how many", async () => {
  await using server = new WebhookServer();
  server.answer = (attempt) => attempt <= 3 ? 500 : 200;
  const stage = new Stage(server.url);
  stage.push(1, 2);
  await server.until(() => server.attempts === 3);
  stage.push(3);
  await stage.close();
  assert.deepEqual(server.posts.map(({ body }) => [body.lost, body.alerts.length]), [[2, 1]]);
  assert.equal(stage.dropped("failed"), 2);
  assert.ok(stage.lines.some((line) => line.includes('"gives_up":true')));
  stage.noSecrets(server.url);
});

Deno.test("slow: each attempt ends at its deadline", async () => {
  await using server = new WebhookServer();
  server.answer = () => "hold";
  const stage = new Stage(server.url, { deadline_ms: 1_234 });
  stage.push(1);
  await stage.close();
  assert.equal(stage.waits.filter((wait) => wait === 1_234).length, 3);
  assert.equal(stage.dropped("failed"), 1);
  assert.ok(stage.lines.some((line) => line.includes("no answer within 1234 ms")));
  stage.noSecrets(server.url);
});

Deno.test("down: told without the address, and bounded", async () => {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const url = `http://127.0.0.1:${listener.addr.port}/T0KEN-in-path?key=also-secret`;
  listener.close();
  const stage = new Stage(url);
  stage.push(1);
  await stage.close();
  assert.equal(stage.dropped("failed"), 1);
  assert.ok(stage.lines.length > 0 && stage.lines.some((line) => line.includes("127.0.0.1")));
  stage.noSecrets(url);
});

Deno.test("refused for good: not tried again; a redirect is not followed", async () => {
  for (const status of [400, 401, 404, 410, 302]) {
    await using server = new WebhookServer();
    await using elsewhere = new WebhookServer();
    server.answer = () => status === 302 ? { status, headers: { location: elsewhere.url } } : status;
    const stage = new Stage(server.url);
    stage.push(1);
    await stage.close();
    assert.equal(server.attempts, 1);
    assert.equal(elsewhere.attempts, 0);
    assert.equal(stage.dropped("refused"), 1);
    stage.noSecrets(server.url);
  }
});

Deno.test("429 and its retry-after are kept, within a bound", async () => {
  for (const [header, wait_ms] of [["7", 7_000], ["99999", 60_000]] as const) {
    await using server = new WebhookServer();
    server.answer = (attempt) => attempt === 1 ? { status: 429, headers: { "retry-after": header } } : 200;
    const stage = new Stage(server.url);
    stage.push(1);
    await stage.close();
    assert.equal(stage.posted, 1);
    assert.ok(stage.waits.includes(wait_ms), `${stage.waits}`);
  }
});

Deno.test("full: the oldest go, counted and told", async () => {
  await using server = new WebhookServer();
  const stage = new Stage(server.url, { max_queued: 10 });
  stage.push(...Array.from({ length: 25 }, (_, i) => i));
  await stage.close();
  assert.deepEqual(idsOf(server), [15, 16, 17, 18, 19, 20, 21, 22, 23, 24]);
  assert.equal(stage.dropped("full"), 15);
  assert.equal(server.posts[0].body.lost, 15);
});

Deno.test("closing with the webhook stuck ends at its deadline, and counts what is left", async () => {
  await using server = new WebhookServer();
  server.answer = () => "hold";
  const stage = new Stage(server.url, { deadline_ms: 60_000 }, systemClock);
  stage.push(...Array.from({ length: 150 }, (_, i) => i));
  await server.until(() => server.attempts === 1);
  await stage.close(50);
  stage.push(1);
  assert.equal(stage.dropped("shutdown"), 151);
  assert.equal(stage.webhook.queued, 0);
});
