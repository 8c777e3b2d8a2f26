/**
 * The book that a capture ends with, by the plainest means: every line read in order, nothing lost. What a run through
 * faults must come to in the end.
 */
import { ManualClock } from "../../lib/base/clock.ts";
import { silentLog } from "../../lib/base/log.ts";
import { Metrics } from "../../lib/base/metrics.ts";
import type { Feed } from "../../lib/feeds/feed.ts";
import { Books } from "../../lib/flow/books.ts";
import type { BookState } from "../../lib/flow/hub.ts";
import type { BookSide } from "../../lib/market/book_side.ts";
import { EventBatch } from "../../lib/market/event_batch.ts";
import { readCapture } from "../../lib/formats/read_capture.ts";

export async function cleanBooks(feed: Feed, path: string): Promise<Map<string, BookState>> {
  const books = new Books(feed.name, feed.sequence, {
    clock: new ManualClock(),
    log: silentLog,
    metrics: new Metrics(),
    publish() {},
    requestSnapshot() {},
    can_refresh: false,
  }, true);
  const mapper = feed.createMapper();
  const batch = new EventBatch();
  await readCapture(path, (bytes, start, end, received_us) => {
    const frame = bytes.slice(start, end);
    if (mapper.map(frame, received_us, batch).kind === "unknown") {
      for (const symbol of books.instruments.keys()) feed.snapshot!.parse(frame, symbol, received_us, batch);
    }
    books.process(batch);
    batch.clear();
  });
  return books.instruments;
}

/** The first level, best first, in which two sides differ within the depth that both know; undefined when none. */
export function firstDifference(one: BookSide, other: BookSide): string | undefined {
  const bound = Math.max(one.bound_key, other.bound_key);
  const size = one.countFrom(bound);
  const other_size = other.countFrom(bound);
  for (let i = 0; i < Math.max(size, other_size); i++) {
    const [a, b] = [one, other].map((side, k) =>
      i < [size, other_size][k] ? `${side.price(i)} × ${side.quantity(i)}` : "nothing"
    );
    if (a !== b) return `level ${i} of ${size}/${other_size}: ${a}, want ${b}`;
  }
  return undefined;
}
