/** What is said to Tiingo: the token in the frame and nowhere else, the fullest level, the subscription's id once known. */
import assert from "node:assert/strict";
import type { Feed } from "../../../../lib/feeds/feed.ts";
import { tiingoCrypto } from "../../../../lib/feeds/tiingo/crypto.ts";
import { tiingoEquities } from "../../../../lib/feeds/tiingo/equities.ts";
import { tiingoForex } from "../../../../lib/feeds/tiingo/forex.ts";
import type { Channel } from "../../../../lib/market/event.ts";

const NEW = { token: "t" };
const KNOWN = { token: "t", session_id: 123456 };

function streams(feed: Feed, symbols: string[], channels: Channel[], speed?: string) {
  return symbols.flatMap((symbol) => channels.flatMap((channel) => feed.streams(symbol, channel, { speed })));
}

Deno.test("tiingo: the first subscription says token and level, later ones the id", () => {
  const forex = streams(tiingoForex, ["eurusd", "gbpusd"], ["quote"]);
  assert.equal(
    tiingoForex.subscribe(forex, 1, NEW),
    '{"eventName":"subscribe","authorization":"t","eventData":{"thresholdLevel":5,"tickers":["eurusd","gbpusd"]}}',
  );
  assert.equal(
    tiingoForex.subscribe(forex.slice(1), 2, KNOWN),
    '{"eventName":"subscribe","authorization":"t","eventData":{"subscriptionId":123456,"tickers":["gbpusd"]}}',
  );
  assert.equal(
    tiingoForex.unsubscribe(forex.slice(1), 3, KNOWN, forex.slice(0, 1)),
    '{"eventName":"unsubscribe","authorization":"t","eventData":{"subscriptionId":123456,"tickers":["gbpusd"]}}',
  );
});

Deno.test("tiingo: a ticker is asked for once, at the level that brings every channel", () => {
  const level = (feed: Feed, channels: Channel[], speed?: string) => {
    const frame = feed.subscribe(streams(feed, ["a", "b"], channels, speed), 1, NEW);
    const { thresholdLevel, tickers } = JSON.parse(frame).eventData;
    assert.deepEqual(tickers, ["a", "b"]);
    return thresholdLevel;
  };
  assert.equal(level(tiingoCrypto, ["trades"]), 5);
  assert.equal(level(tiingoCrypto, ["trades", "quote"]), 2);
  assert.equal(level(tiingoEquities, ["trades", "quote"]), 0);
  assert.equal(level(tiingoEquities, ["trades", "quote"], "5"), 5);
  assert.equal(level(tiingoEquities, ["ticker"], "5"), 6, "a level that the channel lacks is passed over");
  assert.equal(level(tiingoForex, ["quote"], "7"), 7);
});

Deno.test("tiingo: the reference price is on a connection of its own", () => {
  const routes = streams(tiingoEquities, ["aapl"], ["trades", "quote", "ticker"]).map((one) => one.route);
  assert.deepEqual(routes, ["all", "all", "reference"]);
  assert.deepEqual(tiingoEquities.routes, { all: "/iex", reference: "/iex" });
  assert.deepEqual(tiingoCrypto.routes, { all: "/crypto" });
});

Deno.test("tiingo: a ticker that another stream still needs is not taken back", () => {
  const [trades, quote, other] = streams(tiingoCrypto, ["btcusd", "ethusd"], ["trades", "quote"]);
  const data = (text: string) => JSON.parse(text);
  assert.deepEqual(data(tiingoCrypto.unsubscribe([trades, other], 1, KNOWN, [quote])), {
    eventName: "unsubscribe",
    authorization: "t",
    eventData: { subscriptionId: 123456, tickers: ["ethusd"] },
  });
  const [kraken] = streams(tiingoCrypto, ["btcusd@kraken"], ["quote"]);
  const nothing_goes = data(tiingoCrypto.unsubscribe([kraken], 1, KNOWN, [quote]));
  assert.deepEqual([nothing_goes.eventName, nothing_goes.eventData.tickers], ["subscribe", ["btcusd"]]);
});

Deno.test("tiingo: symbols as users write them", () => {
  assert.equal(tiingoForex.symbol(" EUR/USD "), "eurusd");
  assert.equal(tiingoCrypto.symbol("BTC-USD@Kraken"), "btcusd@kraken");
  assert.equal(tiingoEquities.symbol("BRK.A"), "brk-a");
  assert.equal(tiingoForex.symbol("eurusd@x"), "eurusd", "only coins have exchanges");
});

Deno.test("tiingo: no ticker is split over two connections", () => {
  for (const { channels, limits, routes } of [tiingoForex, tiingoCrypto, tiingoEquities]) {
    assert.ok(Object.keys(routes).length >= 1);
    for (let count = 1; count <= channels.length; count++) {
      assert.equal(limits.max_streams_per_connection % count, 0);
      assert.equal(limits.max_streams_per_message % count, 0);
    }
  }
});
