/**
 * Tiingo's sockets through the gateway: tickers that come and go on one connection under the subscription's id, a token that
 * is refused (and repeated by the venue) tried once and not again, and the token seen nowhere.
 */
import assert from "node:assert/strict";
import { sleep, systemClock } from "../../lib/base/clock.ts";
import { type Log, type LogFields, silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { MOCKS, SOURCES } from "../../lib/gateway/catalog.ts";
import { Gateway } from "../../lib/gateway/gateway.ts";
import type { MarketUpdate } from "../../lib/market/update.ts";
import type { MockVenue } from "../../lib/mocks/mock.ts";
import { REFUSED_TOKEN } from "../../lib/mocks/tiingo/endpoint.ts";
import { inFolder } from "../lib/bundle/bundle_folder.ts";
import { runMdg } from "../mdg_process.ts";
import { assertNoSecret } from "./secret_forms.ts";
import { until } from "./until.ts";

const VENUE = "tiingo-crypto";
const CONTROL = "control-token-of-a-test";

/** Keeps every line, as the terminal would get it before anything is masked. */
function collecting(lines: string[], fields: LogFields = {}): Log {
  const say = (message: string, more?: LogFields) => {
    lines.push(JSON.stringify({ message, ...fields, ...more }));
  };
  const levels = { trace: say, debug: say, info: say, warn: say, error: say };
  return { ...levels, with: (more) => collecting(lines, { ...fields, ...more }) };
}

interface Bench {
  mock: MockVenue;
  gateway: Gateway;
  lines: string[];
  updates: MarketUpdate[];
  pages(): Promise<string>;
}

async function withGateway(token: string, body: (bench: Bench) => Promise<void>): Promise<void> {
  const stop = new AbortController();
  const lines: string[] = [];
  await using mock = await MOCKS[VENUE].open(
    {
      ...{ listen: "127.0.0.1:0", symbols: ["btcusd", "ethusd"], speed: 1, faults: [] },
      ...{ seed: "tiingo", interval_ms: 20, rate_per_s: 200 },
    },
    { clock: systemClock, log: silentLog, signal: stop.signal },
  );
  const { ws_url, rest_url } = mock;
  const config = { venue: VENUE, symbols: ["btcusd"], token, ws_url, rest_url, reconnect_delay_ms: 20 };
  const source = { kind: "live", ...SOURCES.live.schema.parse(config) };
  const server = { kind: "health", listen: "127.0.0.1:0", max_connections: 8, control_token: CONTROL };
  const gateway = await Gateway.start(
    { sources: [source], sinks: [], servers: [server], drain_timeout_ms: 1_000 },
    { clock: systemClock, log: collecting(lines), metrics: new Metrics(), version: "test", seed: "tiingo" },
  );
  const updates: MarketUpdate[] = [];
  gateway.hub.subscribe({ name: "test", offer: (update: MarketUpdate) => void updates.push(update) });
  const pages = async () => {
    const texts = await Promise.all(["health", "ready", "metrics", "instruments"].map(async (page) => {
      return await (await fetch(`${gateway.servers[0].url}/${page}`)).text();
    }));
    return texts.join("\n");
  };
  try {
    await body({ mock, gateway, lines, updates, pages });
  } finally {
    stop.abort();
    await gateway[Symbol.asyncDispose]();
  }
}

Deno.test("tiingo: tickers come and go on one connection, and the token is seen nowhere", async () => {
  const token = "a-token-of-the-test-canary";
  await withGateway(token, async ({ mock, gateway, lines, updates, pages }) => {
    const has = (symbol: string) => updates.some((one) => one.kind === "quote" && one.symbol === symbol);
    const ask = async (change: object) => {
      const headers = { authorization: `Bearer ${CONTROL}` };
      const url = `${gateway.servers[0].url}/subscriptions`;
      const response = await fetch(url, { method: "POST", headers, body: JSON.stringify(change) });
      assert.equal(response.status, 200, await response.text());
    };
    await until("btcusd", () => has("btcusd") || undefined);
    await ask({ add: ["ethusd"] });
    await until("ethusd", () => has("ethusd") || undefined);
    await ask({ remove: ["btcusd"] });
    await sleep(systemClock, 200);
    updates.length = 0;
    await until("more of ethusd", () => has("ethusd") || undefined);
    assert.ok(!has("btcusd"), "removed, and still told");
    assert.equal(mock.stats().connections_accepted, 1);
    assertNoSecret(await pages(), "pages", token);
    assertNoSecret(lines.join("\n"), "log", token);
    assert.ok(lines.length > 0, "there is a log to search");
  });
});

Deno.test("tiingo: a refused token is tried once, not again and again, and not shown though the venue repeats it", async () => {
  await withGateway(REFUSED_TOKEN, async ({ mock, lines, pages }) => {
    await until("the refusal", () => lines.find((line) => line.includes("401 Invalid token")));
    await sleep(systemClock, 500);
    assert.equal(mock.stats().connections_accepted, 1);
    const shown = await pages();
    assert.match(shown, /refused by the venue: 401 Invalid token: \*\*\*/);
    assertNoSecret(shown, "pages", REFUSED_TOKEN);
    assertNoSecret(lines.join("\n"), "log", REFUSED_TOKEN);
  });
});

Deno.test("tiingo: config show and a missing token say nothing of it", () =>
  inFolder(async (folder) => {
    const token = "a-token-of-the-test-canary";
    const source = (more: string) => `sources: [{kind: live, venue: ${VENUE}, symbols: [btcusd]${more}}]\n`;
    await Deno.writeTextFile(`${folder}/a.yaml`, source(`, token: "${token}"`));
    await Deno.writeTextFile(`${folder}/b.yaml`, source(', token: "${TIINGO_TOKEN}"'));
    for (const args of [["config", "show", "a.yaml"], ["config", "show", "--json", "b.yaml"]]) {
      const { code, stdout, stderr } = await runMdg({ args, cwd: folder, env: { TIINGO_TOKEN: token } });
      assert.equal(code, 0, stderr);
      assert.match(stdout, /token/);
      assertNoSecret(stdout + stderr, args.join(" "), token);
    }
    await Deno.writeTextFile(`${folder}/c.yaml`, source(""));
    const { code, stderr } = await runMdg({ args: ["run", "--config", "c.yaml"], cwd: folder });
    assert.equal(code, 2);
    assert.match(stderr, /no token, want one in its .*token.*: the API token on tiingo\.com's account page/);
  }));
