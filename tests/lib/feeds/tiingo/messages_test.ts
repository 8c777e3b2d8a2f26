/** What a Tiingo mapper takes: one exchange or all, only wanted channels; what became of requests is in the fixtures. */
import assert from "node:assert/strict";
import type { Feed, Mapper } from "../../../../lib/feeds/feed.ts";
import { tiingoCrypto } from "../../../../lib/feeds/tiingo/crypto.ts";
import { tiingoEquities } from "../../../../lib/feeds/tiingo/equities.ts";
import type { Channel } from "../../../../lib/market/event.ts";
import { EventBatch } from "../../../../lib/market/event_batch.ts";

const encoder = new TextEncoder();

function trade(exchange: string, ticker = "btcusd"): string {
  const row = ["T", ticker, "2026-11-02T14:10:00.512000+00:00", exchange, 0.0125, 64009.9];
  return JSON.stringify({ messageType: "A", service: "crypto_data", data: row });
}
/** Symbols of the events, or the outcome's kind. */
function told(mapper: Mapper, text: string): string[] | string {
  const batch = new EventBatch();
  const { kind } = mapper.map(encoder.encode(text), 1, batch);
  return kind === "events" ? batch.events.map((one) => `${one.kind} ${one.symbol}`) : kind;
}

Deno.test("tiingo: a ticker is all its exchanges, ticker@exchange is one, and both may be wanted", () => {
  const mapper = tiingoCrypto.createMapper(["btcusd@kraken"]);
  assert.deepEqual(told(mapper, trade("kraken")), ["trade btcusd@kraken"]);
  assert.deepEqual(told(mapper, trade("Kraken")), ["trade btcusd@kraken"]);
  assert.equal(told(mapper, trade("gdax")), "unknown");
  mapper.addSymbol("btcusd@gdax");
  mapper.addSymbol("btcusd");
  assert.deepEqual(told(mapper, trade("kraken")), ["trade btcusd", "trade btcusd@kraken"]);
  assert.deepEqual(told(mapper, trade("bitfinex")), ["trade btcusd"]);
  mapper.removeSymbol("btcusd@kraken");
  assert.deepEqual(told(mapper, trade("kraken")), ["trade btcusd"]);
  mapper.removeSymbol("btcusd");
  assert.equal(told(mapper, trade("kraken")), "unknown");
  assert.deepEqual(told(mapper, trade("gdax")), ["trade btcusd@gdax"]);
  mapper.removeSymbol("btcusd@gdax");
  mapper.removeSymbol("btcusd@gdax");
  assert.equal(told(mapper, trade("gdax")), "unknown");
  assert.equal(told(mapper, trade("gdax", "ethusd")), "unknown");
});

Deno.test("tiingo: a level that brings more than was asked for tells only the channels that were", () => {
  const quote = '{"messageType":"A","service":"iex","data":["Q","2026-11-02T09:35:00-05:00",1,' +
    '"aapl",100,231.05,231.07,231.09,200,null,null,0,0,null,null,null]}';
  const reference = '{"messageType":"A","service":"iex","data":["2026-11-02T09:35:00-05:00","aapl",231.07]}';
  const only = (channel: Channel, feed: Feed = tiingoEquities) =>
    feed.createMapper(undefined, new Set([channel]));
  assert.equal(told(only("trades"), quote), "pong");
  assert.deepEqual(told(only("quote"), quote), ["quote aapl"]);
  assert.equal(told(only("quote"), reference), "pong");
  assert.deepEqual(told(only("ticker"), reference), ["ticker aapl"]);
  assert.equal(told(only("quote", tiingoCrypto), trade("gdax")), "pong");
});
