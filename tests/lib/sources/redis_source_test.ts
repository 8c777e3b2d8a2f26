import assert from "node:assert/strict";
import { systemClock } from "../../../lib/base/clock.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { Metrics } from "../../../lib/base/metrics.ts";
import { REDIS_SOURCE_SCHEMA } from "../../../lib/sources/redis.ts";
import { RedisSource } from "../../../lib/sources/redis/redis_source.ts";

/** Nobody answers there: what the tests push is all that comes. */
const url = "redis://127.0.0.1:1";

function made(config: Record<string, unknown> = {}) {
  const metrics = new Metrics();
  const source = new RedisSource(REDIS_SOURCE_SCHEMA.parse({ url, symbols: ["A"], venue: "v", ...config }), {
    name: "redis",
    clock: systemClock,
    log: silentLog,
    metrics,
    seed: "test",
    feeds: {},
  });
  const count = (name: string) => {
    const [child] = metrics.families.get(name)?.children.values() ?? [];
    return (child?.value as { value: number }).value;
  };
  return { source, count };
}
const book = (last_update_id: number, timestamp: number) =>
  JSON.stringify({ symbol: "A", bids: [[1, 1]], asks: [[2, 1]], last_update_id, timestamp });
const trade = (trade_id: number) =>
  JSON.stringify({ symbol: "A", trade_id, price: 1, quantity: 1, timestamp: 1, is_buyer_maker: true });

/** What comes out until a trade with the id 0, in words. */
async function taken(source: RedisSource): Promise<string[]> {
  source.push(trade(0));
  const words: string[] = [];
  const stopping = new AbortController();
  const interrupted = (symbols: readonly string[], reason: string) => words.push(`${symbols} ${reason}`);
  for await (const batch of source.batches(stopping.signal, { interrupted })) {
    for (const event of batch.events) {
      if (event.kind === "trade") words.push(`trade ${event.trade_id ?? event.venue_trade_id}`);
      else if (event.kind === "book_snapshot") words.push(`book ${event.last_id}`);
    }
    if (words.at(-1) === "trade 0") stopping.abort();
  }
  return words;
}

Deno.test("messages become events in order; an interruption keeps its place among them", async () => {
  const { source } = made();
  source.push(book(1, 10));
  source.push(trade(7));
  source.interrupted(["A"], "gone");
  source.push(book(2, 20));
  assert.deepEqual(await taken(source), ["book 1", "trade 7", "A gone", "book 2", "trade 0"]);
});

Deno.test("an older book is dropped, one after a restart of the ids is not; garbage is counted", async () => {
  const { source, count } = made();
  source.push(book(5, 50));
  source.push(book(4, 40));
  source.push(book(3, 1_000));
  source.push(book(1, 1_060));
  source.push("garbage");
  assert.deepEqual(await taken(source), ["book 5", "book 1", "trade 0"]);
  assert.equal(count("redis_source_stale_total"), 2);
  assert.equal(count("redis_source_malformed_total"), 1);
});

Deno.test("two publishers of one instrument: no book goes back or comes twice, nor does a trade with an id of its own", async () => {
  const { source, count } = made();
  const named = (trade_id: string) => trade(1).replace('"trade_id":1', `"trade_id":"${trade_id}"`);
  for (const id of [1, 2, 1, 3, 2, 3]) source.push(book(id, id * 10));
  for (const id of ["a", "b", "a", "c", "b"]) source.push(named(id));
  assert.deepEqual(await taken(source), [
    "book 1",
    "book 2",
    "book 3",
    "trade a",
    "trade b",
    "trade c",
    "trade 0",
  ]);
  assert.equal(count("redis_source_stale_total"), 5);
});

Deno.test("after an interruption the book that was there is welcome again, an older one is not", async () => {
  const { source } = made();
  source.push(book(5, 50));
  source.interrupted(["A"], "gone");
  for (const id of [4, 5, 5]) source.push(book(id, id * 10));
  assert.deepEqual(await taken(source), ["book 5", "A gone", "book 5", "trade 0"]);
});

Deno.test("symbols are learnt by pattern, others are nobody's", async () => {
  const { source } = made({ symbols: ["B", "A*"] });
  assert.equal(source.learns, true);
  assert.equal(source.setSymbols, undefined);
  const of = (symbol: string) => book(1, 10).replace('"A"', `"${symbol}"`);
  for (const symbol of ["AA", "B", "C", "BB"]) source.push(of(symbol));
  assert.deepEqual(await taken(source), ["book 1", "book 1", "trade 0"]);
  assert.deepEqual(source.symbols, ["B", "AA", "A"]);
});

Deno.test("at the bound the oldest go, counted, and the books leave sync there", async () => {
  const { source, count } = made({ max_queued_events: 1_000 });
  for (let i = 1; i <= 1_001; i++) source.push(trade(i));
  assert.equal(count("redis_source_dropped_total"), 101);
  const words = await taken(source);
  assert.deepEqual(words.slice(0, 2), ["A gateway behind", "trade 102"]);
  assert.equal(words.length, 902);
});

Deno.test("wrong settings are refused", () => {
  const wrong: Record<string, unknown>[] = [
    { url: "http://h" },
    { symbols: [] },
    { from: "yesterday" },
    { read: "stream" },
    { max_queued_events: 1 },
    { channels: { book: "orderbook" } },
    { url: "redis://h/1", topology: "cluster" },
    { unknown: 1 },
    { read: "streams", symbols: ["A*"] },
    { read: "sharded_pubsub", patterns: ["orderbook:*"] },
    { read: "sharded_pubsub", symbols: ["*"], channels: { book: "b:{shard}" } },
  ];
  for (const config of wrong) {
    const { success } = REDIS_SOURCE_SCHEMA.safeParse({ url, symbols: ["A"], ...config });
    assert.equal(success, false, JSON.stringify(config));
  }
  const right: Record<string, unknown>[] = [
    { patterns: ["orderbook:*"], symbols: [] },
    { read: "sharded_pubsub", symbols: ["*"], channels: { book: "b:{shard}", trades: "t:{shard}" } },
  ];
  for (const config of right) assert.ok(REDIS_SOURCE_SCHEMA.safeParse({ url, ...config }).success);
});

Deno.test("paused, what is published is dropped as it comes, counted; an interruption stands for it", async () => {
  const { source, count } = made();
  source.push(trade(1));
  source.pause();
  source.push(trade(2));
  source.push(trade(3));
  source.resume();
  source.push(trade(4));
  assert.equal(count("redis_source_dropped_total"), 2);
  assert.deepEqual(await taken(source), ["trade 1", "A paused", "trade 4", "trade 0"]);
  // A stream keeps what is not read.
  const streams = made({ read: "streams" });
  streams.source.pause();
  streams.source.push(trade(1));
  streams.source.resume();
  assert.deepEqual(await taken(streams.source), ["trade 1", "trade 0"]);
});
