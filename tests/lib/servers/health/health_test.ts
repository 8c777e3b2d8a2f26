import assert from "node:assert/strict";
import net from "node:net";
import { once } from "node:events";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import { pipelineMetrics } from "../../../../lib/flow/pipeline_metrics.ts";
import { EventLoopLag } from "../../../../lib/servers/health/event_loop_lag.ts";
import { health } from "../../../../lib/servers/health/health.ts";
import { parseListen } from "../../../../lib/servers/listen.ts";
import type { Server } from "../../../../lib/servers/server.ts";
import { FakeHub } from "../fake_hub.ts";

async function withHealth(
  work: (url: string, hub: FakeHub, server: Server) => Promise<void>,
  config: Record<string, unknown> = {},
) {
  const hub = new FakeHub();
  await using server = await health.open(health.schema.parse({ listen: "127.0.0.1:0", ...config }), hub);
  await work(server.url, hub, server);
}

Deno.test("health: answers exactly the old service's object", () =>
  withHealth(async (url) => {
    const response = await fetch(`${url}/health`);
    assert.equal(response.status, 200);
    assert.match(response.headers.get("content-type")!, /^application\/json/);
    assert.equal(await response.text(), '{"status":"healthy","service":"market-data","version":"1.2.3"}');
  }));

Deno.test("health: ready follows the hub, with reasons", () =>
  withHealth(async (url, hub) => {
    const ready = await fetch(`${url}/ready`);
    assert.equal(ready.status, 200);
    assert.deepEqual(await ready.json(), { ready: true, reasons: [] });
    hub.reasons = ["BTCUSDT: gap", "redis: connecting"];
    const waiting = await fetch(`${url}/ready`);
    assert.equal(waiting.status, 503);
    assert.deepEqual(await waiting.json(), { ready: false, reasons: ["BTCUSDT: gap", "redis: connecting"] });
    hub.reasons = Array.from({ length: 250 }, (_, i) => `S${i}: starting`);
    const many = await (await fetch(`${url}/ready`)).json();
    assert.equal(many.reasons.length, 100);
    assert.equal(many.reasons_omitted, 150);
  }));

Deno.test("health: HEAD has headers and no body, other methods and paths are refused in JSON", () =>
  withHealth(async (url) => {
    const head = await fetch(`${url}/health`, { method: "HEAD" });
    assert.equal(head.status, 200);
    assert.equal(head.headers.get("content-length"), "62");
    assert.equal(await head.text(), "");
    for (const method of ["POST", "PUT", "DELETE"]) {
      const refused = await fetch(`${url}/metrics`, { method, body: method === "DELETE" ? undefined : "x" });
      assert.equal(refused.status, 405);
      assert.equal(refused.headers.get("allow"), "GET, HEAD");
      assert.equal((await refused.json()).error.code, "method_not_allowed");
    }
    const missing = await fetch(`${url}/nothing`);
    assert.equal(missing.status, 404);
    assert.deepEqual((await missing.json()).paths, [
      "/health",
      "/ready",
      "/metrics",
      "/instruments",
      "/openapi.json",
      "/book/{symbol}",
      "/ticker/{symbol}",
      "/trades/{symbol}",
      "/candles/{symbol}",
    ]);
  }));

function fillMetrics(hub: FakeHub): void {
  const families = pipelineMetrics(hub.metrics);
  families.websocket_connected.with("BTCUSDT").value = 1;
  families.websocket_disconnects_total.with("BTCUSDT").value = 2;
  families.messages_processed_total.with("BTCUSDT", "depth").value = 10;
  families.messages_error_total.with('odd"\\\nsymbol').value = 1;
  families.orderbook_updates_total.with("BTCUSDT").value = 9;
  families.sequence_errors_total.with("BTCUSDT").value = 1;
  families.trades_processed_total.with("BTCUSDT").value = 4;
  const latency = families.processing_latency_microseconds.with("BTCUSDT");
  for (const value of [0.5, 3, 3, 70, 1e9]) latency.observe(value);
}

Deno.test("health: metrics carry the contract's names, labels and cumulative buckets", () =>
  withHealth(async (url, hub) => {
    fillMetrics(hub);
    const response = await fetch(`${url}/metrics`);
    assert.equal(response.headers.get("content-type"), "text/plain; version=0.0.4; charset=utf-8");
    const lines = new Set((await response.text()).split("\n"));
    for (
      const line of [
        'websocket_connected{symbol="BTCUSDT"} 1',
        'websocket_disconnects_total{symbol="BTCUSDT"} 2',
        'messages_processed_total{symbol="BTCUSDT",type="depth"} 10',
        'messages_error_total{symbol="odd\\"\\\\\\nsymbol"} 1',
        'orderbook_updates_total{symbol="BTCUSDT"} 9',
        'sequence_errors_total{symbol="BTCUSDT"} 1',
        'trades_processed_total{symbol="BTCUSDT"} 4',
        "# TYPE processing_latency_microseconds histogram",
        'processing_latency_microseconds_bucket{symbol="BTCUSDT",le="1"} 1',
        'processing_latency_microseconds_bucket{symbol="BTCUSDT",le="5"} 3',
        'processing_latency_microseconds_bucket{symbol="BTCUSDT",le="100"} 4',
        'processing_latency_microseconds_bucket{symbol="BTCUSDT",le="100000"} 4',
        'processing_latency_microseconds_bucket{symbol="BTCUSDT",le="+Inf"} 5',
        'processing_latency_microseconds_count{symbol="BTCUSDT"} 5',
        `mdg_build_info{version="1.2.3",deno="${Deno.version.deno}"} 1`,
      ]
    ) assert.ok(lines.has(line), line);
    // A second scrape replaces values and forgets removed children.
    const families = pipelineMetrics(hub.metrics);
    families.websocket_connected.remove("BTCUSDT");
    families.websocket_connected.with("ETHUSDT").value = 0;
    hub.metrics.counter("late_total", "Joined after the first scrape").with().value = 7;
    const again = await (await fetch(`${url}/metrics`)).text();
    assert.ok(!again.includes('websocket_connected{symbol="BTCUSDT"}'));
    assert.ok(again.includes('websocket_connected{symbol="ETHUSDT"} 0'));
    assert.ok(again.includes("\nlate_total 7"));
    assert.ok(again.includes('trades_processed_total{symbol="BTCUSDT"} 4'));
  }));

