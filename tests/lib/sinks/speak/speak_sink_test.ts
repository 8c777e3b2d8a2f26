/** The sink as the gateway drives it: what is around it, a voice that is missing, secrets. The webhook is real. */
import assert from "node:assert/strict";
import { ManualClock, nextTurn } from "../../../../lib/base/clock.ts";
import { knownSecrets } from "../../../../lib/base/known_secrets.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { masked } from "../../../../lib/config/secret.ts";
import { DELIVERED } from "../../../../lib/flow/delivery_target.ts";
import { Dispatcher } from "../../../../lib/flow/dispatcher.ts";
import type { Sink } from "../../../../lib/sinks/sink.ts";
import { speak, SPEAK_SCHEMA } from "../../../../lib/sinks/speak.ts";
import { countOf, logInto } from "./log_lines.ts";
import { WebhookServer } from "./webhook_server.ts";

/** Deno looks at its sockets once in 61 turns. */
const TURNS = 130;
const TRADE = { kind: "trade", venue: "kraken", symbol: "BTC/USD", quantity: 1, received_us: 1 } as const;

class Stage {
  readonly clock = new ManualClock();
  readonly metrics = new Metrics();
  readonly lines: string[] = [];
  readonly log = logInto(this.lines);
  readonly hub = new Dispatcher(this.clock, this.log, this.metrics, "1.2.3");
  sink!: Sink;

  static async open(config: Record<string, unknown>): Promise<Stage> {
    const stage = new Stage();
    const { clock, log, metrics, hub } = stage;
    stage.sink = await speak.connect(SPEAK_SCHEMA.parse(config), {
      name: "speak",
      clock,
      log,
      metrics,
      seed: "test",
      writable() {},
      surroundings: hub,
    });
    return stage;
  }
  /** In steps, each after enough turns of the event loop for sockets to deliver what was sent. */
  async pass(seconds: number): Promise<void> {
    for (let i = 0; i < seconds * 4; i++) {
      for (let turn = 0; turn < TURNS; turn++) await nextTurn();
      this.clock.advance(250);
    }
    for (let turn = 0; turn < TURNS; turn++) await nextTurn();
  }
  /** Time goes on until everything has let go. */
  async close(): Promise<void> {
    let is_closed = false;
    const closing = Promise.resolve(this.sink[Symbol.asyncDispose]()).finally(() => is_closed = true);
    await this.until(() => is_closed);
    await closing;
    assert.equal(this.clock.pending, 0, "a timer was left");
  }
  /** Time goes on until it holds: what answers is another process or a socket. */
  async until(holds: () => boolean): Promise<void> {
    for (let i = 0; !holds(); i++) {
      assert.ok(i < 600, `not so after ten minutes: ${holds}`);
      await this.pass(1);
    }
  }
}

Deno.test("a sink that is down and one that comes back are told, with its reason for programs", async () => {
  await using server = new WebhookServer();
  const stage = await Stage.open({ engine: "none", webhook: { url: server.url } });
  let reason: string | undefined = "connection refused";
  stage.hub.addReadiness({ name: "redis", notReady: () => reason }, "sink");
  stage.hub.addReadiness({ name: "live", notReady: () => "not connected" }, "source");
  stage.hub.addReadiness({ name: "someone", notReady: () => "whatever" });
  stage.hub.addReadiness({ name: "speak", notReady: () => "itself" }, "sink");
  await stage.pass(9);
  assert.equal(server.attempts, 0);
  await stage.until(() => server.alerts.length === 1);
  reason = undefined;
  await stage.until(() => server.alerts.length === 2);
  const told = server.alerts.map(({ rule, text, resolved, values }) => [rule, text, resolved, values.reason]);
  assert.deepEqual(told, [
    ["sink_down", "sink redis down for 10 seconds", false, "connection refused"],
    ["sink_down", told[1][1], true, undefined],
  ]);
  await stage.close();
});

Deno.test("an update that raises an alert counts as delivered, others are not wanted", async () => {
  const stage = await Stage.open({ dry_run: true, rules: [{ when: "price_crosses", level: 65_000 }] });
  assert.equal(stage.sink.takes!("trade"), true);
  assert.equal(stage.sink.takes!("quote"), false);
  assert.equal(stage.sink.encode({ ...TRADE, price: 64_999 }), undefined);
  assert.equal(stage.sink.encode({ ...TRADE, price: 65_000.5 }), DELIVERED);
  await stage.pass(2);
  assert.equal(countOf(stage.metrics, "alerts_raised_total", "price_crosses"), 1);
  assert.ok(
    stage.lines.some((line) =>
      line.startsWith('would be spoken {"spoken":"B T C, U S dollar up through 65000, now 65000.5."')
    ),
    stage.lines.join("\n"),
  );
  assert.equal(stage.sink.notReady(), undefined);
  await stage.close();
});

Deno.test("a voice that is missing: not ready, told how to get it, alerts counted, the gateway goes on", async () => {
  // there is no SAPI outside of Windows, nor `say` outside of macOS
  const engine = Deno.build.os === "darwin" ? "sapi" : "say";
  const stage = await Stage.open({ engine, rules: [{ when: "price_crosses", level: 100 }] });
  await stage.until(() => stage.sink.notReady() !== undefined);
  assert.match(stage.sink.notReady()!, /^find a voice: no (say|powershell) here/);
  assert.ok(stage.lines.some((line) => line.includes("no voice") && line.includes("hint")));
  for (const price of [99, 100]) stage.sink.encode({ ...TRADE, price });
  await stage.until(() => countOf(stage.metrics, "alerts_dropped_total", "speech", "failed") === 1);
  await stage.close();
});

Deno.test("neither secret nor address is in logs, /ready or the shown config, down or up", async () => {
  await using server = new WebhookServer();
  const secret = "Bearer s3cr3t-of-the-webhook";
  const address = "/hook/T0KEN-in-path?key=also-secret";
  for (const url of [server.url, `http://127.0.0.1:1${address}`]) {
    const config = {
      engine: "none",
      webhook: { url, secret, header: "authorization", attempts: 2 },
      rules: [{ when: "price_crosses", level: 100 }],
    };
    const stage = await Stage.open(config);
    for (const price of [99, 100]) stage.sink.encode({ ...TRADE, price });
    const is_up = url === server.url;
    await stage.until(() =>
      is_up ? server.alerts.length === 1 : stage.lines.some((line) => line.includes('"gives_up":true'))
    );
    const told = [...stage.lines, stage.sink.notReady(), JSON.stringify(masked(config, SPEAK_SCHEMA))].join(
      "\n",
    );
    for (const text of [secret, "s3cr3t", "T0KEN", "also-secret"]) {
      assert.ok(!told.includes(text), `"${text}" in ${told}`);
    }
    await stage.close();
  }
  assert.equal(server.posts[0].headers.get("authorization"), secret);
  // whoever else logs it, masks it
  assert.ok(!knownSecrets.mask(`x ${secret} y`).includes("s3cr3t"));
  assert.ok(!knownSecrets.mask(`x ${address} y`).includes("T0KEN"));
});

Deno.test("rules that see nothing are told of after a minute, once", async () => {
  const stage = await Stage.open({ dry_run: true, rules: [{ when: "gap", symbols: ["NOPE"] }] });
  await stage.pass(200);
  const told = stage.lines.filter((line) => line.startsWith("rule sees nothing"));
  assert.equal(told.length, 1);
  assert.match(told[0], /no symbol .*NOPE/);
  await stage.close();
});
