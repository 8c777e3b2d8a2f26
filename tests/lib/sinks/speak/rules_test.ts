/** Every rule by a fake clock: when it speaks, when it does not, and what it says. */
import assert from "node:assert/strict";
import type { BookState, PartState, Surroundings } from "../../../../lib/flow/hub.ts";
import { LevelList } from "../../../../lib/market/level_list.ts";
import { OrderBook } from "../../../../lib/market/order_book.ts";
import type { MarketUpdate } from "../../../../lib/market/update.ts";
import { SPEAK_SCHEMA } from "../../../../lib/sinks/speak.ts";
import type { Alert } from "../../../../lib/sinks/speak/alert.ts";
import { createRules } from "../../../../lib/sinks/speak/rule_config.ts";
import { MAX_INSTRUMENTS, RuleEngine } from "../../../../lib/sinks/speak/rule_engine.ts";

const VENUE = "binance-futures";
const HEAD = { venue: VENUE, symbol: "BTCUSDT", received_us: 1 };

class Market implements Surroundings {
  readonly alerts: Alert[] = [];
  readonly suppressed: string[] = [];
  readonly engine: RuleEngine;
  now_s = 0;
  states: { symbol: string; not_ready?: string; silence?: string }[] = [{ symbol: "BTCUSDT" }];
  sinks: { name: string; reason?: string }[] = [];

  constructor(...rules: Record<string, unknown>[]) {
    const { rules: parsed } = SPEAK_SCHEMA.parse(rules.length === 0 ? {} : { rules });
    this.engine = new RuleEngine(createRules(parsed), {
      raised: (alert) => this.alerts.push(alert),
      suppressed: (rule) => this.suppressed.push(rule),
    }, "speak");
  }
  *books(): Iterable<BookState> {
    for (const { symbol, not_ready, silence } of this.states) {
      const book = new OrderBook();
      yield {
        venue: VENUE,
        symbol,
        keeps_book: true,
        notReady: () => not_ready,
        silence: () => silence,
        in_sync: not_ready === undefined,
        reason: not_ready ?? "synced",
        since_us: 0,
        book,
        sequence: 1,
        last_update_id: 1,
        received_us: 1,
      };
    }
  }
  *parts(): Iterable<PartState> {
    for (const { name, reason } of this.sinks) yield { role: "sink", name, reason };
  }
  on(update: MarketUpdate): number {
    return this.engine.onUpdate(update, this.now_s * 1_000);
  }
  trade(price: number, quantity = 1, more: Partial<MarketUpdate & { kind: "trade" }> = {}): void {
    this.on({ kind: "trade", ...HEAD, price, quantity, ...more });
  }
  quote(bid: number | undefined, ask: number | undefined): void {
    this.on({ kind: "quote", ...HEAD, bid, ask });
  }
  /** A tick each second. */
  pass(seconds: number): void {
    for (let i = 0; i < seconds; i++) {
      this.now_s++;
      this.engine.tick(this, this.now_s * 1_000);
    }
  }
  /** What was said since the last call. */
  heard(): string[] {
    return this.alerts.splice(0).map(({ text }) => text);
  }
}

Deno.test("price_crosses: reaching the level counts, the side of the first price does not", () => {
  const market = new Market({ when: "price_crosses", level: 100, repeat_s: 0 });
  for (const price of [99, 99.9, 100, 100.1, 99.99, 100, 101, 100]) market.trade(price);
  assert.deepEqual(market.heard(), [
    "BTCUSDT up through 100, now 100",
    "BTCUSDT down through 100, now 99.99",
    "BTCUSDT up through 100, now 100",
    "BTCUSDT down through 100, now 100",
  ]);
  const above = new Market({ when: "price_crosses", level: 100, direction: "up" });
  for (const price of [105, 104, 99]) above.trade(price);
  assert.deepEqual(above.heard(), []);
});

