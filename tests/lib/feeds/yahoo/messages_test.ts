/** What the fixtures can't show: which symbols are taken, subscriptions, the resent list. */
import assert from "node:assert/strict";
import { yahoo } from "../../../../lib/feeds/yahoo/yahoo.ts";
import { EventBatch } from "../../../../lib/market/event_batch.ts";
import { ProtobufWriter } from "../../../../lib/wire/protobuf_writer.ts";

const tick = (symbol: string, time_ms: number, price: number) =>
  new TextEncoder().encode(btoa(String.fromCharCode(
    ...new ProtobufWriter().text(1, symbol).float32(2, price).zigzag(3, BigInt(time_ms)).finish(),
  )));

Deno.test("yahoo: a mapper with symbols takes those, and no longer those that were removed", () => {
  const mapper = yahoo.createMapper(["A"]);
  const batch = new EventBatch();
  const kind = (symbol: string) => mapper.map(tick(symbol, 1_000, 1), 1, batch).kind;
  assert.deepEqual([kind("A"), kind("B")], ["events", "unknown"]);
  mapper.addSymbol("B");
  mapper.removeSymbol("A");
  assert.deepEqual([kind("A"), kind("B")], ["unknown", "events"]);
});

Deno.test("yahoo: subscribes, takes back, and says the whole list again", () => {
  const streams = ["AAPL", "BTC-USD"].map((symbol) => yahoo.streams(symbol, "ticker")[0]);
  assert.equal(yahoo.subscribe(streams, 1, {}), '{"subscribe":["AAPL","BTC-USD"]}');
  assert.equal(yahoo.unsubscribe(streams.slice(1), 2, {}), '{"unsubscribe":["BTC-USD"]}');
  assert.equal(yahoo.keep_alive!.frame({}, streams), '{"subscribe":["AAPL","BTC-USD"]}');
  assert.equal(yahoo.keep_alive!.every_ms, 15_000);
});
