/**
 * `mdg monitor gateway` and the feeds of `mdg monitor net` against a real gateway on a mock venue: healthy, loaded, with
 * its venue standing still and gone, stopped and killed. What it says is compared with the gateway's own pages.
 */
import assert from "node:assert/strict";
import { freePort } from "../../scripts/services/daemon.ts";
import { runMdg } from "../mdg_process.ts";
import { TmuxScreen } from "./tmux_screen.ts";
import { serviceTest, testUnless } from "../services.ts";
import { BookFollower } from "../end_to_end/book_follower.ts";
import { GatewayProcess, metricIn } from "../end_to_end/gateway_process.ts";
import { booksAndTrades, liveConfig } from "../end_to_end/live_config.ts";
import { MockProcess } from "../end_to_end/mock_process.ts";
import { until } from "../end_to_end/until.ts";

/** What was measured, for whoever reads the run. */
function report(text: string): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${text}\n`));
}

const VENUE = "binance-futures";
const SYMBOLS = ["AAAUSDT", "BBBUSDT"];
const MARKET = ["--symbols", SYMBOLS.join(","), "--interval", "20", "--rate", "200"];
/** Nothing may be reconnected by the gateway itself while its venue stands still. */
const PATIENT = { max_silence_ms: 600_000 };
/** What else happens on this machine meanwhile. */
const QUIET = ["-w", "listen_overflows=~:"];
const no_signals = Deno.build.os === "windows" ? "Windows has no SIGSTOP" : undefined;

const TOKEN = "an-operators-token-of-32-characters";

interface Rig extends AsyncDisposable {
  mock: MockProcess;
  gateway: GatewayProcess;
  address: string;
  folder: string;
}

async function rig(options: { health?: string; market?: string[] } = {}): Promise<Rig> {
  const mock = await MockProcess.start(VENUE, options.market ?? MARKET);
  const folder = await Deno.makeTempDir({ prefix: "mdg-e2e-" });
  const config = liveConfig({ venue: VENUE, ws_url: mock.ws_url, symbols: SYMBOLS, source: PATIENT });
  const gateway = await GatewayProcess.start({
    ...config,
    sinks: [{ kind: "log", directory: folder }],
    servers: [config.servers[0], {
      kind: "health",
      listen: options.health ?? "127.0.0.1:0",
      control_token: TOKEN,
    }],
  });
  await gateway.untilReady();
  return {
    mock,
    gateway,
    folder,
    address: new URL(gateway.health_url).host,
    async [Symbol.asyncDispose]() {
      await gateway[Symbol.asyncDispose]();
      await mock[Symbol.asyncDispose]();
      await Deno.remove(folder, { recursive: true });
    },
  };
}

const monitor = (...args: string[]) => runMdg({ args: ["monitor", ...args] });

async function json(...args: string[]) {
  const { code, stdout, stderr } = await monitor(...args, "--json", "--once");
  assert.equal(stderr, "");
  return { code, ...JSON.parse(stdout) };
}

Deno.test("healthy: what it says is what the gateway's own pages say", async () => {
  await using at = await rig();
  await using follower = new BookFollower(at.gateway.ws_url, booksAndTrades(SYMBOLS));
  await follower.until("books", () => SYMBOLS.every((one) => follower.of(one).deltas > 20));
  const before = await at.gateway.metricsText();
  const { code, state, sample, readings } = await json("gateway", at.address);
  const after = await at.gateway.metricsText();
  assert.deepEqual([code, state, sample.ready, sample.reasons], [0, "ok", true, []]);
  const [feed] = sample.feeds;
  assert.deepEqual([sample.feeds.length, feed.venue, feed.state, feed.symbols], [1, VENUE, "live", 2]);
  assert.deepEqual([readings.books_out_of_sync, readings.clients, readings.feeds_stale], [0, 1, 0]);
  assert.deepEqual([feed.gaps, feed.reconnects], [0, 0]);
  assert.equal(feed.connections_open, metricIn(after, "feed_connections_open", { venue: VENUE }));
  assert.equal(readings.clients, metricIn(after, "mdg_websocket_clients"));

  // What was counted between its two looks lies within what was counted between ours.
  const grown = (name: string, labels: Record<string, string>) =>
    (metricIn(after, name, labels) ?? 0) - (metricIn(before, name, labels) ?? 0);
  const within = (what: string, rate: number, limit: number) => {
    const counted = rate * sample.elapsed_s;
    assert.ok(
      counted > 0 && counted <= limit + 1e-6,
      `${what}: ${counted} in ${sample.elapsed_s} s, all ${limit}`,
    );
  };
  within("frames", feed.messages_per_s, grown("feed_frames_total", { venue: VENUE, outcome: "events" }));
  const books = new Map(
    sample.books.map((one: { symbol: string; updates_per_s: number }) => [one.symbol, one.updates_per_s]),
  );
  for (const symbol of SYMBOLS) {
    within(symbol, books.get(symbol) as number, grown("orderbook_updates_total", { symbol }));
  }
  const [sink] = sample.sinks;
  const types = ["book", "trade", "quote", "ticker", "candle", "book_status"];
  const published = types.reduce(
    (sum, type) => sum + grown("sink_published_total", { sink: "log", type }),
    0,
  );
  within("published", sink.published_per_s, published);
  // The mock stamps with this machine's clock: a lag of days, or a negative one, would be a wrong unit or sign.
  assert.ok(feed.lag_p50_s > 0 && feed.lag_p50_s < 10, `${feed.lag_p50_s}`);
  assert.ok(feed.silent_s >= 0 && feed.silent_s < 10, `${feed.silent_s}`);
  const resident = metricIn(after, "process_resident_memory_bytes")!;
  assert.ok(Math.abs(readings.memory_bytes - resident) < resident / 2);

  const check = await monitor("gateway", at.address, "--check");
  assert.equal(check.code, 0, check.stdout);
  assert.match(
    check.stdout,
    /^GATEWAY OK - 127\.0\.0\.1:\d+: mdg \S+, 1 of 1 feeds live, 2 of 2 books in sync/,
  );
  const strict = await monitor("gateway", at.address, "--check", "-w", "clients=@1:", "-c", "memory_bytes=1");
  assert.equal(strict.code, 2);
  assert.match(strict.stdout, /^GATEWAY CRITICAL - .*memory_bytes/);
  const feeds = await monitor("net", "--gateway", at.address, "--check", ...QUIET);
  assert.equal(feeds.code, 0, feeds.stdout);
  assert.match(feeds.stdout, /1 of 1 feeds live.* feeds_stale=0;;0/);
});

Deno.test("with the token: sessions, upstreams, the memory guard; without, or with a wrong one, none of them", async () => {
  await using at = await rig();
  await using follower = new BookFollower(at.gateway.ws_url, booksAndTrades(SYMBOLS));
  await follower.until("books", () => SYMBOLS.every((one) => follower.of(one).deltas > 5));
  const token_file = `${at.folder}/token`;
  await Deno.writeTextFile(token_file, `${TOKEN}\n`);
  const { sample, readings } = await json("gateway", at.address, "--token-file", token_file);
  const headers = { authorization: `Bearer ${TOKEN}` };
  const told = await (await fetch(`${at.gateway.health_url}/clients`, { headers })).json();
  const { upstreams } = await (await fetch(`${at.gateway.health_url}/upstreams`, { headers })).json();
  assert.deepEqual([sample.sessions.total, sample.sessions.sessions.length], [
    told.total,
    told.sessions.length,
  ]);
  const [session] = sample.sessions.sessions;
  assert.deepEqual([session.id, session.peer, session.step], [
    told.sessions[0].id,
    told.sessions[0].peer,
    "normal",
  ]);
  assert.ok(session.sent_bytes > 0 && session.sent_bytes <= told.sessions[0].sent_bytes);
  assert.deepEqual(
    sample.upstreams.map(({ connection, state }: Record<string, string>) => [connection, state]),
    upstreams.map(({ connection, state }: Record<string, string>) => [connection, state]),
  );
  assert.equal(sample.memory.budget_bytes, told.memory.budget_bytes);
  assert.ok(readings.memory_pct > 0 && readings.memory_pct < 100 && readings.clients_evicted === 0);

  const without = await json("gateway", at.address);
  assert.deepEqual([without.sample.sessions, without.sample.upstreams, without.code], [
    undefined,
    undefined,
    0,
  ]);
  await Deno.writeTextFile(token_file, "another-token");
  const wrong = await monitor("gateway", at.address, "--check", "--token-file", token_file);
  assert.equal(wrong.code, 2);
  assert.match(wrong.stdout, /^GATEWAY CRITICAL - .*the token is not taken\n$/);
  assert.ok(!wrong.stdout.includes("another-token"));
});

Deno.test("loaded: more than 1,000 updates a second and 20 clients, and the figures follow", async () => {
  await using at = await rig({
    market: ["--symbols", SYMBOLS.join(","), "--interval", "1", "--rate", "2000"],
  });
  const followers = Array.from(
    { length: 20 },
    () => new BookFollower(at.gateway.ws_url, booksAndTrades(SYMBOLS)),
  );
  try {
    for (const one of followers) await one.until("a book", () => one.of(SYMBOLS[0]).deltas > 100);
    const before = await at.gateway.metricsText();
    const { sample, readings } = await json("gateway", at.address, "--interval", "2");
    const after = await at.gateway.metricsText();
    const sent = metricIn(after, "mdg_websocket_sent_frames_total")! -
      metricIn(before, "mdg_websocket_sent_frames_total")!;
    assert.equal(readings.clients, 20);
    assert.ok(sample.clients.sent_frames_per_s * sample.elapsed_s <= sent);
    assert.ok(sample.clients.sent_frames_per_s > 1_000, `${sample.clients.sent_frames_per_s}`);
    assert.ok(readings.messages_per_s > 200, `${readings.messages_per_s}`);
    assert.ok(readings.latency_p99_us > 0 && readings.latency_p99_us <= 100_000);
    report(
      `loaded: ${Math.round(readings.messages_per_s)} messages/s in, ` +
        `${
          Math.round(sample.clients.sent_frames_per_s)
        } frames/s out to 20 clients, p99 ${readings.latency_p99_us} µs`,
    );
  } finally {
    for (const one of followers) await one[Symbol.asyncDispose]();
  }
});

testUnless(no_signals, "its venue stands still, and dies: stale while connected, then down", async () => {
  await using at = await rig();
  at.mock.process.signal("SIGSTOP");
  const stale = await until("a stale feed", async () => {
    const said = await json("gateway", at.address, "--stale-after", "1", "--interval", "0.1");
    return said.readings.feeds_stale === 1 && said;
  });
  const [feed] = stale.sample.feeds;
  assert.deepEqual([feed.state, feed.connections_open, feed.connections_wanted], [
    "stale",
    feed.connections_wanted,
    feed.connections_open,
  ]);
  assert.ok(feed.silent_s > 1 && feed.stale_symbols === 2);
  assert.equal(stale.state, "critical");
  for (const args of [["gateway", at.address], ["net", "--gateway", at.address, ...QUIET]]) {
    const check = await monitor(...args, "--check", "--stale-after", "1");
    assert.equal(check.code, 2, check.stdout);
    assert.match(check.stdout, /^(GATEWAY|NET) CRITICAL - .*feeds_stale 1, want at most 0/);
  }
  at.mock.process.signal("SIGCONT");
  await until("live again", async () => {
    const said = await json("gateway", at.address, "--stale-after", "1", "--interval", "0.1");
    return said.sample.feeds[0].state === "live";
  });
  await at.mock.process.kill();
  const down = await until("a feed down", async () => {
    const check = await monitor("gateway", at.address, "--check");
    return /feeds_down 1/.test(check.stdout) && check;
  });
  assert.equal(down.code, 2);
  assert.match(down.stdout, /not connected|book not in sync/);
  const { sample } = await json("gateway", at.address);
  assert.ok(sample.feeds[0].reconnects > 0);
  assert.deepEqual([sample.ready, sample.books_out_of_sync, sample.feeds[0].connections_open], [false, 2, 0]);
});

testUnless(no_signals, "the gateway stopped and killed: a reason, an exit code, no stack", async () => {
  await using at = await rig();
  at.gateway.process.signal("SIGSTOP");
  const stopped = await monitor("gateway", at.address, "--check", "--timeout", "0.5");
  at.gateway.process.signal("SIGCONT");
  assert.deepEqual([stopped.code, stopped.stderr], [2, ""]);
  assert.match(stopped.stdout, /^GATEWAY CRITICAL - .*no answer within 500 ms\n$/);
  await at.gateway.process.kill();
  const killed = await monitor("gateway", at.address, "--check");
  assert.deepEqual([killed.code, killed.stderr], [2, ""]);
  assert.match(killed.stdout, /^GATEWAY CRITICAL - .*connection refused\n$/);
  const once = await monitor("gateway", at.address, "--once", "--json");
  assert.equal(once.code, 1);
  const net = await monitor("net", "--gateway", at.address, "--check", ...QUIET);
  assert.equal(net.code, 2);
  assert.match(net.stdout, /^NET CRITICAL - .*gateway 127\.0\.0\.1:\d+: connection refused/);
});

serviceTest("tmux", "a terminal of 80×24: live, lost, back; views, resize, quit", async (tmux) => {
  const health = `127.0.0.1:${freePort()}`;
  await using at = await rig({ health });
  await using screen = await TmuxScreen.start(tmux, [
    "monitor",
    "gateway",
    health,
    "--interval",
    "0.5",
    "--stale-after",
    "2",
  ]);
  await screen.shows(/binance-futures +live[^]*\bAAAUSDT/);
  const live = await screen.shows(/messages\/s +\d[^]*\blog +\d/);
  const lines = live.split("\n");
  assert.ok(lines.length <= 24 && lines.every((line) => line.length <= 80), live);
  report(live);
  await screen.type("F2");
  await screen.shows(/BBBUSDT\s+binance-futures\s+in sync/);
  await screen.type("F1");
  at.mock.process.signal("SIGSTOP");
  await screen.shows(/binance-futures\s+(stale|down)/);
  at.mock.process.signal("SIGCONT");
  await screen.shows(/binance-futures\s+live/);

  await at.gateway.process.kill();
  const lost = await screen.shows(/LOST[^]*connection refused/);
  assert.ok(!/\bat .*\.ts:\d+/.test(lost), lost);
  const config = liveConfig({ venue: VENUE, ws_url: at.mock.ws_url, symbols: SYMBOLS });
  await using _again = await GatewayProcess.start({
    ...config,
    servers: [config.servers[0], { kind: "health", listen: health }],
  });
  await screen.shows(/ ready[^]*books in sync 2\/2[^]*binance-futures +live/);
  await screen.resize(120, 40);
  await screen.shows(/Feed .*Symbols[^]*binance-futures +live/);
  await screen.type("q");
  await screen.shows(/ended with 0/);
});
