/**
 * The simulated market as its readers see it: the mix of actions, repeatability to the byte, books that never cross nor
 * empty nor grow, event rows that rebuild the book, realistic spread and volatility, and each scenario's promise.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { Random } from "../../../lib/base/random.ts";
import { EventBuffer, LEVEL, QUOTE, TRADE } from "../../../lib/simulation/event_buffer.ts";
import { example_symbols, instrumentOf } from "../../../lib/simulation/instruments.ts";
import { type MarketOptions, SimulatedMarket } from "../../../lib/simulation/market.ts";
import { scenario_names } from "../../../lib/simulation/scenarios.ts";
import { ASK, BID } from "../../../lib/simulation/side.ts";
import { is_long } from "../../services.ts";

const long = is_long || Boolean(Deno.env.get("MDG_LONG"));
const start_ms = 1_700_000_000_000;

function marketOf(options: Partial<MarketOptions> & { symbol?: string } = {}): SimulatedMarket {
  const { symbol = "BTCUSD", ...rest } = options;
  return new SimulatedMarket({ instrument: instrumentOf(symbol), seed: 1, start_ms, ...rest });
}

/** Advances however often the buffer fills; hands every full or final buffer to `read`. */
function run(
  market: SimulatedMarket,
  to_ms: number,
  output: EventBuffer,
  read: (rows: EventBuffer) => void,
): void {
  for (let done = false; !done;) {
    done = market.advance(to_ms, output);
    read(output);
    output.clear();
  }
}

function ignore(): void {}

function textOf(rows: EventBuffer, from: number, to: number): string {
  let text = "";
  for (let row = from; row < to; row++) {
    const { price_ticks, quantity_lots, id, time_ms } = rows;
    text += `${rows.kind[row]} ${price_ticks[row]} ${quantity_lots[row]} ${id[row]} ${time_ms[row]}`;
    if (rows.kind[row] !== QUOTE) text += ` ${rows.side[row]}`;
    if (rows.kind[row] === TRADE) text += ` ${rows.makerId(row)} ${rows.takerId(row)}`;
    if (rows.kind[row] === QUOTE) text += ` ${rows.askPriceTicks(row)} ${rows.askQuantityLots(row)}`;
    text += "\n";
  }
  return text;
}

function middleOf(market: SimulatedMarket): number {
  return (market.best(BID)!.price + market.best(ASK)!.price) / 2;
}

Deno.test("40 % new, 30 % modify, 30 % cancel, within 1 % over 100,000 actions", () => {
  for (const seed of [1, 2, 3]) {
    const market = marketOf({ seed, rate_per_s: 200 });
    const output = new EventBuffer();
    while (market.action_count < 100_000) run(market, market.now_ms + 100, output, ignore);
    const { added, modified, cancelled } = market.actions;
    const shares = [added, modified, cancelled].map((count) => count / market.action_count);
    [0.4, 0.3, 0.3].forEach((want, i) => assert.ok(Math.abs(shares[i] - want) < 0.01, `${shares}`));
  }
});

Deno.test("same seed, same bytes, however the time is sliced; another seed, other bytes", () => {
  const end_ms = start_ms + 600_000;
  const digest = (seed: number, max_events: number, step: (random: Random) => number) => {
    const market = marketOf({ seed, scenario: "burst", symbol: "ETHUSD" });
    const output = new EventBuffer(max_events);
    const hash = createHash("sha256");
    const random = new Random("slices");
    while (market.now_ms < end_ms) {
      run(market, Math.min(end_ms, market.now_ms + step(random)), output, (rows) => {
        hash.update(textOf(rows, 0, rows.size));
      });
    }
    hash.update(JSON.stringify([market.levels(BID, 1000), market.orders(ASK, 1000)]));
    return hash.digest("hex");
  };
  const whole = digest(5, 65_536, () => 600_000);
  assert.equal(digest(5, 65_536, () => 600_000), whole);
  assert.equal(digest(5, 64, () => 1_000), whole);
  assert.equal(digest(5, 1, (random) => random.unit() * 2_000), whole);
  assert.notEqual(digest(6, 65_536, () => 600_000), whole);
});

