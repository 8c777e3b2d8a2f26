/**
 * Symbols that come and go while the gateway runs, over the control endpoint: those that stay do not notice, what is
 * refused changes nothing, and without the token nothing is told.
 */
import assert from "node:assert/strict";
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";
import { MOCKS } from "../../lib/gateway/catalog.ts";
import { Gateway } from "../../lib/gateway/gateway.ts";

const TOKEN = "control-token-of-a-test";
const VENUE = "binance-spot";

Deno.test("control: symbols are added and removed while running; the others do not notice", async () => {
  const stop = new AbortController();
  await using mock = await MOCKS[VENUE].open(
    {
      listen: "127.0.0.1:0",
      symbols: ["AAAUSDT", "BBBUSDT", "CCCUSDT"],
      speed: 1,
      faults: [],
      seed: "subscriptions",
      interval_ms: 20,
    },
    { clock: systemClock, log: silentLog, signal: stop.signal },
  );
  const source = {
    kind: "live",
    venue: VENUE,
    connections: 1,
    symbols: ["AAAUSDT"],
    channels: ["book"],
    ws_url: mock.ws_url,
    rest_url: mock.rest_url,
    reconnect_delay_ms: 20,
    max_reconnect_delay_ms: 100,
    compression: false,
  };
  const server = { kind: "health", listen: "127.0.0.1:0", max_connections: 8, control_token: TOKEN };
  const gateway = await Gateway.start(
    { sources: [source], sinks: [], servers: [server], drain_timeout_ms: 1_000 },
    { clock: systemClock, log: silentLog, metrics: new Metrics(), version: "test", seed: "subscriptions" },
  );
  const statuses: string[] = [];
  let heard = () => {};
  gateway.hub.subscribe({
    name: "test",
    offer(update: MarketUpdate) {
      if (update.kind !== "book_status") return;
      statuses.push(`${update.symbol} ${update.in_sync ? "in sync" : update.reason}`);
      heard();
    },
  });
  const until = async (status: string) => {
    while (!statuses.includes(status)) await new Promise<void>((resolve) => heard = resolve);
  };
  const url = `${gateway.servers[0].url}/subscriptions`;
  const ask = async (body?: unknown, token = TOKEN) => {
    const response = await fetch(url, {
      method: body === undefined ? "GET" : "POST",
      headers: { authorization: `Bearer ${token}` },
      body: typeof body === "string" ? body : JSON.stringify(body),
    });
    return { status: response.status, answer: await response.json() };
  };
  try {
    await until("AAAUSDT in sync");
    const listed = { source: "live", venue: VENUE, symbols: ["AAAUSDT"] };
    assert.deepEqual(await ask(), { status: 200, answer: [listed] });
    const added = await ask({ add: ["BBBUSDT", "CCCUSDT"] });
    assert.deepEqual(added.answer, { ...listed, symbols: ["AAAUSDT", "BBBUSDT", "CCCUSDT"] });
    await until("BBBUSDT in sync");
    const instruments = await (await fetch(`${gateway.servers[0].url}/instruments`)).json();
    assert.deepEqual(instruments.map((one: { symbol: string }) => one.symbol), [
      "AAAUSDT",
      "BBBUSDT",
      "CCCUSDT",
    ]);
    assert.deepEqual([instruments[0].base, instruments[0].quote, instruments[0].status], [
      "AAA",
      "USDT",
      "trading",
    ]);
    await until("CCCUSDT in sync");
    assert.equal(gateway.hub.readiness().ready, true);
    await ask({ source: "live", remove: ["CCCUSDT"] });
    await until("CCCUSDT removed");
    assert.equal(gateway.hub.book(VENUE, "CCCUSDT"), undefined);
    assert.ok(!statuses.some((status) => status.startsWith("AAAUSDT") && status !== "AAAUSDT in sync"));

    const refused: [unknown, number, RegExp][] = [
      [{ source: "none", add: ["X"] }, 409, /no such source, want one of live/],
      [{ remove: ["ZZZ"] }, 409, /"ZZZ" is not subscribed/],
      [{ remove: ["AAAUSDT", "BBBUSDT"] }, 409, /no symbol would be left/],
      [{}, 400, /nothing to do/],
      [{ add: ["a b"] }, 400, /add\.0/],
      [{ add: "AAA" }, 400, /add/],
      [{ add: ["X"], more: 1 }, 400, /more/],
      ["{", 400, /no JSON/],
      [{ add: Array(5_000).fill("X".repeat(64)) }, 413, /more than 262144 bytes/],
    ];
    for (const [body, status, message] of refused) {
      const { status: found, answer } = await ask(body);
      assert.equal(found, status, JSON.stringify(answer));
      assert.match(answer.error.message, message);
    }
    assert.equal((await ask(undefined, "wrong")).status, 401);
    assert.equal((await ask({ add: ["X"] }, "")).status, 401);
    assert.deepEqual((await ask()).answer[0].symbols, ["AAAUSDT", "BBBUSDT"]);
  } finally {
    stop.abort();
    await gateway[Symbol.asyncDispose]();
  }
});

Deno.test("control: off unless a token is configured", async () => {
  const gateway = await Gateway.start(
    {
      sources: [{
        kind: "simulator",
        symbols: ["BTCUSD"],
        interval_ms: 100,
        rate: 20,
        scenario: "calm",
        seed: "x",
      }],
      sinks: [],
      servers: [{ kind: "health", listen: "127.0.0.1:0", max_connections: 8 }],
      drain_timeout_ms: 1_000,
    },
    { clock: systemClock, log: silentLog, metrics: new Metrics(), version: "test", seed: "off" },
  );
  try {
    const response = await fetch(`${gateway.servers[0].url}/subscriptions`, { method: "POST", body: "{}" });
    assert.equal(response.status, 404);
    await response.body?.cancel();
  } finally {
    await gateway[Symbol.asyncDispose]();
  }
});