Deno.test("price_crosses: hysteresis, direction and repeat_s keep a trembling price quiet", () => {
  const market = new Market({ when: "price_crosses", level: 100, hysteresis: 2, repeat_s: 0 });
  for (const price of [97, 100, 99.5, 100, 98.5, 100.5, 99, 101]) market.trade(price);
  assert.deepEqual(market.heard(), ["BTCUSDT up through 100, now 100"]);
  for (const price of [98, 100.2]) market.trade(price);
  assert.deepEqual(market.heard(), ["BTCUSDT up through 100, now 100.2"]);
  market.trade(102);
  market.trade(100);
  assert.deepEqual(market.heard(), ["BTCUSDT down through 100, now 100"]);

  const up = new Market({ when: "price_crosses", level: 100, direction: "up", repeat_s: 60 });
  for (const price of [99, 100, 99, 100, 99, 100]) up.trade(price);
  assert.equal(up.heard().length, 1);
  assert.equal(up.suppressed.length, 2);
  up.now_s = 60;
  for (const price of [99, 100]) up.trade(price);
  assert.equal(up.heard().length, 1);
});

Deno.test("the price is the one that was asked for, exact, and a side that is not there is none", () => {
  const mid = new Market({ when: "price_crosses", level: 0.3, price: "mid", repeat_s: 0 });
  mid.trade(0.5);
  mid.quote(0.1, 0.2);
  mid.quote(undefined, 9);
  mid.quote(0.3, 0.32);
  assert.deepEqual(mid.heard(), ["BTCUSDT up through 0.3, now 0.31"]);
  const ticker = new Market({ when: "price_crosses", level: 10, repeat_s: 0 });
  ticker.on({ kind: "ticker", ...HEAD, last_price: 9 });
  ticker.on({ kind: "ticker", ...HEAD, volume: 5 });
  ticker.on({ kind: "ticker", ...HEAD, last_price: 11 });
  assert.deepEqual(ticker.heard(), ["BTCUSDT up through 10, now 11"]);
  const ask = new Market({ when: "price_crosses", level: 102, price: "ask", repeat_s: 0 });
  const book = new OrderBook();
  const list = (price: number) => {
    const levels = new LevelList();
    levels.push(price, 1);
    return levels;
  };
  for (const [bid, at] of [[100, 101], [101, 102]]) {
    book.replace(list(bid), list(at));
    ask.on({ kind: "book", ...HEAD, book, sequence: 1, last_update_id: 1 });
  }
  assert.deepEqual(ask.heard(), ["BTCUSDT up through 102, now 102"]);
});

Deno.test("price_moves: from the extreme of the window, then from where it was last told", () => {
  const market = new Market({ when: "price_moves", percent: 2, within_s: 60, repeat_s: 0 });
  market.trade(100);
  market.now_s = 30;
  market.trade(101);
  market.now_s = 45;
  market.trade(102);
  assert.deepEqual(market.heard(), ["BTCUSDT up 2% in 45 seconds, at 102"]);
  market.now_s = 46;
  market.trade(102.5);
  market.trade(103);
  assert.deepEqual(market.heard(), []);
  market.now_s = 50;
  market.trade(104.04);
  assert.deepEqual(market.heard(), ["BTCUSDT up 2% in 5 seconds, at 104.04"]);
  market.trade(101.5);
  assert.deepEqual(market.heard(), ["BTCUSDT down 2.44% in less than a second, at 101.5"]);
});

Deno.test("price_moves: what lies before the window is forgotten, and a direction is kept", () => {
  const market = new Market({ when: "price_moves", percent: 2, within_s: 60, direction: "down" });
  market.trade(100);
  for (let i = 1; i <= 70; i++) {
    market.now_s = i;
    market.trade(100 - i * 0.02);
  }
  assert.deepEqual(market.heard(), []);
  market.trade(200);
  assert.deepEqual(market.heard(), []);
  market.trade(195.9);
  assert.deepEqual(market.heard(), ["BTCUSDT down 2.05% in less than a second, at 195.9"]);
});

