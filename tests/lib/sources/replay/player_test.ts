/**
 * The player: recordings merged by time, places reached silently with books that stand as they stood, pausing and
 * stepping, symbols, and the pace against a clock that moves when told.
 */
import assert from "node:assert/strict";
import { ManualClock, nextTurn, systemClock } from "../../../../lib/base/clock.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { FEEDS } from "../../../../lib/gateway/catalog.ts";
import { bookPayload } from "../../../../lib/flow/json_payload.ts";
import type { MarketUpdate } from "../../../../lib/market/update.ts";
import { convertCapture } from "../../../../lib/recorder/convert_capture.ts";
import { openReplay, type Replay, type ReplayOptions } from "../../../../lib/sources/replay/open_replay.ts";
import { Pace } from "../../../../lib/base/pace.ts";
import { playThrough } from "../../../../lib/sources/replay/play_through.ts";
import { timeOf } from "../../../../lib/sources/replay/player.ts";
import { inFolder } from "../../../in_folder.ts";
import { path as inRepository } from "../../../mdg_process.ts";

const FUTURES = inRepository("fixtures/feeds/binance-futures/capture.ndjson");
const SPOT = inRepository("fixtures/feeds/binance-spot/capture.ndjson");
const never = new AbortController().signal;
const context = () => ({
  name: "replay",
  clock: systemClock,
  log: silentLog,
  metrics: new Metrics(),
  seed: "replay",
  feeds: FEEDS,
});

async function play(
  options: Partial<ReplayOptions> & { paths: string[] },
  during: (replay: Replay, lines: string[]) => Promise<void> = async () => {},
): Promise<string[]> {
  const world = context();
  const replay = await openReplay({ speed: Infinity, symbols: [], stays: false, ...options }, world);
  const lines: string[] = [];
  const playing = playThrough(replay, world, { publish: (update) => void lines.push(lineOf(update)) }, never);
  await during(replay, lines);
  await playing;
  await replay.player.finished();
  return lines;
}
function lineOf(update: MarketUpdate): string {
  const payload = update.kind === "book" ? bookPayload(update, 50) : JSON.stringify(update);
  return `${update.received_us} ${update.venue} ${payload}`;
}
const timesOf = (lines: readonly string[]) => lines.map((line) => parseFloat(line));

async function convert(
  capture: string,
  venue: string,
  directory: string,
  segment_bytes = 1e9,
): Promise<void> {
  await convertCapture(capture, FEEDS[venue], {
    directory,
    segment_bytes,
    segment_ms: 1e9,
    keep: {},
    on_full: "wait",
    max_queue_bytes: 1e8,
    clock: systemClock,
    log: silentLog,
    version: "test",
  }, never);
}

Deno.test("a capture, and the folder made of it, play the same, and twice the same", () =>
  inFolder(async (folder) => {
    await convert(FUTURES, "binance-futures", folder);
    const lines = await play({ paths: [FUTURES] });
    assert.ok(lines.length > 1_000);
    for (const paths of [[FUTURES], [folder], [folder]]) assert.deepEqual(await play({ paths }), lines);
  }));

Deno.test("two venues merged by time: every update of both, in order of receive time", () =>
  inFolder(async (folder) => {
    await convert(FUTURES, "binance-futures", `${folder}/futures`);
    await convert(SPOT, "binance-spot", `${folder}/spot`);
    const alone = [...await play({ paths: [FUTURES] }), ...await play({ paths: [SPOT] })];
    const merged = await play({ paths: [`${folder}/futures`, `${folder}/spot`] });
    assert.deepEqual([...merged].sort(), [...alone].sort());
    assert.deepEqual(await play({ paths: [`${folder}/futures`, `${folder}/spot`] }), merged);
  }));

