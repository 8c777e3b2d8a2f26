/**
 * Frame bytes to updated book, against JSON.parse + Number with a Map that is sorted and with a sorted array, all in one
 * run on the same frames. Targets: ≥ 2.3 × the faster baseline, ≥ 5 million level updates a second on one core.
 * Growth with levels, symbols and book size, and the heap over 10 million updates.
 */
import { OrderBook } from "../../lib/market/order_book.ts";
import { EventBatch } from "../../lib/market/event_batch.ts";
import { BinanceMapper } from "../../lib/feeds/binance/messages.ts";
import type { BookDelta } from "../../lib/market/event.ts";
import { MapAndSortBook, SortedArrayBook } from "./baseline_books.ts";
import { fastest_ms, print, row } from "./figures.ts";
import { captureFrames, isDepthFrame, madeDepthFrames } from "./frames.ts";

const DIALECT = { venue: "bench", needs_previous_id: true };

function ours(frames: readonly Uint8Array[], books: Map<string, OrderBook> = new Map()): number {
  const mapper = new BinanceMapper(DIALECT);
  const batch = new EventBatch();
  let levels = 0;
  for (const frame of frames) {
    batch.clear();
    mapper.map(frame, 1, batch);
    const delta = batch.events[0] as BookDelta;
    let book = books.get(delta.symbol);
    if (!book) books.set(delta.symbol, book = new OrderBook());
    book.apply(delta.bids, delta.asks);
    levels += delta.bids.size + delta.asks.size;
  }
  return levels;
}

function compare(name: string, frames: readonly Uint8Array[], map_frames: number): void {
  const levels = ours(frames);
  const us = (ms: number, count = frames.length) => ms * 1000 / count;
  const scan_us = us(fastest_ms(() => {
    const mapper = new BinanceMapper(DIALECT);
    const batch = new EventBatch();
    for (const frame of frames) {
      batch.clear();
      mapper.map(frame, 1, batch);
    }
  }));
  const decoder = new TextDecoder();
  const parse_us = us(fastest_ms(() => {
    for (const frame of frames) JSON.parse(decoder.decode(frame));
  }));
  const our_ms = fastest_ms(() => ours(frames));
  const array_us = us(fastest_ms(() => {
    const book = new SortedArrayBook();
    for (const frame of frames) book.frame(frame);
  }));
  const few = frames.slice(0, map_frames);
  const map_us = us(
    fastest_ms(() => {
      const book = new MapAndSortBook();
      for (const frame of few) book.frame(frame);
    }, 1),
    few.length,
  );
  const our_us = us(our_ms);
  print(`${name}: ${frames.length} frames, ${(levels / frames.length).toFixed(1)} levels a frame`);
  row("JSON.parse alone", `${parse_us.toFixed(2)} µs/frame`);
  row(
    "scan alone (mdg)",
    `${scan_us.toFixed(2)} µs/frame`,
    `${(parse_us / scan_us).toFixed(1)} × JSON.parse alone`,
  );
  row("baseline: JSON.parse + Number + Map, sorted for top 20", `${map_us.toFixed(2)} µs/frame`);
  row("baseline: JSON.parse + Number + sorted array", `${array_us.toFixed(2)} µs/frame`);
  row(
    "frame to book (mdg)",
    `${our_us.toFixed(2)} µs/frame`,
    `${(Math.min(array_us, map_us) / our_us).toFixed(2)} × the faster baseline (target 2.3)`,
  );
  row("level updates (mdg)", `${(levels / our_ms / 1000).toFixed(2)} M/s`, "target 5");
}

function growth(): void {
  print("growth (frame to book)");
  for (const levels of [2, 20, 100, 500]) {
    const { frames } = madeDepthFrames({
      symbol: "BTCUSDT",
      frames: Math.max(400, 40_000 / levels),
      levels,
      spread_of_levels: 2_000,
      seed: "growth",
    });
    const ms = fastest_ms(() => ours(frames));
    const ns = ms * 1e6 / (frames.length * levels);
    row(`${levels} levels a frame, book of about 3,300`, `${ns.toFixed(0)} ns/level`);
  }
  for (const spread_of_levels of [60, 600, 6_000, 60_000]) {
    const { frames } = madeDepthFrames({
      symbol: "BTCUSDT",
      frames: 20_000,
      levels: 20,
      spread_of_levels,
      seed: "growth",
    });
    const books = new Map<string, OrderBook>();
    const ms = fastest_ms(() => ours(frames, books));
    const { bids, asks } = books.get("BTCUSDT")!;
    row(
      `20 levels a frame, book of ${bids.size + asks.size}`,
      `${(ms * 1e6 / (20_000 * 20)).toFixed(0)} ns/level`,
    );
  }
  for (const symbols of [1, 10, 100, 500]) {
    const streams = Array.from({ length: symbols }, (_, i) =>
      madeDepthFrames({
        symbol: `SYM${i}USDT`,
        frames: Math.ceil(20_000 / symbols),
        levels: 20,
        spread_of_levels: 600,
        seed: `symbol ${i}`,
      }).frames);
    const frames = streams[0].flatMap((_, i) => streams.map((stream) => stream[i]));
    const ms = fastest_ms(() => ours(frames));
    row(
      `${symbols} symbols interleaved, 20 levels a frame`,
      `${(ms * 1000 / frames.length).toFixed(2)} µs/frame`,
    );
  }
}

function heap(): void {
  const { frames } = madeDepthFrames({
    symbol: "BTCUSDT",
    frames: 5_000,
    levels: 20,
    spread_of_levels: 600,
    seed: "heap",
  });
  const books = new Map<string, OrderBook>();
  const gc = (globalThis as { gc?: () => void }).gc ?? (() => {});
  ours(frames, books);
  gc();
  const before = Deno.memoryUsage();
  let updates = 0;
  while (updates < 10_000_000) updates += ours(frames, books);
  gc();
  const after = Deno.memoryUsage();
  print(`heap over ${(updates / 1e6).toFixed(1)} M level updates`);
  row(
    "growth of the heap",
    `${((after.heapUsed - before.heapUsed) / 1024).toFixed(0)} KiB`,
    "target 0 (noise)",
  );
  row(
    "growth of typed arrays",
    `${((after.external - before.external) / 1024).toFixed(0)} KiB`,
    "target 0 (noise)",
  );
}

const made = madeDepthFrames({
  symbol: "BTCUSDT",
  frames: 20_000,
  levels: 20,
  spread_of_levels: 600,
  seed: "made",
});
compare("made frames", made.frames, 500);
const futures = captureFrames("binance-futures_btcusdt_20240808.gz")?.filter(isDepthFrame);
if (futures) compare("futures capture, depth frames", futures, 200);
else print("futures capture: skipped, ../shared/data is not there");
growth();
heap();
