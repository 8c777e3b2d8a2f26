/**
 * What recording costs the pipeline, and how fast recordings play. Recording: made 20-level frames through tap, mapper,
 * books and payloads, with a recorder and without, in turns (target: < 15 %). Replay: a folder of bookTicker frames and
 * one of trades at full speed (target: 1 million frames/s), read only, mapped, and through books.
 */
import { nextTurn, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { binanceFutures } from "../../lib/feeds/binance/futures.ts";
import { FEEDS } from "../../lib/gateway/catalog.ts";
import { Books } from "../../lib/flow/books.ts";
import { bookPayload } from "../../lib/flow/json_payload.ts";
import { openRecords } from "../../lib/formats/recording/open_records.ts";
import { RECORD, RecordCursor } from "../../lib/formats/recording/record.ts";
import { EventBatch } from "../../lib/market/event_batch.ts";
import { convertCapture } from "../../lib/recorder/convert_capture.ts";
import { Recorder } from "../../lib/recorder/recorder.ts";
import { openReplay } from "../../lib/sources/replay/open_replay.ts";
import { playThrough } from "../../lib/sources/replay/play_through.ts";
import { print, row } from "./figures.ts";
import { madeDepthFrames } from "./frames.ts";

const ROUNDS = 7;
const REPLAYED_FRAMES = 1_000_000;
/** A chunk of a socket: frames that come in one turn of the event loop. */
const FRAMES_PER_TURN = 64;
const never = new AbortController().signal;
const folder = await Deno.makeTempDir({ prefix: "mdg-record-bench-" });

const { frames } = madeDepthFrames({
  symbol: "BTCUSDT",
  frames: 100_000,
  levels: 20,
  spread_of_levels: 600,
  seed: "made",
});
const SNAPSHOT = new TextEncoder().encode(
  JSON.stringify({ lastUpdateId: 1_000, bids: [["1.0", "1"]], asks: [["900000.0", "1"]] }),
);

interface Cost {
  wall_ms: number;
  /** Of the feed's own thread; 0 where the kernel does not tell. */
  cpu_ms: number;
}
function feedThreadCpu_ms(): number {
  try {
    return Number(Deno.readTextFileSync(`/proc/self/task/${Deno.pid}/schedstat`).split(" ")[0]) / 1e6;
  } catch {
    return 0;
  }
}

/** Frames through the pipeline, as a live source would bring them. */
async function runPipeline(recorder: Recorder | undefined): Promise<Cost> {
  const tap = recorder?.source({
    name: "live",
    venue: "binance-futures",
    symbols: ["BTCUSDT"],
    channels: ["book"],
    legs: 1,
    sequence: binanceFutures.sequence,
  });
  const connection = tap?.opened(
    { id: "c", url: "ws://host", leg: 0, symbols: ["BTCUSDT"], channels: ["book"] },
    systemClock.now_us(),
  ) ?? 0;
  let bytes = 0;
  const books = new Books("binance-futures", binanceFutures.sequence, {
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    publish(update) {
      if (update.kind === "book") bytes += bookPayload(update, 20).length;
    },
    requestSnapshot() {},
    can_refresh: false,
  }, true);
  const mapper = binanceFutures.createMapper();
  const batch = new EventBatch();
  const from_cpu_ms = feedThreadCpu_ms();
  const from_ms = systemClock.monotonic_ms();
  for (let i = 0; i < frames.length; i++) {
    const received_us = systemClock.now_us();
    tap?.received(connection, frames[i], false, received_us);
    mapper.map(frames[i], received_us, batch);
    tap?.mapped(connection, batch, batch.size - 1);
    if (i === 0) binanceFutures.snapshot.parse(SNAPSHOT, "BTCUSDT", received_us, batch);
    if (i % FRAMES_PER_TURN !== FRAMES_PER_TURN - 1) continue;
    tap?.taken(received_us);
    books.process(batch);
    batch.clear();
    await nextTurn();
  }
  if (bytes === 0) throw new Error("the pipeline published nothing");
  return { wall_ms: systemClock.monotonic_ms() - from_ms, cpu_ms: feedThreadCpu_ms() - from_cpu_ms };
}

async function recordingCost(): Promise<void> {
  print(
    `recording: ${frames.length} frames of 20 levels, ${FRAMES_PER_TURN} a turn, best of ${ROUNDS} in turns`,
  );
  const without: Cost = { wall_ms: Infinity, cpu_ms: Infinity };
  const recorded: Cost = { wall_ms: Infinity, cpu_ms: Infinity };
  let lost = 0;
  for (let i = 0; i <= ROUNDS; i++) {
    const plain_cost = await runPipeline(undefined);
    const metrics = new Metrics();
    const recorder = await Recorder.open({
      directory: `${folder}/live${i}`,
      segment_bytes: 1e9,
      segment_ms: 1e9,
      keep: {},
      on_full: "wait",
      max_queue_bytes: 64 * 1024 * 1024,
      clock: systemClock,
      log: silentLog,
      metrics,
      version: "bench",
    });
    const recorded_cost = await runPipeline(recorder);
    await recorder[Symbol.asyncDispose]();
    lost += metrics.counter("record_lost_frames_total", "").with().value;
    // The first round compiles.
    if (i === 0) continue;
    for (const key of ["wall_ms", "cpu_ms"] as const) {
      without[key] = Math.min(without[key], plain_cost[key]);
      recorded[key] = Math.min(recorded[key], recorded_cost[key]);
    }
  }
  const percent = (key: keyof Cost) => `${((recorded[key] / without[key] - 1) * 100).toFixed(1)} %`;
  row("without a recorder", `${(frames.length / without.wall_ms).toFixed(0)} k frames/s`);
  row(
    "with a recorder",
    `${(frames.length / recorded.wall_ms).toFixed(0)} k frames/s`,
    `${lost} frames lost, want 0`,
  );
  row("cost of recording, by the clock", percent("wall_ms"), "target < 15 %, where the Worker has a core");
  row("cost of recording, CPU of the feed's thread", percent("cpu_ms"), "target < 15 %");
}

/** Lines of a capture: `kind` frames of ten symbols. */
async function writeCapture(path: string, kind: "bookTicker" | "aggTrade"): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true });
  let text = "";
  for (let i = 0; i < REPLAYED_FRAMES; i++) {
    const symbol = `COIN${i % 10}USDT`;
    const price = (60_000 + i % 1_000 / 10).toFixed(1);
    const data = kind === "bookTicker"
      ? `{"e":"bookTicker","u":${5_000_000_000 + i},"s":"${symbol}","b":"${price}","B":"1.${
        i % 900
      }","a":"${price}5","A":"2.${i % 700}","T":1723161255030,"E":1723161255031}`
      : `{"e":"aggTrade","E":1723161255031,"a":${
        1_000 + Math.floor(i / 10)
      },"s":"${symbol}","p":"${price}","q":"0.${1 + i % 900}","f":${i},"l":${i},"T":1723161255030,"m":${
        i % 2 === 0
      }}`;
    text += `${
      1_723_161_255_000_000_000n + BigInt(i) * 1_000n
    } {"stream":"${symbol.toLowerCase()}@${kind}","data":${data}}\n`;
    if (text.length < 1e6) continue;
    await file.write(new TextEncoder().encode(text));
    text = "";
  }
  await file.write(new TextEncoder().encode(text));
}

