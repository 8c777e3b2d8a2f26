/**
 * Data sets as if they were venues: how their frames are read and what chains their books, which is our own count. They
 * have no connections and no snapshots to ask for.
 */
import type { Feed } from "../../feeds/feed.ts";
import type { BookDelta } from "../../market/event.ts";
import type { SequenceRule, SequenceVerdict } from "../../market/sequence_rule.ts";
import { DbnMapper } from "./dbn_mapper.ts";
import { TardisMapper } from "./tardis_mapper.ts";

/** What a replay needs of a feed. */
export type ReplayFeed =
  & Pick<
    Feed,
    "name" | "sequence" | "snapshot" | "instruments" | "redistribution" | "symbol" | "createMapper"
  >
  & Partial<Pick<Feed, "channels">>;

function chained(delta: BookDelta, last_id: number): SequenceVerdict {
  if (delta.last_id <= last_id) return "stale";
  return delta.previous_id === last_id ? "next" : "gap";
}
const sequence: SequenceRule = { in_band_snapshots: true, afterSnapshot: chained, afterDelta: chained };

/** By the format that the source's mark names. */
export const DATASET_FEEDS: Readonly<Record<string, (venue: string) => ReplayFeed>> = {
  dbn: (venue) => ({
    name: venue,
    sequence,
    symbol: (text) => text,
    createMapper: () => new DbnMapper(venue),
  }),
  tardis: (venue) => ({
    name: venue,
    sequence,
    symbol: (text) => text,
    createMapper: () => new TardisMapper(venue),
  }),
};
