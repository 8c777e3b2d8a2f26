/** A gateway's life as its operator sees it: started wrongly, reloaded, told to stop. */
import assert from "node:assert/strict";
import { runMdg } from "../mdg_process.ts";
import { testUnless } from "../services.ts";
import { BookFollower } from "./book_follower.ts";
import { GatewayProcess } from "./gateway_process.ts";
import { booksAndTrades, liveConfig } from "./live_config.ts";
import { MockProcess } from "./mock_process.ts";

const VENUE = "binance-futures";
const no_signals = Deno.build.os === "windows" ? "Windows has no SIGTERM and SIGHUP" : undefined;
const MARKET = ["--symbols", "AAAUSDT,BBBUSDT,CCCUSDT", "--interval", "20", "--rate", "200"];

const simulated = {
  sources: [{ kind: "simulator", symbols: ["BTCUSD"] }],
  servers: [{ kind: "websocket", listen: "127.0.0.1:0" }, { kind: "health", listen: "127.0.0.1:0" }],
};

for (const [signal, code] of [["SIGTERM", 0], ["SIGINT", 130]] as const) {
  testUnless(no_signals, `${signal} drains, tells the clients and exits ${code}`, async () => {
    await using gateway = await GatewayProcess.start(simulated);
    await using follower = new BookFollower(gateway.ws_url, booksAndTrades(["BTCUSD"]));
    await follower.until("deltas", () => follower.of("BTCUSD").deltas > 3);
    gateway.process.signal(signal);
    assert.equal(await gateway.process.ended, code);
    await follower.ended;
    assert.equal(follower.closed?.code, 1001);
    assert.equal(gateway.process.said("draining").length, 1);
    assert.equal(gateway.process.said("stopped").length, 1);
    assert.deepEqual(gateway.process.talk, []);
  });
}

/** Counts of what must not move for the symbols that stay. */
async function troubles(gateway: GatewayProcess, symbol: string): Promise<unknown[]> {
  const names = [
    "sequence_errors_total",
    "book_resyncs_total",
    "book_repairs_total",
    "trades_missed_total",
    "websocket_disconnects_total",
  ];
  return await Promise.all(names.map(async (name) => await gateway.metric(name, { symbol }) ?? 0));
}

testUnless(no_signals, "SIGHUP adds and removes symbols, and the others do not notice", async () => {
  await using mock = await MockProcess.start(VENUE, MARKET);
  const config = (symbols: readonly string[]) => liveConfig({ venue: VENUE, ws_url: mock.ws_url, symbols });
  await using gateway = await GatewayProcess.start(config(["AAAUSDT", "BBBUSDT"]));
  await gateway.untilReady();
  await using follower = new BookFollower(gateway.ws_url, booksAndTrades(["*"]));
  const [stays, goes, comes] = ["AAAUSDT", "BBBUSDT", "CCCUSDT"].map((symbol) => follower.of(symbol));
  await follower.until("deltas of both", () => stays.deltas > 5 && goes.deltas > 5);

  const connections = (await mock.stats()).connections_accepted;
  await gateway.reload(config(["AAAUSDT", "CCCUSDT"]));
  const line = await gateway.process.says("symbols reloaded");
  assert.deepEqual([line.added, line.removed], [["CCCUSDT"], ["BBBUSDT"]]);
  await gateway.untilReady();
  const seen = goes.deltas;
  const stood = stays.deltas;
  await follower.until("deltas of the new one", () => comes.deltas > 5 && stays.deltas > stood + 20);
  assert.ok(goes.deltas - seen <= 1, "the removed symbol goes on");
  assert.deepEqual(goes.statuses.at(-1), false);
  assert.equal(await gateway.metric("websocket_connected", { symbol: "BBBUSDT" }), 0);
  assert.equal(await gateway.metric("websocket_connected", { symbol: "CCCUSDT" }), 1);
  assert.equal((await mock.stats()).connections_accepted, connections);

  // And back again: a symbol that was removed may return.
  await gateway.reload(config(["BBBUSDT", "AAAUSDT"]));
  await gateway.process.says("symbols reloaded", {}, 1);
  await gateway.untilReady();
  const before = goes.deltas;
  await follower.until("deltas of the returned one", () => goes.deltas > before + 5);
  assert.equal(comes.statuses.at(-1), false);

  assert.equal(stays.snapshots, 1, "the symbol that stayed was sent anew");
  assert.deepEqual(stays.statuses, [], "the symbol that stayed changed its status");
  assert.deepEqual(await troubles(gateway, "AAAUSDT"), [0, 0, 0, 0, 0]);
});

