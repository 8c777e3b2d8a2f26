/** A snapshot shows so many levels a side; when the market leaves them behind, what is left is not a book. */
import assert from "node:assert/strict";
import { ManualClock } from "../../../lib/base/clock.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { Metrics } from "../../../lib/base/metrics.ts";
import { binanceSpot } from "../../../lib/feeds/binance/spot.ts";
import { Books } from "../../../lib/flow/books.ts";
import type { MarketUpdate } from "../../../lib/market/update.ts";
import { levels } from "../servers/fake_hub.ts";

Deno.test("nothing is published from a side whose known levels are used up", () => {
  const told: string[] = [];
  const requests: string[] = [];
  const books = new Books("binance-spot", binanceSpot.sequence, {
    clock: new ManualClock(),
    log: silentLog,
    metrics: new Metrics(),
    publish: (update: MarketUpdate) => {
      if (update.kind === "book") told.push(`book ${update.last_update_id}`);
      if (update.kind === "book_status") told.push(update.in_sync ? "in sync" : update.reason);
    },
    requestSnapshot: (_symbol, reason) => requests.push(reason),
    can_refresh: true,
  });
  books.add("A");
  const head = { venue: "binance-spot", symbol: "A", received_us: 0 };
  const delta = (id: number, bids: [number, number][]) =>
    books.event({
      ...head,
      kind: "book_delta",
      first_id: id,
      last_id: id,
      bids: levels(bids),
      asks: levels([]),
    });
  delta(10, [[100, 1]]);
  // Two bids are all that the snapshot may show, so that below 99 nothing is known.
  books.event({
    ...head,
    kind: "book_snapshot",
    last_id: 10,
    depth_limit: 2,
    bids: levels([[100, 1], [99, 1]]),
    asks: levels([[101, 1], [102, 1]]),
  });
  delta(11, [[98, 5]]);
  delta(12, [[100, 0]]);
  assert.deepEqual(told, ["in sync", "book 10", "book 11", "book 12"]);
  delta(13, [[99, 0]]);
  assert.deepEqual(told.slice(4), ["beyond known depth"]);
  assert.equal(requests.at(-1), "beyond known depth");
});
