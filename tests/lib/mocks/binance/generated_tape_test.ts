/** The generated market keeps the venue's rules: ids, chains, and quotes that are true at their id. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../../lib/base/clock.ts";
import type { BinanceDialect } from "../../../../lib/mocks/binance/dialect.ts";
import { futuresDialect } from "../../../../lib/mocks/binance/futures.ts";
import { openGeneratedTape } from "../../../../lib/mocks/binance/generated_tape.ts";
import { spotDialect } from "../../../../lib/mocks/binance/spot.ts";
import type { BinanceItem } from "../../../../lib/mocks/binance/item.ts";
import { TextBook } from "../../../../lib/mocks/binance/text_book.ts";
import { get, openVenue, VenueClient } from "./venue_client.ts";

async function generate(dialect: BinanceDialect, intervals: number): Promise<BinanceItem[]> {
  const options = { listen: "", symbols: [], speed: 1, faults: [], seed: "1", rate_per_s: 200 };
  const tape = openGeneratedTape(["BTCUSDT"], dialect, options, new ManualClock());
  const items: BinanceItem[] = [];
  for await (const batch of tape.batches()) {
    items.push(...batch);
    if (intervals-- === 0) return items;
  }
  return items;
}

for (const dialect of [futuresDialect, spotDialect]) {
  Deno.test(`${dialect.name}: chains without gaps, and quotes equal the book at the same id`, async () => {
    const items = await generate(dialect, 300);
    const book = new TextBook("BTCUSDT", dialect.chains_by_previous_id);
    let latest: Record<string, string> & { u: number } | undefined;
    let compared = 0;
    for (const item of items) {
      if (item.kind === "snapshot") book.applySnapshot(item.data);
      if (item.kind === "quote") latest = JSON.parse(item.data);
      if (item.kind !== "depth") continue;
      book.applyDiff(item.data);
      if (latest?.u !== book.last_update_id) continue;
      const { bids, asks } = JSON.parse(book.depthAnswer(1));
      assert.deepEqual([bids[0], asks[0]], [[latest.b, latest.B], [latest.a, latest.A]]);
      compared++;
    }
    assert.deepEqual([book.gaps, book.synced], [0, true]);
    assert.ok(compared > 20, `${compared} compared`);
    assert.ok(items.some((one) => one.kind === "trade"));
    assert.ok(book.last_update_id > 1_700_000_000_000_000 && Number.isSafeInteger(book.last_update_id));
    assert.ok(items.every((one, i) => i === 0 || one.at_us >= items[i - 1].at_us));
  });
}

Deno.test("equal seeds and times generate equal markets", async () => {
  assert.deepEqual(await generate(futuresDialect, 50), await generate(futuresDialect, 50));
});

Deno.test("a generated venue runs without a subscriber and serves books, diffs and trades", async () => {
  await using venue = await openVenue("binance-futures", {
    capture: undefined,
    symbols: ["solusdt", "BTCUSDT"],
    speed: 20,
    rate_per_s: 100,
  });
  assert.deepEqual(venue.symbols, ["SOLUSDT", "BTCUSDT"]);
  const { status, body } = await get(`${venue.rest_url}/fapi/v1/depth?symbol=SOLUSDT&limit=20`);
  assert.deepEqual([status, (body.bids as unknown[]).length], [200, 20]);
  const client = await VenueClient.open(`${venue.ws_url}/public/stream?streams=solusdt@depth@100ms`);
  const market = await VenueClient.open(`${venue.ws_url}/market/ws/btcusdt@aggTrade`);
  assert.match(await client.next(), /^\{"stream":"solusdt@depth@100ms","data":\{"e":"depthUpdate"/);
  assert.match(await market.next(), /^\{"e":"aggTrade".*"s":"BTCUSDT"/);
  await Promise.all([client.close(), market.close()]);
});