testUnless(
  no_signals,
  "a bad config on reload is refused, and what differs beyond symbols is said",
  async () => {
    await using mock = await MockProcess.start(VENUE, MARKET);
    const config = liveConfig({ venue: VENUE, ws_url: mock.ws_url, symbols: ["AAAUSDT"] });
    await using gateway = await GatewayProcess.start(config);
    await gateway.untilReady();
    await using follower = new BookFollower(gateway.ws_url, booksAndTrades(["AAAUSDT"]));
    const stays = follower.of("AAAUSDT");
    await follower.until("deltas", () => stays.deltas > 3);

    await gateway.reload('{"sources": [{"kind": "live", "venue": "binance-futures", "symbols": [}]}');
    const torn = await gateway.process.says("reload refused, running on as before");
    assert.equal(torn.level, "error");
    await gateway.reload({ ...config, sinks: [{ kind: "redsi", url: "redis://127.0.0.1:1" }] });
    const wrong = await gateway.process.says("reload refused, running on as before", {}, 1);
    assert.match(String(wrong.reason), /redsi/);
    await gateway.reload(liveConfig({ venue: "binance-futurs", ws_url: mock.ws_url, symbols: ["AAAUSDT"] }));
    const unknown = await gateway.process.says("reload refused, running on as before", {}, 2);
    assert.match(String(unknown.reason), /binance-futurs/);

    await gateway.reload({ ...config, servers: [{ kind: "health", listen: "127.0.0.1:0" }] });
    const warning = await gateway.process.says("config changed beyond symbols: restart to apply");
    assert.deepEqual(warning.restart, ["servers"]);
    const stood = stays.deltas;
    await follower.until("more deltas", () => stays.deltas > stood + 10);
    assert.equal(stays.snapshots, 1);
  },
);

Deno.test("a taken port: exit 1, naming the port and where to choose another", async () => {
  using taken = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const listen = `127.0.0.1:${taken.addr.port}`;
  for (const [flag, server] of [["--listen", "WebSocket"], ["--health-listen", "health"]]) {
    const other = flag === "--listen" ? "--health-listen" : "--listen";
    const { code, stderr } = await runMdg({ args: ["run", flag, listen, other, "127.0.0.1:0"] });
    assert.equal(code, 1, stderr);
    assert.match(stderr, new RegExp(`error: listen on "${listen}": address in use`), server);
    assert.match(stderr, new RegExp(`hint: .*servers\\[\\]\\.listen.* ${flag}\\b`), server);
  }
});

async function runConfig(text: string, command: readonly string[] = ["run", "--config"]) {
  const folder = await Deno.makeTempDir({ prefix: "mdg-e2e-" });
  try {
    await Deno.writeTextFile(`${folder}/gateway.yaml`, text);
    return await runMdg({ args: [...command, "gateway.yaml"], cwd: folder });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a bad config: exit 2 with all problems, each with its place", async () => {
  const { code, stdout, stderr } = await runConfig(
    [
      "sources:",
      "  - {kind: live, venue: binance-futures, symbol: [BTCUSDT]}",
      "sinks:",
      "  - {kind: redis, url: http://127.0.0.1}",
      "servers:",
      "  - {kind: health, listen: nowhere}",
      "",
    ].join("\n"),
  );
  assert.deepEqual([code, stdout], [2, ""]);
  assert.match(stderr, /gateway\.yaml:2:\d+: sources\[0\]\.symbol.*symbols/);
  assert.match(stderr, /gateway\.yaml:4:\d+: sinks\[0\]\.url/);
  assert.match(stderr, /gateway\.yaml:6:\d+: servers\[0\]\.listen/);
});

Deno.test("a missing config file is named, with the folder it was looked for in", async () => {
  const { code, stderr } = await runMdg({ args: ["run", "--config", "not_there.yaml"] });
  assert.equal(code, 2);
  assert.match(stderr, /^error: read config "not_there\.yaml": there is no such file\nhint: .*"\/.*"/);
});

Deno.test("an unknown venue is a problem of the config, with the known ones", async () => {
  const text = "sources:\n  - {kind: live, venue: binance-futurs, symbols: [BTCUSDT]}\n";
  for (const command of [["run", "--config"], ["config", "check"]]) {
    const { code, stderr } = await runConfig(text, command);
    assert.equal(code, 2, stderr);
    assert.match(stderr, /"binance-futurs".*binance-futures/);
  }
});
