/** What the fixtures can't show: ticks out of order, heartbeats between ticks, subscriptions, the resent list. */
import assert from "node:assert/strict";
import { yahoo } from "../../../../lib/feeds/yahoo/yahoo.ts";
import { EventBatch } from "../../../../lib/market/event_batch.ts";
import { ProtobufWriter } from "../../wire/protobuf_writer.ts";

const tick = (symbol: string, time_ms: number, price: number) =>
  new TextEncoder().encode(btoa(String.fromCharCode(
    ...new ProtobufWriter().text(1, symbol).float(2, price).sint(3, BigInt(time_ms)).bytes(),
  )));

Deno.test("yahoo: an older tick of a symbol is dropped, each symbol for itself, a repeat is passed on", () => {
  const mapper = yahoo.createMapper(["A", "B"]);
  const batch = new EventBatch();
  const kinds = [["A", 1_000, 1], ["A", 900, 2], ["B", 900, 3], ["A", 1_000, 4], ["C", 2_000, 5]] as const;
  const outcomes = kinds.map(([symbol, time_ms, price]) =>
    mapper.map(tick(symbol, time_ms, price), 1, batch).kind
  );
  assert.deepEqual(outcomes, ["events", "pong", "events", "events", "unknown"]);
  const prices = batch.events.map((event) => event.kind === "ticker" ? event.last_price : NaN);
  assert.deepEqual(prices, [1, 3, 4]);
  mapper.removeSymbol("A");
  mapper.addSymbol("A");
  assert.equal(
    mapper.map(tick("A", 800, 6), 1, batch).kind,
    "events",
    "subscribed anew: nothing is known of it",
  );
});

Deno.test("yahoo: subscribes, takes back, and says the whole list again", () => {
  const streams = ["AAPL", "BTC-USD"].map((symbol) => yahoo.streams(symbol, "ticker")[0]);
  assert.equal(yahoo.subscribe(streams, 1, {}), '{"subscribe":["AAPL","BTC-USD"]}');
  assert.equal(yahoo.unsubscribe(streams.slice(1), 2, {}), '{"unsubscribe":["BTC-USD"]}');
  assert.equal(yahoo.keep_alive!.frame({}, streams), '{"subscribe":["AAPL","BTC-USD"]}');
  assert.equal(yahoo.keep_alive!.every_ms, 15_000);
});
