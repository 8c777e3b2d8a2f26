/**
 * kill −9 of what the gateway depends on, in mid-run, and its return. Waits for events; the bounds only catch what never
 * comes. Each test prints what it measured.
 */
import assert from "node:assert/strict";
import { RedisServer, redisServerMissing, RedisSubscriber } from "../live/redis_server.ts";
import { path } from "../mdg_process.ts";
import { testUnless } from "../services.ts";
import { BookFollower } from "./book_follower.ts";
import { GatewayProcess, metricIn } from "./gateway_process.ts";
import { booksAndTrades, liveConfig } from "./live_config.ts";
import { MockProcess } from "./mock_process.ts";
import { readOrderbook, readTrade } from "./payload_shape.ts";
import { timed, until } from "./until.ts";

const VENUE = "binance-futures";
const SYMBOLS = ["AAAUSDT", "BBBUSDT", "CCCUSDT"];
const MARKET = ["--symbols", SYMBOLS.join(","), "--interval", "20", "--rate", "400"];
/** Far above what it takes: a slow machine is no failure, a hang is. */
const RETURN_LIMIT_MS = 10_000;
const MAX_GROWTH_BYTES = 200_000_000;

const no_kill = Deno.build.os === "windows" ? "Windows has no SIGKILL" : undefined;

function report(what: string, figures: Record<string, unknown>): void {
  Deno.stderr.writeSync(new TextEncoder().encode(`${what}: ${JSON.stringify(figures)}\n`));
}
function sum(text: string, name: string, labels: Record<string, string> = {}): number {
  return SYMBOLS.reduce((total, symbol) => total + (metricIn(text, name, { symbol, ...labels }) ?? 0), 0);
}

testUnless(
  no_kill ?? redisServerMissing(),
  "kill −9 of redis: back by itself, every trade delivered",
  async () => {
    await using redis = await RedisServer.start();
    await using subscriber = new RedisSubscriber(redis.url, "*");
    await subscriber.until(() => subscriber.subscribed);
    await using mock = await MockProcess.start(VENUE, MARKET);
    await using gateway = await GatewayProcess.start(
      liveConfig({ venue: VENUE, ws_url: mock.ws_url, symbols: SYMBOLS, redis_url: redis.url }),
    );
    await gateway.untilReady();
    await subscriber.until(() =>
      SYMBOLS.every((symbol) => subscriber.payloads(`orderbook:${symbol}`).length > 10)
    );
    await using follower = new BookFollower(gateway.ws_url, booksAndTrades(SYMBOLS));
    await follower.until("deltas", () => SYMBOLS.every((symbol) => follower.of(symbol).deltas > 5));

    const rss_before_bytes = gateway.process.rssBytes();
    await redis.kill();
    const { reasons } = await gateway.untilReadiness("why redis is away", ({ ready }) => !ready);
    assert.ok(
      reasons.some((reason) => /redis at 127\.0\.0\.1:\d+ is not connected/.test(reason)),
      `${reasons}`,
    );
    const missed_from = sum(await gateway.metricsText(), "trades_processed_total");
    await until(
      "a hundred trades meanwhile",
      async () => sum(await gateway.metricsText(), "trades_processed_total") > missed_from + 100,
    );
    const rss_away_bytes = gateway.process.rssBytes();

    const seen = subscriber.received.length;
    await redis.start();
    const { elapsed_ms } = await timed(() =>
      subscriber.until(() => subscriber.received.length > seen, RETURN_LIMIT_MS)
    );
    await gateway.untilReady(RETURN_LIMIT_MS);
    // One scrape tells what came in and what Redis took; they meet whenever nothing is queued.
    const text = await until("all trades taken by redis", async () => {
      const page = await gateway.metricsText();
      const published = sum(page, "redis_publishes_total", { type: "trade" });
      return published > missed_from + 100 && published === sum(page, "trades_processed_total") && page;
    }, RETURN_LIMIT_MS);
    for (const type of ["trade", "book"]) {
      assert.equal(
        metricIn(text, "sink_dropped_total", { type }) ?? 0,
        0,
      );
    }

    // What comes after the return is whole again: valid, in order, and no trade is missing on the way.
    const after = subscriber.received.slice(seen);
    for (const { channel, payload } of after) {
      const [kind, symbol] = channel.split(":");
      if (kind === "orderbook") readOrderbook(payload, symbol, 20);
      else readTrade(payload, symbol);
    }
    for (const symbol of SYMBOLS) {
      const ids = after.filter(({ channel }) => channel === `trades:${symbol}`)
        .map(({ payload }) => readTrade(payload, symbol).trade_id);
      const all = follower.of(symbol).trade_ids;
      const stretch = all.slice(all.indexOf(ids[0]), all.indexOf(ids[0]) + ids.length);
      assert.deepEqual(ids.slice(0, stretch.length), stretch);
      assert.deepEqual([follower.of(symbol).snapshots, follower.of(symbol).statuses], [1, []]);
    }
    const rss_after_bytes = gateway.process.rssBytes();
    report("redis killed", {
      publishing_again_ms: elapsed_ms,
      rss_before_bytes,
      rss_away_bytes,
      rss_after_bytes,
    });
    assert.ok(Math.max(rss_away_bytes, rss_after_bytes) < rss_before_bytes + MAX_GROWTH_BYTES);
  },
);

