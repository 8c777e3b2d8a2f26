/** No spoilt frame may read as a frame with another price: tried with a strict reader and with the feeds' own mappers. */
import assert from "node:assert/strict";
import { Random } from "../../../../lib/base/random.ts";
import { binanceFutures } from "../../../../lib/feeds/binance/futures.ts";
import { binanceSpot } from "../../../../lib/feeds/binance/spot.ts";
import { EventBatch } from "../../../../lib/market/event_batch.ts";
import { binanceWords } from "../../../../lib/mocks/binance/corruption_words.ts";
import { spoil } from "../../../../lib/mocks/stage/corruption.ts";
import { WireFrame } from "../../../../lib/mocks/stage/wire_frame.ts";
import { readFixture } from "./venue_client.ts";

for (const feed of [binanceFutures, binanceSpot]) {
  Deno.test(`${feed.name}: a spoilt frame is refused or says what the original said`, async () => {
    const frames = (await readFixture(feed.name)).filter((one) => one.includes('"stream"')).slice(0, 300);
    const random = new Random("corruption");
    const mapper = feed.createMapper(["BTCUSDT"]);
    const said = (frame: Uint8Array) => {
      const batch = new EventBatch();
      const outcome = mapper.map(frame, 1, batch);
      return outcome.kind === "events" ? essence(batch) : undefined;
    };
    const seen = { refused: 0, replaced: 0, strange: 0 };
    for (let round = 0; round < 20; round++) {
      for (const frame of frames) {
        const { payload, replaces } = spoil(new WireFrame(frame), random, binanceWords);
        if (!replaces) {
          seen.strange++;
          if (payload.length < 10_000) assert.equal(said(payload), undefined, payload.toString());
          continue;
        }
        seen.replaced++;
        const read = said(payload);
        if (read === undefined) seen.refused++;
        else assert.equal(read, said(new TextEncoder().encode(frame)), payload.toString());
      }
    }
    assert.ok(seen.strange > 500 && seen.refused > seen.replaced * 0.9, JSON.stringify(seen));
  });
}

Deno.test("equal seeds spoil alike", () => {
  const frame =
    '{"stream":"btcusdt@trade","data":{"e":"trade","s":"BTCUSDT","t":1,"p":"2","q":"3","T":4,"m":true}}';
  const spoilt = () =>
    Array.from(
      { length: 50 },
      (_, i) => spoil(new WireFrame(frame), new Random(i), binanceWords).payload.toString("hex"),
    );
  assert.deepEqual(spoilt(), spoilt());
});

/** What matters of a batch: ids, prices, quantities. */
function essence(batch: EventBatch): string {
  return JSON.stringify(batch.events, (key, value) => key.endsWith("_ms") ? undefined : value);
}
