/**
 * A segment printed for a person or as JSON, followed, or judged. Uses the reader that tests use; knows no layout.
 */
import { formatDecimal } from "../../base/decimal.ts";
import { sleep } from "../../base/clock.ts";
import { UserError } from "../../base/errors.ts";
import type { World } from "../../cli/command.ts";
import { monotonicClock } from "../../os/monotonic_clock.ts";
import { decodeBook, decodeEvent, type SharedBook, type SharedEvent } from "./decode.ts";
import { STATE } from "./layout.ts";
import { type SegmentHeader, SegmentReader } from "./segment_reader.ts";

/** Between two looks for new events, and for a new writer. */
const POLL_MS = 2;
const REOPEN_MS = 100;
/** Lines gathered before they are written out. */
const MAX_GATHERED = 1_000;
/** A writer is silent when it missed so many heartbeats, and for so long. */
const SILENT_HEARTBEATS = 10;
const SILENT_US = 1_000_000;
const MAX_REASONS = 20;

const STATE_NAMES = Object.fromEntries(Object.entries(STATE).map(([name, code]) => [code, name]));

export async function showSegment(
  world: World,
  name: string,
  flags: { json: boolean; levels: number },
): Promise<void> {
  using reader = SegmentReader.open(name);
  const header = describe(reader.header());
  const { books } = readBooks(reader);
  if (flags.json) {
    await world.stdout(JSON.stringify({ name, ...header, ...reader.geometry, books }) + "\n");
    return;
  }
  const { state, writer_pid, heartbeat_age_ms, head, refused } = header;
  const lines = [
    `${name}: ${state}, process ${writer_pid}, heartbeat ${Math.round(heartbeat_age_ms)} ms ago, ` +
    `${head} events, ${books.length} instruments${refused > 0 ? `, ${refused} updates refused` : ""}`,
  ];
  for (const book of books) lines.push(...bookLines(book, flags.levels));
  await world.stdout(lines.join("\n") + "\n");
}

/** Prints events until the world says stop or `count` is reached. Losses and restarts are told on stderr. */
export async function followSegment(
  world: World,
  name: string,
  flags: { json: boolean; oldest: boolean; count?: number },
): Promise<void> {
  let from_oldest = flags.oldest;
  let epoch = NaN;
  let left = flags.count ?? Infinity;
  while (!world.signal.aborted && left > 0) {
    using reader = Number.isNaN(epoch) ? SegmentReader.open(name) : reopen(name, epoch);
    if (reader === undefined) {
      await sleep(world.clock, REOPEN_MS, world.signal);
      continue;
    }
    if (!Number.isNaN(epoch)) world.log.warn("writer restarted", { name });
    ({ epoch } = reader.header());
    if (from_oldest) reader.position = reader.oldest();
    left = await followReader(world, reader, left, flags.json);
    // events of the next writer are all new
    from_oldest = true;
  }
}

/** Whether writer, books and events are whole; the reasons are printed. */
export async function checkSegment(world: World, name: string, json: boolean): Promise<boolean> {
  using reader = SegmentReader.open(name);
  const header = describe(reader.header());
  const reasons: string[] = [];
  if (header.state !== "live") reasons.push(`writer is gone: ${header.state}`);
  else if (header.silent) {
    reasons.push(`writer ${header.writer_pid} is silent for ${Math.round(header.heartbeat_age_ms)} ms`);
  }
  if (header.refused > 0) {
    reasons.push(`${header.refused} updates found no place, want a larger max_instruments`);
  }
  const { books, unread } = readBooks(reader);
  for (const index of unread) reasons.push(`book ${index} is not whole`);
  for (const { venue, symbol, state, reason } of books) {
    if (state !== "in_sync" && state !== "removed") {
      reasons.push(`${venue} ${symbol}: no book: ${reason ?? state}`);
    }
  }
  const events = checkEvents(reader);
  if (reader.damaged > 0) reasons.push(`${reader.damaged} events are damaged`);
  const ok = reasons.length === 0;
  const verdict = {
    name,
    ok,
    reasons: reasons.slice(0, MAX_REASONS),
    ...header,
    instruments: books.length,
    events,
  };
  await world.stdout(
    json ? JSON.stringify(verdict) + "\n" : [ok ? "ok" : "not ok", ...verdict.reasons].join("\n") + "\n",
  );
  return ok;
}

