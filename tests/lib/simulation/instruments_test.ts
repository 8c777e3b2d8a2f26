/** Known symbols, pairs of known assets, drawn instruments, and exactness of the decimals given out. */
import assert from "node:assert/strict";
import { UserError } from "../../../lib/base/errors.ts";
import { Random } from "../../../lib/base/random.ts";
import { example_symbols, instrumentOf } from "../../../lib/simulation/instruments.ts";

Deno.test("known symbols carry their venues' grids", () => {
  const btc = instrumentOf("BTCUSD");
  assert.equal(btc.tick_size, 0.01);
  assert.equal(btc.price(btc.reference_ticks), 61_500);
  assert.equal(instrumentOf("BTCUSDT").tick_size, 0.1);
  assert.equal(instrumentOf("BTCUSDT").lot_size, 0.001);
  assert.equal(instrumentOf("EURUSD").tick_size, 0.00001);
  assert.equal(instrumentOf("USDJPY").tick_size, 0.001);
  assert.equal(instrumentOf("AAPL").tick_size, 0.01);
  assert.equal(instrumentOf("AAPL").lot_size, 1);
});

Deno.test("case and separators do not matter, and any pair of known assets is known", () => {
  for (const symbol of ["btcusd", "BTC-USD", "btc/usd"]) {
    const { symbol: kept, ...rest } = instrumentOf(symbol);
    assert.equal(kept, symbol);
    assert.deepEqual(rest, { ...rest, reference_ticks: instrumentOf("BTCUSD").reference_ticks });
  }
  const eurjpy = instrumentOf("EUR/JPY");
  assert.ok(Math.abs(eurjpy.price(eurjpy.reference_ticks) - 163.6) < 0.1);
  const ethbtc = instrumentOf("ETHBTC");
  assert.ok(Math.abs(ethbtc.price(ethbtc.reference_ticks) - 0.0431) < 0.0001);
});

Deno.test("any other name gets a plausible instrument, the same every time, different per name", () => {
  const seen = new Set<number>();
  for (const name of ["FOO", "BAR", "X", "ACME", "ZZ9", "LONGNAME123", "foo.bar"]) {
    const one = instrumentOf(name);
    assert.deepEqual(one, instrumentOf(name));
    assert.ok(
      one.reference_ticks >= 300 && one.reference_ticks < 1e7,
      `${name}: ${one.reference_ticks} ticks`,
    );
    assert.ok(one.typical_lots >= 1 && Number.isSafeInteger(one.typical_lots));
    assert.ok(one.volatility > 0 && one.typical_spread_ticks >= 1);
    seen.add(one.reference_ticks);
  }
  assert.equal(seen.size, 7);
});

Deno.test("what is no symbol is refused with a hint", () => {
  for (const name of ["", " ", "a b", "x".repeat(33), "-BTC", "Ünit"]) {
    assert.throws(() => instrumentOf(name), (error) => error instanceof UserError && error.code === 2);
  }
});

Deno.test("a price is the double nearest to its decimal, a text holds every decimal", () => {
  const random = new Random("exact");
  for (const symbol of [...example_symbols, "SHIBUSD", "PEPEBTC"]) {
    const instrument = instrumentOf(symbol);
    for (let i = 0; i < 2_000; i++) {
      const ticks = random.integer(0, 2 ** 40);
      const price_text = instrument.priceText(ticks);
      assert.equal(Number(price_text), instrument.price(ticks));
      assert.equal(price_text, instrument.price(ticks).toFixed(instrument.price_decimals));
      const quantity_text = instrument.quantityText(ticks);
      assert.equal(Number(quantity_text), instrument.quantity(ticks));
    }
  }
  assert.equal(instrumentOf("BTCUSD").priceText(6_150_010), "61500.10");
  assert.equal(instrumentOf("BTCUSD").priceText(5), "0.05");
  assert.equal(instrumentOf("BTCUSD").quantityText(5), "0.00000005");
  assert.equal(instrumentOf("AAPL").quantityText(5), "5");
});
