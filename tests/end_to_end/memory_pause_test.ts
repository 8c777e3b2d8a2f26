/**
 * Memory runs short: sources that can wait are paused, everybody is told (books, readiness, /upstreams, /clients), and
 * when there is room again they go on by themselves with right books. For a venue and for another gateway as source.
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { MOCKS } from "../../lib/gateway/catalog.ts";
import { Gateway, type PluginConfig } from "../../lib/gateway/gateway.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";
import { prepareReclaim } from "../../lib/os/reclaim_memory.ts";
import { until } from "./until.ts";

// The C library stays open as long as the process.
prepareReclaim();

const TOKEN = "control-token-of-a-test";
const VENUE = "binance-spot";
const SYMBOLS = ["AAAUSDT", "BBBUSDT"];
const BUDGET = 1024 ** 3;

/** A gateway whose memory the test decides. */
class Stage implements AsyncDisposable {
  used_share = 0.1;
  readonly statuses: string[] = [];
  books = 0;
  gateway!: Gateway;

  static async open(source: PluginConfig): Promise<Stage> {
    const stage = new Stage();
    const servers = [
      { kind: "health", listen: "127.0.0.1:0", max_connections: 8, control_token: TOKEN },
      { kind: "websocket", listen: "127.0.0.1:0" },
    ];
    const { composedConfig } = await import("../../lib/gateway/config_schema.ts");
    const memory = { budget: BUDGET, sample_interval_ms: 10 };
    stage.gateway = await Gateway.start(composedConfig({ sources: [source], servers, memory }), {
      clock: systemClock,
      log: silentLog,
      metrics: new Metrics(),
      version: "test",
      seed: "memory",
      readMemory: () => ({ rss_bytes: stage.used_share * BUDGET, heap_used_bytes: 0, external_bytes: 0 }),
    });
    stage.gateway.hub.subscribe({
      name: "test",
      offer(update: MarketUpdate) {
        if (update.kind === "book") stage.books++;
        if (update.kind !== "book_status") return;
        stage.statuses.push(`${update.symbol} ${update.in_sync ? "in sync" : update.reason}`);
      },
    });
    return stage;
  }
  // deno-lint-ignore no-explicit-any -- JSON of the server under test
  async ask(path: string): Promise<any> {
    const response = await fetch(`${this.gateway.servers[0].url}${path}`, {
      headers: { authorization: `Bearer ${TOKEN}` },
    });
    return await response.json();
  }
  async inSync(): Promise<void> {
    await until(
      "books in sync",
      () => SYMBOLS.every((symbol) => this.statuses.includes(`${symbol} in sync`)),
    );
  }
  async [Symbol.asyncDispose](): Promise<void> {
    await this.gateway[Symbol.asyncDispose]();
  }
}

async function pauseAndResume(stage: Stage, name: string): Promise<void> {
  await stage.inSync();
  stage.statuses.splice(0);
  stage.used_share = 0.97;
  await until("books told to be paused", () => stage.statuses.length === SYMBOLS.length);
  assert.deepEqual(stage.statuses.splice(0), SYMBOLS.map((symbol) => `${symbol} paused: memory is short`));
  const { ready, reasons } = await stage.ask("/ready");
  assert.equal(ready, false);
  assert.ok(reasons.includes(`${name}: paused: memory is short`), reasons.join("; "));
  const { upstreams } = await stage.ask("/upstreams");
  assert.ok(upstreams.length > 0);
  for (const { source, state, reason } of upstreams) {
    assert.deepEqual([source, state, reason], [name, "paused", "paused: memory is short"]);
  }
  // At first it may be garbage; what is left after a collection is not.
  const memory = await until("the highest level", async () => {
    const { memory } = await stage.ask("/clients");
    return memory.level === 4 && memory;
  });
  assert.deepEqual(memory.paused, [name]);
  assert.ok(memory.acts.some((act: { what: string; target: string }) => act.what === "pause"));
  // What was under way has come; from here on nothing does, for ten of the venue's intervals.
  const before = stage.books;
  await sleep(systemClock, 200);
  assert.equal(stage.books, before);
  stage.used_share = 0.1;
  await stage.inSync();
  await until("books that go on", () => stage.books > before + 10);
  assert.equal((await stage.ask("/ready")).ready, true);
  const after = (await stage.ask("/upstreams")).upstreams;
  assert.ok(after.every((one: { state: string }) => one.state === "connected"));
  assert.ok(after.every((one: { disconnects: number }) => one.disconnects === 0), "nobody was disconnected");
}

Deno.test("memory: a venue and a gateway as sources are paused and go on, and everybody is told", async () => {
  await using mock = await MOCKS[VENUE].open(
    { listen: "127.0.0.1:0", symbols: SYMBOLS, speed: 1, faults: [], seed: "memory", interval_ms: 20 },
    { clock: systemClock, log: silentLog, signal: new AbortController().signal },
  );
  await using first = await Stage.open({
    kind: "live",
    venue: VENUE,
    symbols: SYMBOLS,
    channels: ["book", "trades"],
    ws_url: mock.ws_url,
    rest_url: mock.rest_url,
    reconnect_delay_ms: 20,
    max_reconnect_delay_ms: 100,
    compression: false,
  });
  await pauseAndResume(first, "live");
  await using second = await Stage.open({
    kind: "gateway",
    url: first.gateway.servers[1].url,
    venue: VENUE,
    symbols: SYMBOLS,
  });
  await pauseAndResume(second, "gateway");
});