/** A segment of another writer than `epoch`, when there is one. */
function reopen(name: string, epoch: number): SegmentReader | undefined {
  try {
    const reader = SegmentReader.open(name);
    if (reader.header().epoch !== epoch) return reader;
    reader[Symbol.dispose]();
    return undefined;
  } catch (error) {
    if (error instanceof UserError) return undefined;
    throw error;
  }
}

/** Until its writer is gone and all is read; returns how many events are still wanted. */
async function followReader(
  world: World,
  reader: SegmentReader,
  left: number,
  json: boolean,
): Promise<number> {
  const names = new Map<number, Instrument>();
  learnNames(reader, names);
  while (!world.signal.aborted && left > 0) {
    // asked before reading: what was written before the end is read in any case
    const { state, silent } = describe(reader.header());
    const lines: string[] = [];
    while (left > 0 && lines.length < MAX_GATHERED) {
      const found = reader.next();
      if (found === undefined) break;
      if ("lapped" in found) {
        world.log.warn("events lost: lapped by the writer", { first: found.first, last: found.last });
        learnNames(reader, names);
        continue;
      }
      const event = decodeEvent(found);
      if (event.kind === "instrument") {
        names.set(event.instrument, { venue: String(event.venue), symbol: String(event.symbol) });
      }
      lines.push(eventLine({ ...event, ...names.get(event.instrument) }, json));
      left--;
    }
    if (lines.length > 0) await world.stdout(lines.join(""));
    else if (state !== "live" || silent) {
      if (state !== "live" || !reader.segment.is_current) return left;
      world.log.warn("writer is silent", { process: reader.header().writer_pid });
      await sleep(world.clock, REOPEN_MS, world.signal);
    } else await sleep(world.clock, POLL_MS, world.signal);
  }
  return left;
}

interface Instrument {
  venue: string;
  symbol: string;
}

function learnNames(reader: SegmentReader, names: Map<number, Instrument>): void {
  for (const { index, venue, symbol } of readBooks(reader).books) names.set(index, { venue, symbol });
}

function readBooks(reader: SegmentReader): { books: (SharedBook & { index: number })[]; unread: number[] } {
  const books: (SharedBook & { index: number })[] = [];
  const unread: number[] = [];
  const { books_used } = reader.header();
  for (let index = 0; index < books_used; index++) {
    const view = reader.book(index);
    if (view) books.push({ index, ...decodeBook(view, reader.geometry.book_depth) });
    else unread.push(index);
  }
  return { books, unread };
}

/** How many events of the ring were read whole. */
function checkEvents(reader: SegmentReader): number {
  const { head } = reader.header();
  reader.position = reader.oldest();
  let events = 0;
  while (reader.position <= head) {
    const found = reader.next();
    if (found === undefined) break;
    if (!("lapped" in found)) events++;
  }
  return events;
}

function describe(header: SegmentHeader) {
  const age_us = monotonicClock()() - header.heartbeat_us;
  return {
    ...header,
    state: STATE_NAMES[header.state] ?? `state ${header.state}`,
    heartbeat_age_ms: age_us / 1_000,
    silent: age_us > SILENT_US + SILENT_HEARTBEATS * 1_000 * header.heartbeat_interval_ms,
  };
}

function bookLines(book: SharedBook, count: number): string[] {
  const ids = book.last_update_id === undefined ? "" : `, update ${book.last_update_id}`;
  const lines = [`${book.venue} ${book.symbol}: ${book.state}${book.reason ? `: ${book.reason}` : ""}${ids}`];
  const level = (one: readonly [number, number] | undefined) =>
    one ? `${formatDecimal(one[1])} @ ${formatDecimal(one[0])}` : "";
  for (let i = 0; i < count && (book.bids[i] || book.asks[i]); i++) {
    lines.push(`  ${level(book.bids[i]).padStart(32)} | ${level(book.asks[i])}`);
  }
  return lines;
}

function eventLine(event: SharedEvent & Partial<Instrument>, json: boolean): string {
  if (json) return JSON.stringify(event) + "\n";
  const { sequence, kind, venue, symbol, instrument: _, published_us: __, ...rest } = event;
  const fields = Object.entries(rest).map(([key, value]) =>
    `${key}=${typeof value === "number" ? formatDecimal(value) : JSON.stringify(value)}`
  );
  return `${sequence} ${kind} ${venue ?? "?"} ${symbol ?? "?"} ${fields.join(" ")}\n`;
}