Deno.test("every scenario: rows alone rebuild the book, never crossed, never empty, quotes equal the touch", () => {
  for (const scenario of scenario_names) {
    const market = marketOf({ scenario, rate_per_s: 100, symbol: "ADAUSD" });
    const { instrument } = market;
    const replica = [new Map<number, number>(), new Map<number, number>()];
    for (const side of [BID, ASK] as const) {
      for (const level of market.levels(side, Infinity)) replica[side].set(level.price, level.quantity);
    }
    let { update_id } = market;
    let trade_id = market.book.trade_id;
    const output = new EventBuffer(1);
    const actions = long ? 200_000 : 10_000;
    while (market.action_count < actions) {
      run(market, market.now_ms + 1_000, output, (rows) => {
        for (let row = 0; row < rows.size; row++) {
          if (rows.kind[row] === TRADE) assert.equal(rows.id[row], ++trade_id);
          if (rows.kind[row] !== LEVEL) continue;
          assert.equal(rows.id[row], ++update_id);
          const price = instrument.price(rows.price_ticks[row]);
          if (rows.quantity_lots[row] === 0) replica[rows.side[row]].delete(price);
          else replica[rows.side[row]].set(price, instrument.quantity(rows.quantity_lots[row]));
        }
        if (rows.size === 0) return;
        const [bids, asks] = [market.levels(BID, Infinity), market.levels(ASK, Infinity)];
        assert.ok(bids.length > 0 && asks.length > 0, `${scenario}: a side is empty`);
        assert.ok(bids[0].price < asks[0].price, `${scenario}: crossed`);
        const last = rows.size - 1;
        if (rows.kind[last] === QUOTE) {
          assert.equal(rows.id[last], market.update_id);
          assert.equal(instrument.price(rows.price_ticks[last]), bids[0].price);
          assert.equal(instrument.quantity(rows.quantity_lots[last]), bids[0].quantity);
          assert.equal(instrument.price(rows.askPriceTicks(last)), asks[0].price);
          assert.equal(instrument.quantity(rows.askQuantityLots(last)), asks[0].quantity);
        }
        if (update_id % 50 !== 0) return;
        for (const [side, levels] of [bids, asks].entries()) {
          assert.equal(levels.length, replica[side].size);
          for (const level of levels) assert.equal(replica[side].get(level.price), level.quantity);
        }
      });
    }
  }
});

Deno.test("MBP equals MBO aggregated, totals are cumulative, ages are those of the queue", () => {
  const market = marketOf({ symbol: "EURUSD" });
  run(market, start_ms + 120_000, new EventBuffer(), ignore);
  for (const side of [BID, ASK] as const) {
    const levels = market.levels(side, 20);
    assert.equal(levels.length, 20);
    const orders = market.orders(side, Infinity);
    let total = 0;
    let next = 0;
    for (const level of levels) {
      const queue = orders.slice(next, next + level.order_count);
      next += level.order_count;
      assert.ok(queue.every((order) => order.price === level.price));
      assert.equal(queue.reduce((sum, order) => sum + order.quantity, 0), level.quantity);
      assert.deepEqual(
        queue.map((order) => order.time_ms),
        queue.map((order) => order.time_ms).sort((a, b) => a - b),
      );
      total += level.quantity;
      assert.equal(level.total_quantity, total);
    }
    for (const order of orders) assert.equal(order.age_ms, market.now_ms - order.time_ms);
    assert.deepEqual(market.orders(side, 7), orders.slice(0, 7));
  }
});

Deno.test("a simulated day: bounded, two-sided, a realistic spread, volatility as asked and clustered", () => {
  const market = marketOf({ rate_per_s: 20 });
  const output = new EventBuffer();
  const spreads_bps: number[] = [];
  const middles: number[] = [];
  let shallow_minutes = 0;
  for (let minute = 1; minute <= 1_440; minute++) {
    for (let second = 1; second <= 60; second++) {
      run(market, market.now_ms + 1_000, output, ignore);
      const bids = market.book.orders.count(BID);
      const asks = market.book.orders.count(ASK);
      assert.ok(bids >= 1 && asks >= 1 && bids + asks <= 800, `${bids} bids, ${asks} asks`);
    }
    const middle = middleOf(market);
    if (Math.min(market.book.ladders[BID].size, market.book.ladders[ASK].size) < 20) shallow_minutes++;
    spreads_bps.push((market.best(ASK)!.price - market.best(BID)!.price) / middle * 10_000);
    middles.push(middle);
  }
  assert.equal(market.book.refused, 0);
  assert.ok(shallow_minutes < 15, `${shallow_minutes} of 1440 minutes had fewer than 20 levels on a side`);
  assert.ok(output.kind.length <= 65_536, "the event buffer grew");
  spreads_bps.sort((a, b) => a - b);
  assert.ok(spreads_bps[720] > 0.01 && spreads_bps[720] < 2, `median spread ${spreads_bps[720]} bps`);
  assert.ok(spreads_bps[1_425] < 20, `99th percentile of spread ${spreads_bps[1_425]} bps`);

  const returns = middles.slice(1).map((middle, i) => Math.log(middle / middles[i]));
  const square = returns.reduce((sum, value) => sum + value * value, 0) / returns.length;
  const annual = Math.sqrt(square * 525_600);
  assert.ok(annual > 0.55 / 2 && annual < 0.55 * 2, `annualised volatility ${annual}, asked 0.55`);
  const sizes = returns.map(Math.abs);
  const mean = sizes.reduce((sum, value) => sum + value, 0) / sizes.length;
  const covariance = (lag: number) =>
    sizes.slice(lag).reduce((sum, value, i) => sum + (value - mean) * (sizes[i] - mean), 0) /
    (sizes.length - lag);
  const clustering = covariance(1) / covariance(0);
  assert.ok(clustering > 0.05, `autocorrelation of absolute returns ${clustering}`);
});

