/** Which channels a source subscribes to: the usual ones that the venue has, candles built where it has none; who may have them. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import { UserError } from "../../../../lib/base/errors.ts";
import { silentLog } from "../../../../lib/base/log.ts";
import { Metrics } from "../../../../lib/base/metrics.ts";
import { FEEDS } from "../../../../lib/gateway/catalog.ts";
import { LiveSource } from "../../../../lib/sources/live/live_source.ts";
import { live } from "../../../../lib/sources/live/mod.ts";

const context = {
  name: "live",
  clock: new ManualClock(0),
  log: silentLog,
  metrics: new Metrics(),
  seed: "channels",
  feeds: {
    ...FEEDS,
    bare: { ...FEEDS["binance-spot"], name: "bare", channels: ["trades", "quote"] as const },
  },
};

function sourceOf(venue: string, channels?: string[], more: Record<string, unknown> = {}): LiveSource {
  const config = live.schema.parse({ venue, symbols: ["AAPL"], channels, ...more });
  const source = live.create(config, context);
  assert.ok(source instanceof LiveSource);
  return source;
}

Deno.test("channels: by default book, trades and quote as far as the venue has them, else what it has", () => {
  assert.deepEqual(sourceOf("binance-spot").options.channels, ["book", "trades", "quote"]);
  assert.deepEqual(sourceOf("bare").options.channels, ["trades", "quote"]);
  assert.deepEqual(sourceOf("yahoo").options.channels, ["ticker"]);
  assert.equal(sourceOf("yahoo").sequence, undefined, "no books are kept");
});

Deno.test("channels: candles that a venue lacks are built from trades, which are then subscribed to", () => {
  const source = sourceOf("bare", ["candles"]);
  assert.deepEqual(source.options.channels, ["trades"]);
  assert.deepEqual(source.candles, { intervals: ["1m"], publish: true });
  assert.deepEqual(sourceOf("binance-spot", ["candles"]).candles, undefined);
  assert.equal(sourceOf("binance-spot", ["candles", "trades"]).candles?.publish, false);
});

Deno.test("channels: one that the venue does not have is refused, with those that it has", () => {
  const refused = (venue: string, channels: string[]) => {
    try {
      sourceOf(venue, channels);
    } catch (error) {
      assert.ok(error instanceof UserError);
      return error.message;
    }
    return assert.fail("taken");
  };
  assert.match(refused("yahoo", ["ticker", "book"]), /yahoo has no channel "book", want some of ticker$/);
  assert.match(refused("yahoo", ["candles"]), /no channel "candles"/);
  assert.match(refused("bare", ["book"]), /no channel "book", want some of trades, quote$/);
});

Deno.test("redistribution: withheld where the venue forbids it, unless the operator has leave", () => {
  assert.match(sourceOf("yahoo").withheld!, /forbid redistribution/);
  assert.equal(sourceOf("yahoo", undefined, { redistribution: "allowed" }).withheld, undefined);
  assert.equal(sourceOf("binance-spot").withheld, undefined);
});
