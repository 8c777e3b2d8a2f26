/**
 * From a book to Redis: encoding, queueing, publishing. Baselines: JSON.stringify over the same levels, and ioredis fed
 * one command at a time. The live part runs where a Redis answers on MDG_TEST_REDIS_URL or the standard port.
 */
import { Redis } from "ioredis";
import { systemClock } from "../lib/base/clock.ts";
import { silentLog } from "../lib/base/log.ts";
import { Metrics } from "../lib/base/metrics.ts";
import { DeliveryQueue } from "../lib/flow/delivery_queue.ts";
import type { DeliveryTarget } from "../lib/flow/delivery_target.ts";
import { bookPayload, tradePayload } from "../lib/flow/json_payload.ts";
import type { Trade } from "../lib/market/event.ts";
import { LevelList } from "../lib/market/level_list.ts";
import { OrderBook } from "../lib/market/order_book.ts";
import type { BookUpdate } from "../lib/market/update.ts";
import { redis } from "../lib/sinks/registry.ts";
import type { SinkContext } from "../lib/sinks/sink.ts";

const DEPTH = 20;
/** Messages of one measured round; divide by it for the time of one. */
const ROUND = 10_240;
const url = Deno.env.get("MDG_TEST_REDIS_URL") ?? "redis://127.0.0.1:6379";

const book = new OrderBook();
{
  const bids = new LevelList();
  const asks = new LevelList();
  for (let i = 0; i < 500; i++) {
    bids.push((618_001 - i) / 10, (1_234 + i * 37) / 1_000);
    asks.push((618_002 + i) / 10, (987 + i * 53) / 1_000);
  }
  bids.noteDecimals(1, 3);
  asks.noteDecimals(1, 3);
  book.apply(bids, asks);
}
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

Deno.bench({
  name: "baseline: JSON.stringify",
  group: "encode a book, 20 levels",
  baseline: true,
  fn() {
    const update = nextBook();
    const bids: number[][] = [];
    const asks: number[][] = [];
    for (let i = 0; i < DEPTH; i++) {
      bids.push([book.bids.price(i), book.bids.quantity(i)]);
      asks.push([book.asks.price(i), book.asks.quantity(i)]);
    }
    const { symbol, last_update_id } = update;
    JSON.stringify({ symbol, bids, asks, last_update_id, timestamp: 1_723_075_200_000 });
  },
});
Deno.bench({
  name: "bookPayload",
  group: "encode a book, 20 levels",
  fn() {
    bookPayload(nextBook(), DEPTH);
  },
});
Deno.bench({
  name: "bookPayload, two sinks",
  group: "encode a book, 20 levels",
  fn() {
    const update = nextBook();
    bookPayload(update, DEPTH);
    bookPayload(update, DEPTH);
  },
});
Deno.bench({
  name: "tradePayload",
  group: "encode a trade",
  fn() {
    tradePayload(nextTrade());
  },
});

const context: SinkContext = {
  name: "redis",
  clock: systemClock,
  log: silentLog,
  metrics: new Metrics(),
  seed: "bench",
  writable() {},
};
const readBook = () => undefined;

/** Offers a round in batches of 16 and waits until the target has taken all of it. */
async function deliver(target: DeliveryTarget<unknown>, next: () => BookUpdate | Trade): Promise<void> {
  // No lag, so that every message is really encoded and sent.
  const queue = new DeliveryQueue(target, { ...context, readBook }, { lag_messages: 2 * ROUND });
  for (let i = 0; i < ROUND; i++) {
    queue.offer(next());
    if (i % 16 === 15) queue.flush();
  }
  await queue.close(60_000);
}

const instant: DeliveryTarget<string> = {
  name: "instant",
  encode: (update) => update.kind === "book" ? bookPayload(update, DEPTH) : undefined,
  sizeBytes: (message) => message.length,
  write: () => Promise.resolve(),
  notReady: () => undefined,
};
Deno.bench({
  name: `${ROUND} books encoded, queued, handed over`,
  group: "queue",
  // Deno awaits a bench only when the function itself is declared async.
  async fn() {
    await deliver(instant, nextBook);
  },
});

const answers = await Deno.connect({
  hostname: new URL(url).hostname,
  port: Number(new URL(url).port || 6379),
})
  .then((connection) => (connection.close(), true), () => false);

/** Publishes a round through the real sink; connecting is not measured. */
async function publish(b: Deno.BenchContext, next: () => BookUpdate | Trade): Promise<void> {
  const ready = Promise.withResolvers<void>();
  const channels = { book: "mdgbench:orderbook:{symbol}", trades: "mdgbench:trades:{symbol}" };
  const config = redis.schema.parse({ url, channels, latest_key: "mdgbench:latest:{symbol}" });
  const sink = await redis.connect(config, { ...context, writable: ready.resolve });
  await ready.promise;
  b.start();
  await deliver(sink, next);
  b.end();
  await sink[Symbol.asyncDispose]();
}
Deno.bench({
  name: `${ROUND} books`,
  group: "redis",
  ignore: !answers,
  n: 20,
  async fn(b) {
    await publish(b, nextBook);
  },
});
Deno.bench({
  name: `${ROUND} trades`,
  group: "redis",
  ignore: !answers,
  n: 20,
  async fn(b) {
    await publish(b, nextTrade);
  },
});
Deno.bench({
  name: `baseline: ${ROUND} books, one command at a time`,
  group: "redis",
  baseline: true,
  ignore: !answers,
  n: 5,
  async fn(b) {
    const client = new Redis(url);
    await client.ping();
    const payloads = Array.from({ length: ROUND }, () => bookPayload(nextBook(), DEPTH));
    b.start();
    for (const payload of payloads) await client.publish("mdgbench:orderbook:BTCUSDT", payload);
    b.end();
    await client.quit();
  },
});
