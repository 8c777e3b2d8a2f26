/**
 * Replays a capture through the same feed, book and audit code as a live run, and reports what a sceptic wants to know:
 * gaps, resyncs, comparisons with the venue's own quotes, and a hash of the final full book.
 */
import { createHash } from "node:crypto";
import { ManualClock } from "../../base/clock.ts";
import { formatDecimal } from "../../base/decimal.ts";
import { UserError } from "../../base/errors.ts";
import { silentLog } from "../../base/log.ts";
import { Metrics } from "../../base/metrics.ts";
import type { Feed, FrameOutcome } from "../../feeds/feed.ts";
import type { AuditDifference } from "../../flow/book_audit.ts";
import { Books } from "../../flow/books.ts";
import type { Instrument } from "../../flow/instrument.ts";
import type { BookSide } from "../../market/book_side.ts";
import type { MarketEvent } from "../../market/event.ts";
import { EventBatch } from "../../market/event_batch.ts";
import { readCapture } from "../../formats/read_capture.ts";

export interface VerifiedBook {
  symbol: string;
  in_sync: boolean;
  update_id: number;
  depth_updates: number;
  gaps: number;
  resyncs: number;
  crossed_updates: number;
  trades: number;
  book_ticker: {
    received: number;
    compared: number;
    compared_at_same_id: number;
    equal: number;
    differed: number;
    first_difference: AuditDifference | null;
  };
  levels: { bids: number; asks: number };
  /** Levels are complete between these prices; null: to the end of the side. */
  known_between: { lowest_bid: string | null; highest_ask: string | null };
  bids: [string, string][];
  asks: [string, string][];
  /** Of the full book: levels as `price,quantity\n`, bids best first, then asks best first, shortest decimal form. */
  sha256: string;
}

export interface CaptureReport {
  venue: string;
  frames: number;
  depth_updates: number;
  snapshots: number;
  malformed: number;
  unknown: number;
  gaps: number;
  resyncs: number;
  compared: number;
  equal: number;
  differed: number;
  torn: string | null;
  ok: boolean;
  books: VerifiedBook[];
}

const TOP_LEVELS = 20;

export async function verifyCapture(path: string, feed: Feed, signal?: AbortSignal): Promise<CaptureReport> {
  const first_differences = new Map<string, AuditDifference>();
  const books = new Books(feed.name, feed.sequence, {
    clock: new ManualClock(0),
    log: silentLog,
    metrics: new Metrics(),
    publish() {},
    requestSnapshot() {},
    can_refresh: false,
    onAuditDifference(symbol, difference) {
      if (!first_differences.has(symbol)) first_differences.set(symbol, difference);
    },
  }, true);
  const mapper = feed.createMapper();
  const batch = new EventBatch();
  const counts: Partial<Record<FrameOutcome["kind"], number>> = {};
  let snapshots = 0;
  const end = await readCapture(path, (bytes, start, stop, received_us) => {
    const frame = bytes.subarray(start, stop);
    let outcome: FrameOutcome = mapper.map(frame, received_us, batch);
    if (outcome.kind === "unknown" && looksLikeSnapshot(frame)) {
      const refused = feed.snapshot?.parse(frame, "", received_us, batch);
      outcome = refused === undefined ? { kind: "events" } : { kind: "malformed", why: refused };
      for (const event of batch.events) nameSnapshot(event, books);
      snapshots++;
    }
    counts[outcome.kind] = (counts[outcome.kind] ?? 0) + 1;
    books.process(batch);
    batch.clear();
  }, signal);
  if (end.lines === 0) {
    throw new UserError(`read capture ${JSON.stringify(path)}: no lines, want at least one frame`);
  }
  const verified = [...books.instruments.values()].filter((one) => one.metrics.depth_messages.value > 0)
    .map((one) => verifiedBook(one, first_differences.get(one.symbol) ?? null));
  const total = (pick: (book: VerifiedBook) => number) => verified.reduce((sum, book) => sum + pick(book), 0);
  const gaps = total((book) => book.gaps);
  const differed = total((book) => book.book_ticker.differed);
  return {
    venue: feed.name,
    frames: end.lines,
    depth_updates: total((book) => book.depth_updates),
    snapshots,
    malformed: (counts.malformed ?? 0) + end.bad_lines,
    unknown: counts.unknown ?? 0,
    gaps,
    resyncs: total((book) => book.resyncs),
    compared: total((book) => book.book_ticker.compared),
    equal: total((book) => book.book_ticker.equal),
    differed,
    torn: end.torn ?? null,
    ok: gaps === 0 && differed === 0 && verified.length > 0 && verified.every((book) => book.in_sync) &&
      !end.torn,
    books: verified,
  };
}

function looksLikeSnapshot(frame: Uint8Array): boolean {
  const head = new TextDecoder().decode(frame.subarray(0, 64));
  return head.includes('"lastUpdateId"');
}

/**
 * An inline REST snapshot names no symbol. It is that one's whose ids are nearest: ids of different symbols lie far
 * apart, and a snapshot lies within a few deltas of its own symbol's newest.
 */
function nameSnapshot(event: MarketEvent, books: Books): void {
  if (event.kind !== "book_snapshot") return;
  let nearest = Infinity;
  for (const { symbol, replica, metrics } of books.instruments.values()) {
    const distance = Math.abs(replica.newest_id - event.last_id);
    if (metrics.depth_messages.value === 0 || distance >= nearest) continue;
    nearest = distance;
    event.symbol = symbol;
  }
}

export function verifiedBook(instrument: Instrument, first_difference: AuditDifference | null): VerifiedBook {
  const { replica, audit, metrics } = instrument;
  const { bids, asks } = replica.book;
  const hash = createHash("sha256");
  for (const side of [bids, asks]) {
    for (let i = 0; i < side.size; i++) hash.update(levelTexts(side, i).join(",") + "\n");
  }
  return {
    symbol: instrument.symbol,
    in_sync: replica.live,
    update_id: replica.last_id,
    depth_updates: metrics.depth_messages.value,
    gaps: instrument.gaps,
    resyncs: metrics.resyncs.value + metrics.repairs.value,
    crossed_updates: metrics.crossed.value,
    trades: metrics.trades.value,
    book_ticker: {
      received: metrics.quote_messages.value,
      compared: audit.compared,
      compared_at_same_id: audit.compared_exact,
      equal: audit.equal,
      differed: audit.differed,
      first_difference,
    },
    levels: { bids: bids.size, asks: asks.size },
    known_between: { lowest_bid: boundText(bids), highest_ask: boundText(asks) },
    bids: topLevels(bids),
    asks: topLevels(asks),
    sha256: hash.digest("hex"),
  };
}

function topLevels(side: BookSide): [string, string][] {
  return Array.from({ length: Math.min(TOP_LEVELS, side.size) }, (_, i) => levelTexts(side, i));
}
function levelTexts(side: BookSide, i: number): [string, string] {
  return [formatDecimal(side.price(i)), side.exactQuantity(i) ?? formatDecimal(side.quantity(i))];
}
function boundText(side: BookSide): string | null {
  return side.bound_key === -Infinity ? null : formatDecimal(side.sign * side.bound_key);
}