async function replaySpeed(kind: "bookTicker" | "aggTrade"): Promise<void> {
  const capture = `${folder}/${kind}`;
  await writeCapture(capture, kind);
  await convertCapture(capture, binanceFutures, {
    directory: `${capture}.recording`,
    segment_bytes: 256 * 1024 * 1024,
    segment_ms: 1e9,
    keep: {},
    on_full: "wait",
    max_queue_bytes: 1e8,
    clock: systemClock,
    log: silentLog,
    version: "bench",
  }, never);
  await Deno.remove(capture);
  print(`replay at full speed: ${REPLAYED_FRAMES} ${kind} frames of ten symbols, best of 4`);
  const path = `${capture}.recording`;
  const measure = async (what: string, work: () => Promise<number>, target = "") => {
    let best_ms = Infinity;
    let best_cpu_ms = Infinity;
    for (let i = 0; i < 5; i++) {
      const from_ms = systemClock.monotonic_ms();
      const from_cpu_ms = feedThreadCpu_ms();
      if (await work() < REPLAYED_FRAMES) throw new Error("frames are missing");
      if (i === 0) continue;
      best_ms = Math.min(best_ms, systemClock.monotonic_ms() - from_ms);
      best_cpu_ms = Math.min(best_cpu_ms, feedThreadCpu_ms() - from_cpu_ms);
    }
    const millions = (ms: number) => (REPLAYED_FRAMES / ms / 1_000).toFixed(2);
    row(
      what,
      `${millions(best_ms)} M frames/s`,
      `${millions(best_cpu_ms)} M per second of its thread's CPU${target}`,
    );
  };
  await measure("records read, unpacked and walked", () => readAll(path));
  await measure("and mapped to events", () => mapAll(path));
  await measure("replayed: events, instruments, updates", () => playAll(path), ", target 1 M");
}
async function readAll(path: string): Promise<number> {
  let count = 0;
  for await (const block of (await openRecords(path)).blocks()) {
    const cursor = new RecordCursor(block);
    while (cursor.next()) if (cursor.kind === RECORD.received_text) count++;
  }
  return count;
}
async function mapAll(path: string): Promise<number> {
  const mapper = binanceFutures.createMapper();
  const batch = new EventBatch();
  let count = 0;
  for await (const block of (await openRecords(path)).blocks()) {
    const cursor = new RecordCursor(block);
    while (cursor.next()) {
      if (cursor.kind !== RECORD.received_text) continue;
      mapper.map(cursor.payload, cursor.at_us, batch);
      count += batch.size;
      batch.clear();
    }
  }
  return count;
}
async function playAll(path: string): Promise<number> {
  const context = {
    name: "replay",
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    seed: "bench",
    feeds: FEEDS,
  };
  const replay = await openReplay({ paths: [path], speed: Infinity, symbols: [], stays: false }, context);
  let count = 0;
  await playThrough(replay, context, { publish: () => void count++ }, never);
  return count;
}

try {
  await recordingCost();
  await replaySpeed("bookTicker");
  await replaySpeed("aggTrade");
} finally {
  await Deno.remove(folder, { recursive: true });
}
