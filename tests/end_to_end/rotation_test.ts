/**
 * Connections replaced before the venue's cut, often, in mid-market: the book never leaves sync, nothing is sent twice or
 * not at all. And a venue that announces its own end.
 */
import assert from "node:assert/strict";
import { parseCaptureLine } from "../../lib/mocks/binance/capture_tape.ts";
import { freePort } from "../../scripts/services/daemon.ts";
import { path } from "../mdg_process.ts";
import { testUnless } from "../services.ts";
import { BookFollower } from "./book_follower.ts";
import { GatewayProcess } from "./gateway_process.ts";
import { booksAndTrades, liveConfig } from "./live_config.ts";
import { MockProcess } from "./mock_process.ts";
import { until } from "./until.ts";

const SYMBOL = "BTCUSDT";
const no_signals = Deno.build.os === "windows" ? "Windows has no SIGTERM" : undefined;

/** Ids of the trades in a capture that the venue would send, in order. */
async function tradeIds(capture: string): Promise<number[]> {
  const items = (await Deno.readTextFile(capture)).split("\n").map((line) => parseCaptureLine(line));
  return items.filter((item) => item?.kind === "trade").map((item) => JSON.parse(item!.data).t);
}

// With the fault, successors are told that they are subscribed to streams that never come; the seed spares the first.
const CASES = [
  ["binance-futures", "rotation in mid-market", []],
  ["binance-spot", "rotation in mid-market", []],
  ["binance-futures", "rotation to a connection that lies", [
    "--fault",
    "lying-ack=0.4",
    "--seed",
    "44",
  ]],
] as const;

for (const [venue, what, faults] of CASES) {
  Deno.test(`${venue}: ${what} loses and repeats nothing`, async () => {
    const lanes = venue === "binance-futures" ? 2 : 1;
    const capture = path(`fixtures/feeds/${venue}/capture.ndjson`);
    const listen = `127.0.0.1:${freePort()}`;
    await using gateway = await GatewayProcess.start(liveConfig({
      venue,
      ws_url: `ws://${listen}`,
      symbols: [SYMBOL],
      source: { lifetime_ms: 1_500, first_data_ms: 700, reconnect_delay_ms: 50 },
    }));
    await using follower = new BookFollower(gateway.ws_url, booksAndTrades([SYMBOL]));
    await follower.until("the status of a book not yet there", () => follower.of(SYMBOL).statuses.length > 0);
    await using mock = await MockProcess.start(venue, [
      "--capture",
      capture,
      "--speed",
      "1",
      "--listen",
      listen,
      ...faults,
    ]);
    await until("the end of the market", async () => (await mock.stats()).finished, 60_000);

    const want = await tradeIds(capture);
    const { book, trade_ids, statuses, snapshots } = follower.of(SYMBOL);
    const { last_update_ids } = await mock.stats();
    await follower.until(
      "the last update",
      () => book.last_update_id === last_update_ids[SYMBOL] && trade_ids.length >= want.length,
    );
    assert.deepEqual(trade_ids, want);
    // Waiting at first, then in sync for good; its sequence is checked delta by delta.
    assert.deepEqual([statuses, snapshots], [[false, true], 1]);
    const failed = gateway.process.said("successor connection failed").length;
    const { injected } = await mock.stats();
    assert.equal(failed > 0, faults.length > 0);
    assert.equal(injected["lying-ack"] > 0, faults.length > 0);
    assert.ok((await gateway.metric("feed_rotations_total", { venue }))! >= (failed > 0 ? 1 : 3) * lanes);
    for (const name of ["sequence_errors_total", "book_resyncs_total", "trades_missed_total"]) {
      assert.equal(await gateway.metric(name, { symbol: SYMBOL }), 0, name);
    }
  });
}

testUnless(
  no_signals,
  "spot: an announced shutdown opens the next connection before this one ends",
  async () => {
    const venue = "binance-spot";
    await using first = await MockProcess.start(venue, ["--symbols", "AAAUSDT", "--interval", "20"]);
    await using gateway = await GatewayProcess.start(
      liveConfig({ venue, ws_url: first.ws_url, symbols: ["AAAUSDT"] }),
    );
    await gateway.untilReady();
    first.process.signal("SIGTERM");
    assert.equal(await first.process.ended, 0);
    const line = await gateway.process.says("rotating connection");
    assert.equal(line.reason, "the venue announced a shutdown");
    await gateway.untilReadiness("why not", ({ ready }) => !ready);
    await using _second = await MockProcess.start(venue, [
      "--symbols",
      "AAAUSDT",
      "--interval",
      "20",
      "--listen",
      first.address,
    ]);
    await gateway.untilReady();
    assert.deepEqual(gateway.process.said("unknown frame ignored"), []);
  },
);
