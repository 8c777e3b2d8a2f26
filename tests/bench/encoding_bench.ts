/**
 * What clients of the restream protocol get on a recorded market, in both forms: bytes and time a message, by channel. The
 * binary form is to be 2 to 5 times smaller. Without the captures it takes the fixture.
 * Run: deno task bench encoding
 */
import { systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { binanceFutures } from "../../lib/feeds/binance/futures.ts";
import { Books } from "../../lib/flow/books.ts";
import { Dispatcher } from "../../lib/flow/dispatcher.ts";
import { EventBatch } from "../../lib/market/event_batch.ts";
import { MarketSide } from "../../lib/servers/restream/market/market_side.ts";
import type { EdgeInbox } from "../../lib/servers/restream/market_words.ts";
import type { ChannelName } from "../../lib/servers/restream/protocol.ts";
import {
  BINARY_FORMAT,
  type Format,
  handleOf,
  handleOfStream,
  JSON_FORMAT,
  streamOf,
  type Variant,
  variantOf,
} from "../../lib/servers/restream/stream_key.ts";
import { print, row } from "./figures.ts";
import { captureFrames } from "./frames.ts";

const VARIANTS: readonly Variant[] = [
  { channel: "book" },
  { channel: "book", depth: 20 },
  { channel: "trades" },
  { channel: "bbo" },
];

/** Counts what would go out. */
class Counter implements EdgeInbox {
  readonly counts = new Map<string, { messages: number; bytes: number }>();
  instruments: number[] = [];
  instrument(id: number): void {
    this.instruments.push(id);
  }
  frame(stream: number, _seq: number, _flags: number, frame: Uint8Array): void {
    const { channel, depth } = variantOf(handleOfStream(stream));
    this.#count(channel, depth, frame.length);
  }
  snapshot(stream: number, _seq: number, frame: Uint8Array): void {
    const { depth } = variantOf(handleOfStream(stream));
    this.#count("book", depth, frame.length, " whole");
  }
  #count(channel: ChannelName, depth: number | undefined, bytes: number, what = ""): void {
    const name = `${channel}${depth === undefined ? "" : ` of ${depth}`}${what}`;
    const count = this.counts.get(name) ?? { messages: 0, bytes: 0 };
    this.counts.set(name, count);
    count.messages++;
    count.bytes += bytes;
  }
  removed(): void {}
  status(): void {}
  statusNow(): void {}
  opened(): void {}
  hold(): void {}
  refreshed(): void {}
  flush(): void {}
}

/** All frames through the gateway's middle to one server with these streams; milliseconds and what came out. */
function run(
  frames: readonly Uint8Array[],
  format: Format | undefined,
): { spent_ms: number; counter: Counter } {
  const metrics = new Metrics();
  const hub = new Dispatcher(systemClock, silentLog, metrics, "bench");
  const batch = new EventBatch();
  const books = new Books(binanceFutures.name, binanceFutures.sequence, {
    clock: systemClock,
    log: silentLog,
    metrics,
    publish: (update) => hub.publish(update),
    requestSnapshot() {},
    can_refresh: false,
  }, true);
  books.add("BTCUSDT");
  hub.addBooks(books);
  const counter = new Counter();
  const market = new MarketSide("bench", hub, counter);
  for (const id of counter.instruments) {
    if (format === undefined) break;
    for (const variant of VARIANTS) market.open(streamOf(handleOf(id, variant), format));
  }
  const mapper = binanceFutures.createMapper();
  const from_ms = systemClock.monotonic_ms();
  for (const frame of frames) {
    const received_us = systemClock.now_us();
    const outcome = mapper.map(frame, received_us, batch);
    if (outcome.kind === "unknown" && outcome.what.includes("snapshot")) {
      binanceFutures.snapshot!.parse(frame, "BTCUSDT", received_us, batch);
    }
    books.process(batch);
    batch.clear();
    hub.flush();
  }
  const spent_ms = systemClock.monotonic_ms() - from_ms;
  market.stop();
  return { spent_ms, counter };
}

function best(frames: readonly Uint8Array[], format: Format | undefined) {
  let fastest = run(frames, format);
  for (let i = 0; i < 3; i++) {
    const next = run(frames, format);
    if (next.spent_ms < fastest.spent_ms) fastest = next;
  }
  return fastest;
}

const frames = captureFrames("binance-futures_btcusdt_20240808.gz");
if (frames === undefined) print("captures: skipped, ../shared/data is not there");
else {
  const nothing = best(frames, undefined);
  const json = best(frames, JSON_FORMAT);
  const binary = best(frames, BINARY_FORMAT);
  let messages = 0;
  for (const [name, count] of json.counter.counts) {
    const small = binary.counter.counts.get(name)!;
    messages += count.messages;
    row(
      `${name}, ${count.messages} messages`,
      `${(count.bytes / count.messages).toFixed(0)} and ${(small.bytes / small.messages).toFixed(0)} bytes`,
      `binary ${(count.bytes / small.bytes).toFixed(2)} times smaller`,
    );
  }
  const each_us = (ms: number) => `${((ms - nothing.spent_ms) * 1000 / messages).toFixed(2)} µs`;
  row("encoding, JSON", each_us(json.spent_ms), "a message, all channels together");
  row(
    "encoding, binary",
    each_us(binary.spent_ms),
    `${(json.spent_ms / binary.spent_ms).toFixed(2)} × of the whole way`,
  );
}