Deno.test("from a place in the middle: its books stand at once, and what follows is as if played from the start", () =>
  inFolder(async (folder) => {
    await convert(FUTURES, "binance-futures", folder, 20_000);
    const whole = await play({ paths: [folder] });
    const from_us = timesOf(whole)[Math.floor(whole.length * 0.6)];
    const part = await play({ paths: [folder], from_us });
    const last_books = (lines: readonly string[]) => lines.filter((line) => line.includes('"bids"')).at(-1);
    assert.equal(last_books(part), last_books(whole));
    const tail = whole.filter((line) =>
      parseFloat(line) > from_us && !line.includes('"bids"') && !line.includes("book_status")
    );
    const part_tail = part.filter((line) =>
      parseFloat(line) > from_us && !line.includes('"bids"') && !line.includes("book_status")
    );
    assert.deepEqual(part_tail, tail);
    assert.ok(timesOf(part).every((at_us) => at_us >= from_us));
  }));

Deno.test("to a place, and only some symbols", async () => {
  const whole = await play({ paths: [FUTURES] });
  const to_us = timesOf(whole)[500];
  const part = await play({ paths: [FUTURES], to_us });
  assert.deepEqual(part, whole.slice(0, part.length));
  assert.ok(part.length > 400 && part.length < whole.length);
  assert.deepEqual(await play({ paths: [FUTURES], symbols: ["ethusdt"] }), []);
  assert.deepEqual(await play({ paths: [FUTURES], symbols: ["btcusdt"] }), whole);
});

Deno.test("paused it stands, a step brings one batch, resumed it plays on to the same end", async () => {
  const whole = await play({ paths: [FUTURES] });
  const stepped = await play({ paths: [FUTURES] }, async ({ player }, lines) => {
    player.pause();
    for (let i = 0; i < 20; i++) await nextTurn();
    const before = lines.length;
    for (let i = 0; i < 20; i++) await nextTurn();
    assert.equal(lines.length, before);
    assert.equal(player.state.paused, true);
    // A batch may say nothing yet: a delta before its snapshot.
    for (let steps = 0; lines.length === before && steps < 200; steps++) {
      const { records } = player.state;
      player.step();
      for (let turns = 0; player.state.records === records && turns < 1_000; turns++) await nextTurn();
      for (let i = 0; i < 4; i++) await nextTurn();
    }
    const { records } = player.state;
    const after = lines.length;
    assert.ok(after > before && after < whole.length);
    for (let i = 0; i < 20; i++) await nextTurn();
    assert.deepEqual([lines.length, player.state.records - records <= 1], [after, true]);
    player.resume();
  });
  assert.deepEqual(stepped, whole);
});

Deno.test("sent back while it plays: books leave sync, and the same end is reached", async () => {
  const whole = await play({ paths: [FUTURES] });
  const jumped = await play({ paths: [FUTURES] }, async ({ player }) => {
    player.pause();
    player.step();
    for (let i = 0; i < 20; i++) await nextTurn();
    player.seek(timesOf(whole)[200]);
    for (let i = 0; i < 20; i++) await nextTurn();
    player.resume();
  });
  assert.equal(jumped.at(-1), whole.at(-1));
});

Deno.test("the pace: due by receive time at the speed; a change begins anew from where it is", () => {
  const clock = new ManualClock(0);
  const pace = new Pace(clock, 2);
  assert.equal(pace.wait_ms(1_000_000), 0);
  assert.equal(pace.wait_ms(1_100_000), 50);
  clock.advance(50);
  assert.equal(pace.wait_ms(1_100_000), 0);
  pace.speed = 1;
  pace.restart();
  assert.equal(pace.wait_ms(1_200_000), 0);
  assert.equal(pace.wait_ms(1_210_000), 10);
  clock.advance(30);
  assert.equal(pace.wait_ms(1_210_000), 0);
  assert.equal(pace.worst_lateness_ms, 20);
});

Deno.test("times are ISO 8601 or digits of seconds, milliseconds, microseconds, nanoseconds", () => {
  const want = 1_796_000_461_000_000;
  for (
    const text of [
      "1796000461",
      "1796000461000",
      "1796000461000000",
      "1796000461000000000",
      "2026-11-30T01:01:01Z",
    ]
  ) {
    assert.equal(timeOf("--from", text), want);
  }
  assert.throws(() => timeOf("--from", "soon"), /is no time/);
});