/** Kills the venue while the books live, looks at what is said meanwhile, brings it back on the same port. */
async function killVenue(venue: string, symbols: readonly string[], args: readonly string[]): Promise<void> {
  const first = await MockProcess.start(venue, args);
  await using _first = first;
  // The delays of production.
  const source = { reconnect_delay_ms: 1_000, max_reconnect_delay_ms: 60_000 };
  await using gateway = await GatewayProcess.start(
    liveConfig({ venue, ws_url: first.ws_url, symbols, source }),
  );
  await gateway.untilReady();
  await using follower = new BookFollower(gateway.ws_url, booksAndTrades(symbols));
  await follower.until("deltas", () => symbols.every((symbol) => follower.of(symbol).deltas > 20));
  const rss_before_bytes = gateway.process.rssBytes();

  const { elapsed_ms: noticed_ms } = await timed(async () => {
    await first.process.kill();
    const { status, reasons } = await gateway.untilReadiness(
      "which books are away",
      ({ ready, reasons }) =>
        !ready && symbols.every((symbol) => reasons.some((one) => one.includes(symbol))),
    );
    assert.equal(status, 503);
    assert.ok(reasons.some((reason) => reason.includes("not connected")), `${reasons}`);
  });
  await follower.until(
    "the status",
    () => symbols.every((one) => follower.of(one).statuses.at(-1) === false),
  );
  const before = new Map(symbols.map((symbol) => [symbol, { ...follower.of(symbol) }]));
  // Long enough for several attempts to reconnect, which fail.
  await gateway.process.says("connection lost", {}, gateway.process.said("connection lost").length + 6);
  assert.deepEqual(gateway.process.said("snapshot request failed").slice(symbols.length), []);
  for (const [symbol, { deltas, snapshots }] of before) {
    const now = follower.of(symbol);
    assert.deepEqual([now.deltas, now.snapshots], [deltas, snapshots], "published while the venue was away");
  }

  await using second = await MockProcess.start(venue, [...args, "--listen", first.address]);
  const { elapsed_ms } = await timed(() => gateway.untilReady(RETURN_LIMIT_MS));
  await follower.until(
    "books of the returned venue",
    () =>
      symbols.every((symbol) => {
        const { deltas, snapshots } = follower.of(symbol);
        return snapshots > before.get(symbol)!.snapshots && deltas > before.get(symbol)!.deltas + 10;
      }),
  );
  const lanes = (await second.stats()).clients;
  for (const symbol of symbols) {
    assert.deepEqual(follower.of(symbol).statuses, [false, true]);
    assert.equal(await gateway.metric("websocket_disconnects_total", { symbol }), lanes);
  }
  const rss_after_bytes = gateway.process.rssBytes();
  report(`${venue} killed`, { noticed_ms, in_sync_again_ms: elapsed_ms, rss_before_bytes, rss_after_bytes });
  assert.ok(rss_after_bytes < rss_before_bytes + MAX_GROWTH_BYTES);
}

testUnless(no_kill, "kill −9 of the venue: not ready meanwhile, in sync soon after its return", async () => {
  await killVenue(VENUE, SYMBOLS, MARKET);
});

testUnless(no_kill, "a venue whose ids start anew after kill −9 is believed again", async () => {
  // The recording plays from its beginning, so every id is one that the gateway has seen.
  const capture = path(`fixtures/feeds/${VENUE}/capture.ndjson`);
  await killVenue(VENUE, ["BTCUSDT"], ["--capture", capture, "--speed", "1"]);
});