Deno.test("spread_wide: after it has lasted, again after repeat_s, and its end; a book out of sync is no spread", () => {
  const market = new Market({
    when: "spread_wide",
    percent: 1,
    for_s: 5,
    repeat_s: 60,
    hysteresis_percent: 50,
  });
  market.quote(100, 102);
  market.pass(4);
  market.quote(100, 100.1);
  market.quote(100, 102);
  market.pass(4);
  assert.deepEqual(market.heard(), []);
  market.pass(1);
  assert.deepEqual(market.heard(), ["BTCUSDT spread 1.98%, 2"]);
  market.quote(100, 100.8);
  market.pass(60);
  assert.deepEqual(market.heard(), ["BTCUSDT spread 0.8%, 0.8"]);
  market.quote(100, 100.2);
  assert.deepEqual(market.heard(), ["BTCUSDT spread is back to 0.2% after 65 seconds"]);
  market.quote(100, 102);
  market.on({ kind: "book_status", ...HEAD, in_sync: false, reason: "gap" });
  market.pass(60);
  assert.deepEqual(market.heard(), []);
});

Deno.test("large_trade: by quantity, by value, each one for itself", () => {
  const market = new Market({ when: "large_trade", min_quantity: 2, min_value: 300 });
  market.trade(100, 2.5, { trade_id: 1 });
  market.trade(150, 2, { trade_id: 2, aggressor: "buy" });
  market.trade(1000, 1, { trade_id: 3 });
  market.trade(150, 3, { trade_id: 4, aggressor: "sell" });
  assert.deepEqual(market.alerts.map(({ key, values }) => [key, values.trade_id]), [
    ["large_trade binance-futures BTCUSDT 2", 2],
    ["large_trade binance-futures BTCUSDT 4", 4],
  ]);
  assert.deepEqual(market.heard(), ["BTCUSDT 2 bought at 150", "BTCUSDT 3 sold at 150"]);
});

Deno.test("feed_dead: after it has lasted, repeated, ended; a blink is nothing, flapping is bounded", () => {
  const market = new Market({ when: "feed_dead", after_s: 10, repeat_s: 300 });
  market.pass(5);
  market.states = [{ symbol: "BTCUSDT", not_ready: "book not in sync: disconnected" }];
  market.pass(10);
  assert.deepEqual(market.heard(), []);
  market.states = [{ symbol: "BTCUSDT" }];
  market.pass(1);
  market.states = [{ symbol: "BTCUSDT", not_ready: "book not in sync: disconnected" }];
  market.pass(11);
  assert.equal(market.alerts[0].priority, "critical");
  assert.deepEqual(market.heard(), ["BTCUSDT feed dead for 10 seconds at binance-futures"]);
  market.pass(300);
  assert.deepEqual(market.heard(), ["BTCUSDT feed dead for 5 minutes at binance-futures"]);
  market.states = [{ symbol: "BTCUSDT" }];
  market.pass(1);
  assert.deepEqual(market.alerts.map(({ resolved, priority }) => [resolved, priority]), [[true, "normal"]]);
  assert.deepEqual(market.heard(), ["BTCUSDT feed is back after 5 minutes"]);
  for (let i = 0; i < 100; i++) {
    market.states = [{ symbol: "BTCUSDT", not_ready: "x" }];
    market.pass(11);
    market.states = [{ symbol: "BTCUSDT" }];
    market.pass(1);
  }
  const dead = market.heard().filter((text) => text.includes("dead")).length;
  assert.ok(dead >= 30 && dead <= 41, `${dead} times in 1,200 s`);
});

Deno.test("feed_dead: silence counts only where asked for, and not while the market is closed", () => {
  const loud = new Market({ when: "feed_dead", after_s: 0 });
  loud.pass(3_600);
  assert.deepEqual(loud.heard(), []);
  const market = new Market({ when: "feed_dead", after_s: 0, silent_s: 30 });
  market.trade(1);
  market.pass(29);
  assert.deepEqual(market.heard(), []);
  market.pass(1);
  assert.deepEqual(market.heard(), ["BTCUSDT feed dead for 30 seconds at binance-futures"]);
  market.trade(1);
  market.pass(1);
  assert.deepEqual(market.heard(), ["BTCUSDT feed is back after 31 seconds"]);
  market.states = [{ symbol: "BTCUSDT", silence: "market closed: weekend", not_ready: "no data" }];
  market.pass(100_000);
  market.states = [{ symbol: "BTCUSDT" }];
  market.pass(29);
  assert.deepEqual(market.heard(), []);
});