Deno.test("volatility and rate are obeyed", () => {
  const rangeOf = (volatility: number) => {
    const market = marketOf({ volatility, rate_per_s: 100 });
    const output = new EventBuffer();
    const middles: number[] = [];
    for (let i = 0; i < 600; i++) {
      run(market, market.now_ms + 1_000, output, ignore);
      middles.push(middleOf(market));
    }
    assert.ok(
      Math.abs(market.action_count - 60_000) < 1_200,
      `${market.action_count} actions, want about 60000`,
    );
    return Math.max(...middles) / Math.min(...middles) - 1;
  };
  assert.ok(rangeOf(2) > 4 * rangeOf(0.1));
});

Deno.test("scenario halt: no order for 30 s, and it says so", () => {
  const market = marketOf({ scenario: "halt" });
  const output = new EventBuffer();
  run(market, start_ms + 60_000, output, ignore);
  assert.equal(market.halted, true);
  const { action_count } = market;
  run(market, start_ms + 89_999, output, ignore);
  assert.equal(market.action_count, action_count);
  assert.equal(market.halted, true);
  run(market, start_ms + 95_000, output, ignore);
  assert.equal(market.halted, false);
  assert.ok(market.action_count > action_count);
});

Deno.test("scenario burst: 50 times the rate for 10 s", () => {
  const market = marketOf({ scenario: "burst" });
  const output = new EventBuffer();
  run(market, start_ms + 30_000, output, ignore);
  const before = market.action_count;
  run(market, start_ms + 40_000, output, ignore);
  assert.ok(Math.abs(market.action_count - before - 10_000) < 500, `${market.action_count - before} actions`);
  const during = market.action_count;
  run(market, start_ms + 50_000, output, ignore);
  assert.ok(market.action_count - during < 400);
});

Deno.test("scenario flash-crash: down at least 6 % in 20 s and most of it back", () => {
  for (const symbol of example_symbols) {
    const market = marketOf({ scenario: "flash-crash", symbol });
    const output = new EventBuffer();
    run(market, start_ms + 30_000, output, ignore);
    const before = middleOf(market);
    let low = before;
    for (let i = 0; i < 30; i++) {
      run(market, market.now_ms + 1_000, output, ignore);
      low = Math.min(low, middleOf(market));
    }
    assert.ok(low / before < 0.94, `${symbol}: ${before} to ${low}`);
    run(market, start_ms + 410_000, output, ignore);
    assert.ok(middleOf(market) / before > 0.97, `${symbol}: ${before} to ${low} to ${middleOf(market)}`);
  }
});

Deno.test("scenario trend: up about 3 % in half an hour", () => {
  const market = marketOf({ scenario: "trend", volatility: 0.2 });
  const before = middleOf(market);
  run(market, start_ms + 1_800_000, new EventBuffer(), ignore);
  const rise = middleOf(market) / before - 1;
  assert.ok(rise > 0.02 && rise < 0.04, `${rise}`);
});

Deno.test("options out of range are refused", () => {
  assert.throws(() => marketOf({ rate_per_s: 0 }), /simulated rate: 0, want/);
  assert.throws(() => marketOf({ rate_per_s: NaN }), RangeError);
  assert.throws(() => marketOf({ volatility: -1 }), /simulated volatility: -1, want 0 … 100/);
  assert.throws(() => marketOf({ target_orders: 10 }), /simulated target orders: 10, want 64 … 100000/);
  assert.throws(() => new EventBuffer(0), RangeError);
});
