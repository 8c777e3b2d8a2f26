/** A feed's fixture frames through its mapper and the book keeping, as a live source would send them. */
import type { MarketUpdate } from "../../../lib/market/update.ts";
import type { Feed } from "../../../lib/feeds/feed.ts";
import { silentLog } from "../../../lib/base/log.ts";
import { ManualClock } from "../../../lib/base/clock.ts";
import { Metrics } from "../../../lib/base/metrics.ts";
import { Books } from "../../../lib/flow/books.ts";
import { EventBatch } from "../../../lib/market/event_batch.ts";

export interface FixtureBooks {
  books: Books;
  statuses: { symbol: string; in_sync: boolean; reason: string }[];
  wanted: string[];
  send(frame: string | Uint8Array): void;
}

export function fixtureBooks(feed: Feed): FixtureBooks {
  const statuses: FixtureBooks["statuses"] = [];
  const wanted: string[] = [];
  const books = new Books(feed.name, feed.sequence, {
    clock: new ManualClock(),
    log: silentLog,
    metrics: new Metrics(),
    can_refresh: false,
    publish(update: MarketUpdate) {
      if (update.kind !== "book_status") return;
      statuses.push({ symbol: update.symbol, in_sync: update.in_sync, reason: update.reason });
    },
    requestSnapshot: (symbol, reason) => wanted.push(`${symbol}: ${reason}`),
  }, true);
  const mapper = feed.createMapper();
  return {
    books,
    statuses,
    wanted,
    send(frame) {
      const batch = new EventBatch();
      mapper.map(typeof frame === "string" ? new TextEncoder().encode(frame) : frame, 1, batch);
      books.process(batch);
    },
  };
}