Deno.test("gap: what is missing, not again within repeat_s, and nothing else that unsyncs a book", () => {
  const market = new Market({ when: "gap", repeat_s: 60 });
  const gap = { kind: "book_status", ...HEAD, in_sync: false, reason: "gap" } as const;
  market.on({ ...gap, missing_from_id: 5, missing_to_id: 9 });
  market.on(gap);
  market.now_s = 60;
  market.on(gap);
  market.on({ ...gap, reason: "disconnected" });
  market.on({ ...gap, in_sync: true, reason: "snapshot" });
  assert.deepEqual(market.heard(), [
    "BTCUSDT gap at binance-futures, 5 update ids missing",
    "BTCUSDT gap at binance-futures",
  ]);
  assert.deepEqual(market.suppressed, ["gap"]);
});

Deno.test("sink_down: others, by name where asked for, never the one that speaks", () => {
  const market = new Market({ when: "sink_down", after_s: 3, sinks: ["redis#2", "speak"] });
  market.sinks = [{ name: "redis", reason: "x" }, { name: "redis#2", reason: "gone" }, {
    name: "speak",
    reason: "y",
  }];
  market.pass(5);
  assert.deepEqual(market.heard(), ["sink redis number 2 down for 3 seconds"]);
  market.sinks = [{ name: "redis#2" }];
  market.pass(1);
  assert.deepEqual(market.heard(), ["sink redis number 2 is back after 5 seconds"]);
});

Deno.test("without rules dead feeds and sinks that are down are told, and nothing else", () => {
  const market = new Market();
  market.trade(1);
  market.trade(1_000_000);
  market.states = [{ symbol: "BTCUSDT", not_ready: "x" }];
  market.sinks = [{ name: "sql", reason: "gone" }];
  market.pass(11);
  assert.deepEqual(market.heard(), [
    "BTCUSDT feed dead for 10 seconds at binance-futures",
    "sink sql down for 10 seconds",
  ]);
});

Deno.test("rules look at what they select; a removed symbol is forgotten; names tell rules apart", () => {
  const market = new Market(
    { when: "price_crosses", level: 100, symbols: ["ETHUSDT"], repeat_s: 0 },
    { when: "price_crosses", level: 100, venues: ["kraken"], repeat_s: 0 },
    { when: "price_crosses", level: 100, name: "my level", repeat_s: 0, priority: "high" },
  );
  market.trade(99);
  market.trade(100);
  assert.deepEqual(market.alerts.map(({ rule, priority }) => [rule, priority]), [["my level", "high"]]);
  market.on({ kind: "book_status", ...HEAD, in_sync: false, reason: "removed" });
  assert.equal(market.engine.instruments, 0);
  market.trade(99, 1, { symbol: "ETHUSDT" });
  market.trade(100, 1, { symbol: "ETHUSDT" });
  assert.deepEqual(market.alerts.slice(1).map(({ rule }) => rule), ["price_crosses", "my level"]);
});

Deno.test("what a rule cannot see is told: symbols that are not there, prices that never come", () => {
  const market = new Market(
    { when: "price_crosses", level: 1, symbols: ["BTCUSD"] },
    { when: "price_moves", percent: 1, venues: ["krakken"] },
    { when: "spread_wide", percent: 1 },
    { when: "large_trade", min_value: 1 },
  );
  market.trade(5);
  assert.deepEqual(market.engine.blindSpots(market.books()), [
    'price_crosses: no symbol "BTCUSD"',
    'price_moves: no venue "krakken"',
    "spread_wide: BTCUSDT at binance-futures: neither bid nor ask has come",
  ]);
  market.states = [{ symbol: "BTCUSDT", silence: "market closed: weekend" }];
  assert.equal(market.engine.blindSpots(market.books()).length, 2);
});

Deno.test("instruments past the bound are not watched, and counted", () => {
  const market = new Market({ when: "gap" });
  for (let i = 0; i < MAX_INSTRUMENTS + 5; i++) market.trade(1, 1, { symbol: `S${i}` });
  assert.equal(market.engine.instruments, MAX_INSTRUMENTS);
  assert.equal(market.engine.unwatched, 5);
});