const has_promtool = (() => {
  try {
    return new Deno.Command("promtool", { args: ["--version"], stdout: "null", stderr: "null" }).outputSync()
      .success;
  } catch {
    return false;
  }
})();

Deno.test({
  name: "health: promtool finds nothing but the unit in the contract's own histogram name" +
    (has_promtool ? "" : " (SKIPPED: promtool is not installed, Debian package prometheus)"),
  ignore: !has_promtool,
  fn: () =>
    withHealth(async (url, hub) => {
      fillMetrics(hub);
      const text = await (await fetch(`${url}/metrics`)).text();
      const child = new Deno.Command("promtool", {
        args: ["check", "metrics"],
        stdin: "piped",
        stdout: "piped",
        stderr: "piped",
      }).spawn();
      const writer = child.stdin.getWriter();
      await writer.write(new TextEncoder().encode(text));
      await writer.close();
      const out = await child.output();
      const said = new TextDecoder().decode(out.stdout) + new TextDecoder().decode(out.stderr);
      const complaints = said.split("\n").filter((line) => line.trim() !== "");
      assert.deepEqual(complaints, [
        'processing_latency_microseconds use base unit "seconds" instead of "microseconds"',
      ]);
    }),
});

Deno.test("health: a taken port names the address, the config key and the flag", () =>
  withHealth(async (_url, hub, server) => {
    await assert.rejects(
      health.open(health.schema.parse({ listen: server.address }), hub),
      (error: unknown) => {
        assert.ok(error instanceof UserError);
        assert.equal(error.message, `listen on "${server.address}": address in use, want a free port`);
        assert.match(error.hint!, /servers\[\]\.listen/);
        assert.match(error.hint!, /--health-listen/);
        return true;
      },
    );
  }));

Deno.test("health: connections past the bound are refused, malformed requests are ended", () =>
  withHealth(async (url, _hub, server) => {
    const port = Number(new URL(url).port);
    const first = net.connect(port, "127.0.0.1");
    await once(first, "connect");
    first.write("GET /health HTTP/1.1\r\nHost: x\r\n\r\n");
    await once(first, "data");
    const second = net.connect(port, "127.0.0.1");
    second.on("error", () => {});
    second.resume();
    await once(second, "close");
    first.destroy();
    await once(first, "close");
    // The server sees the end of the first a little later; a client retries.
    for (;;) {
      const third = net.connect(port, "127.0.0.1");
      third.on("error", () => {});
      let said = "";
      third.on("data", (part) => said += part);
      third.write("nonsense\r\n\r\n");
      await once(third, "close");
      if (said === "") continue;
      assert.match(said, /^HTTP\/1\.1 400 /);
      break;
    }
    assert.equal(server.name, "health");
  }, { max_connections: 1 }));

Deno.test("listen: addresses", () => {
  assert.deepEqual(parseListen("127.0.0.1:0"), { host: "127.0.0.1", port: 0 });
  assert.deepEqual(parseListen("[::1]:8080"), { host: "::1", port: 8080 });
  assert.deepEqual(parseListen("localhost:65535"), { host: "localhost", port: 65535 });
  for (const bad of ["8080", ":8080", "a:65536", "a:b", "a b:1", "::1:80", "http://a:80", ""]) {
    assert.equal(parseListen(bad), undefined, bad);
  }
  assert.equal(health.schema.parse({}).listen, "127.0.0.1:9090");
  assert.throws(() => health.schema.parse({ listen: "9090" }), /want HOST:PORT/);
});

Deno.test("event loop lag: quantile of the last minute, in seconds", () => {
  let now_ms = 0;
  let tick = () => {};
  const clock = new ManualClock();
  const lag = new EventLoopLag({
    ...clock,
    now_ms: () => 0,
    now_us: () => 0,
    after: () => ({ cancel() {} }),
    monotonic_ms: () => now_ms,
    every: (_period, callback) => {
      tick = callback;
      return { cancel() {} };
    },
  });
  assert.equal(lag.quantile(0.99), undefined);
  for (let i = 0; i < 5_000; i++) {
    now_ms += i === 4_900 ? 550 : 50;
    tick();
  }
  assert.equal(lag.quantile(0.5), 0);
  assert.equal(lag.quantile(0.9999), 0.5);
});
