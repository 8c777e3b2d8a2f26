/**
 * From a book to Redis: encoding against JSON.stringify over the same levels, the sink against ioredis fed one command at
 * a time and against redis-benchmark's pipelined PUBLISH of the same payload. Targets: a 20-level payload in ≤ 3 µs, half
 * of redis-benchmark. The live part runs where MDG_TEST_REDIS_URL or the standard port answers.
 */
import { Redis } from "ioredis";
import { nextTurn, systemClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import { DELIVERY_LIMITS, DeliveryQueue } from "../../lib/flow/delivery_queue.ts";
import { bookPayload, tradePayload } from "../../lib/flow/json_payload.ts";
import type { Trade } from "../../lib/market/event.ts";
import { LevelList } from "../../lib/market/level_list.ts";
import { OrderBook } from "../../lib/market/order_book.ts";
import type { BookUpdate } from "../../lib/market/update.ts";
import { redis } from "../../lib/sinks/registry.ts";
import type { SinkContext } from "../../lib/sinks/sink.ts";
import { fastest_ms, print, row } from "./figures.ts";

const DEPTH = 20;
const ENCODED = 200_000;
const PUBLISHED = 51_200;
/** Updates that one frame or socket read brings along. */
const UPDATES_PER_FLUSH = 16;
/** After so many the event loop gets its turn, as sockets give it. */
const UPDATES_PER_TURN = 256;
const url = Deno.env.get("MDG_TEST_REDIS_URL") ?? "redis://127.0.0.1:6379";

function madeBook(): OrderBook {
  const bids = new LevelList();
  const asks = new LevelList();
  for (let i = 0; i < 500; i++) {
    bids.push((618_001 - i) / 10, (1_234 + i * 37) / 1_000);
    asks.push((618_002 + i) / 10, (987 + i * 53) / 1_000);
  }
  bids.noteDecimals(1, 3);
  asks.noteDecimals(1, 3);
  const book = new OrderBook();
  book.apply(bids, asks);
  return book;
}
const book = madeBook();
let sequence = 0;
const nextBook = (): BookUpdate => ({
  kind: "book",
  venue: "bench",
  symbol: "BTCUSDT",
  book,
  sequence: ++sequence,
  last_update_id: 5_123_456_789_012 + sequence,
  received_us: 1_723_075_200_000_000,
});
const nextTrade = (): Trade => ({
  kind: "trade",
  venue: "bench",
  symbol: "BTCUSDT",
  trade_id: ++sequence,
  price: 61_800.1,
  quantity: 0.123,
  aggressor: "buy",
  exchange_ms: 1_723_075_200_000,
  received_us: 1_723_075_200_000_000,
});

function naivePayload(update: BookUpdate): string {
  const bids: number[][] = [];
  const asks: number[][] = [];
  for (let i = 0; i < DEPTH; i++) {
    bids.push([update.book.bids.price(i), update.book.bids.quantity(i)]);
    asks.push([update.book.asks.price(i), update.book.asks.quantity(i)]);
  }
  const { symbol, last_update_id } = update;
  return JSON.stringify({ symbol, bids, asks, last_update_id, timestamp: 1_723_075_200_000 });
}

function encodingUs(encode: () => unknown): number {
  const round = () => {
    for (let i = 0; i < ENCODED; i++) encode();
  };
  return fastest_ms(round) * 1_000 / ENCODED;
}

function encoding(): void {
  print(`encode ${bookPayload(nextBook(), DEPTH).length} bytes of ${DEPTH} levels a side`);
  const naive_us = encodingUs(() => naivePayload(nextBook()));
  row("baseline: objects and JSON.stringify", `${naive_us.toFixed(2)} µs`);
  const ours_us = encodingUs(() => bookPayload(nextBook(), DEPTH));
  row("book payload", `${ours_us.toFixed(2)} µs`, `${(naive_us / ours_us).toFixed(1)}×, target 3 µs`);
  const shared_us = encodingUs(() => {
    const update = nextBook();
    bookPayload(update, DEPTH);
    bookPayload(update, DEPTH);
  });
  row("book payload for two sinks", `${shared_us.toFixed(2)} µs`);
  row("trade payload", `${encodingUs(() => tradePayload(nextTrade())).toFixed(2)} µs`);
}

type Next = () => BookUpdate | Trade;

/** A connected sink of this kind and its context. */
async function openSink(deliver: "pubsub" | "streams") {
  const ready = Promise.withResolvers<void>();
  const context: SinkContext = {
    name: "redis",
    clock: systemClock,
    log: silentLog,
    metrics: new Metrics(),
    seed: "bench",
    writable: ready.resolve,
  };
  const config = redis.schema.parse({
    url,
    deliver,
    streams: { max_books: 1_000, max_trades: 10_000 },
    channels: { book: "mdgbench:orderbook:{symbol}", trades: "mdgbench:trades:{symbol}" },
    latest_key: "mdgbench:latest:{symbol}",
    latest_ttl_ms: 1_000,
  });
  const sink = await redis.connect(config, context);
  await ready.promise;
  return { sink, context };
}

/** Encodes and publishes through the real sink and its queue until all is answered; returns messages per second. */
async function published(next: Next, deliver: "pubsub" | "streams" = "pubsub"): Promise<number> {
  const { sink, context } = await openSink(deliver);
  // No lag, so that every message is really encoded and sent.
  const queue = new DeliveryQueue(sink, { ...context, readBook: () => undefined }, {
    lag_messages: 2 * PUBLISHED,
    max_trades: 2 * PUBLISHED,
  });
  const from_ms = systemClock.monotonic_ms();
  for (let i = 1; i <= PUBLISHED; i++) {
    queue.offer(next());
    if (i % UPDATES_PER_FLUSH === 0) queue.flush();
    if (i % UPDATES_PER_TURN === 0) await nextTurn();
  }
  const left = await queue.close(60_000);
  const elapsed_ms = systemClock.monotonic_ms() - from_ms;
  await sink[Symbol.asyncDispose]();
  if (left > 0) throw new Error(`publish: ${left} messages left`);
  return PUBLISHED * 1_000 / elapsed_ms;
}

/** Only the sink's part: messages encoded before, written in batches as the queue does it; per second. */
async function written(next: Next, deliver: "pubsub" | "streams" = "pubsub"): Promise<number> {
  const { sink } = await openSink(deliver);
  const batches = Array.from(
    { length: 2 * PUBLISHED / DELIVERY_LIMITS.max_batch },
    () => Array.from({ length: DELIVERY_LIMITS.max_batch }, () => sink.encode(next())),
  );
  const from_ms = systemClock.monotonic_ms();
  const writers = Array.from({ length: DELIVERY_LIMITS.max_writes }, async () => {
    for (let batch = batches.pop(); batch; batch = batches.pop()) await sink.write(batch);
  });
  await Promise.all(writers);
  const elapsed_ms = systemClock.monotonic_ms() - from_ms;
  await sink[Symbol.asyncDispose]();
  return 2 * PUBLISHED * 1_000 / elapsed_ms;
}

async function publishedOneByOne(): Promise<number> {
  const client = new Redis(url);
  await client.ping();
  const count = PUBLISHED / 10;
  const from_ms = systemClock.monotonic_ms();
  for (let i = 0; i < count; i++) {
    await client.publish("mdgbench:orderbook:BTCUSDT", bookPayload(nextBook(), DEPTH));
  }
  const elapsed_ms = systemClock.monotonic_ms() - from_ms;
  await client.quit();
  return count * 1_000 / elapsed_ms;
}

/** Commands per second of redis-benchmark, one client, pipelined as deep as our batches; undefined without the program. */
async function benchmarked(command: readonly string[]): Promise<number | undefined> {
  const { hostname, port } = new URL(url);
  const where = [
    "-h",
    hostname,
    "-p",
    port || "6379",
    "-c",
    "1",
    "-P",
    "1024",
    "-n",
    String(4 * PUBLISHED),
    "--csv",
  ];
  try {
    const program = new Deno.Command("redis-benchmark", { args: [...where, ...command], stderr: "null" });
    const rows = new TextDecoder().decode((await program.output()).stdout).trim().split("\n");
    // The command comes first and may hold commas itself: of eight columns the second is counted from the end.
    const per_s = Number(rows.at(-1)?.split('","').at(-7));
    return per_s > 0 ? per_s : undefined;
  } catch {
    return undefined;
  }
}

async function best<Figure extends number | undefined>(measure: () => Promise<Figure>): Promise<Figure> {
  let most = await measure();
  for (let i = 0; i < 3; i++) {
    const next = await measure();
    if ((next ?? 0) > (most ?? 0)) most = next;
  }
  return most;
}

const rate = (per_s: number) => `${(per_s / 1_000).toFixed(0)} k/s`;

async function redisAnswers(): Promise<boolean> {
  const { hostname, port } = new URL(url);
  try {
    (await Deno.connect({ hostname, port: Number(port || 6379) })).close();
    return true;
  } catch {
    return false;
  }
}

encoding();
if (await redisAnswers()) {
  print("encode, queue, publish, answered by a real Redis");
  const one_by_one = await best(publishedOneByOne);
  row("baseline: books one command at a time", `${(one_by_one / 1_000).toFixed(0)} k/s`);
  const payload = bookPayload(nextBook(), DEPTH);
  const trade = tradePayload(nextTrade());
  const rows: [string, Next, "pubsub" | "streams", string[]][] = [
    ["books", nextBook, "pubsub", ["publish", "mdgbench:orderbook:BTCUSDT", payload]],
    ["trades", nextTrade, "pubsub", ["publish", "mdgbench:trades:BTCUSDT", trade]],
    [
      "trades to a stream",
      nextTrade,
      "streams",
      ["xadd", "mdgbench:xadd", "MAXLEN", "~", "10000", "*", "payload", trade],
    ],
  ];
  for (const [what, next, deliver, command] of rows) {
    const theirs = await best(() => benchmarked(command));
    row(
      `${what}: baseline redis-benchmark -P 1024, the same payload`,
      theirs ? rate(theirs) : "not installed",
    );
    const share = (ours: number) => theirs ? `${(ours / theirs).toFixed(2)}×` : "";
    const alone = await best(() => written(next, deliver));
    row(`${what}: the sink alone`, rate(alone), `${share(alone)}, target 0.5×`);
    const whole = await best(() => published(next, deliver));
    row(
      `${what}: encoded, queued, sent`,
      rate(whole),
      `${share(whole)}, ${(whole / one_by_one).toFixed(1)}× one by one`,
    );
  }
  const client = new Redis(url);
  await client.del("mdgbench:xadd", "mdgbench:trades:BTCUSDT");
  await client.quit();
} else print("publish: skipped, no Redis answers");
