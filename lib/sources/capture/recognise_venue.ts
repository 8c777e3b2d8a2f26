/**
 * Which feed a capture is from: the first feed whose mapper reads a book delta among the first lines. Feeds are asked
 * strictest first (those that need more fields refuse the others' frames), which is the order of the registry.
 */
import { EventBatch } from "../../market/event_batch.ts";
import type { Feed } from "../../feeds/feed.ts";
import { readCapture } from "../../formats/read_capture.ts";

const LINES_READ = 2_000;

export async function recogniseVenue(path: string, feeds: readonly Feed[]): Promise<string | undefined> {
  const found = new AbortController();
  const mappers = feeds.map((feed) => ({ name: feed.name, mapper: feed.createMapper() }));
  const batch = new EventBatch();
  let venue: string | undefined;
  let lines = 0;
  await readCapture(path, (bytes, start, end, received_us) => {
    if (venue !== undefined || lines++ > LINES_READ) return found.abort();
    for (const { name, mapper } of mappers) {
      batch.clear();
      mapper.map(bytes.subarray(start, end), received_us, batch);
      if (venue === undefined && batch.events[0]?.kind === "book_delta") venue = name;
    }
  }, found.signal);
  return venue;
}
