/**
 * Where everything lies in the segment, in bytes; README.md beside this file tells it to C and Python. Every 8-byte
 * field is an IEEE 754 double, so that one store writes it whole; every 4-byte field an unsigned integer; all little
 * endian, all aligned. A double that is NaN is absent.
 */
import { UserError } from "../../base/errors.ts";

export const MAGIC = "MDGSHMEM";
export const VERSION = 1;

/** Byte offsets of the header. What changes while it runs stands on cache lines of its own. */
export const HEADER = {
  magic: 0,
  version: 8,
  header_bytes: 12,
  state: 16,
  writer_pid: 20,
  total_bytes: 24,
  epoch: 32,
  books_offset: 40,
  book_slot_bytes: 48,
  book_slots: 52,
  book_depth: 56,
  heartbeat_interval_ms: 60,
  ring_offset: 64,
  ring_slot_bytes: 72,
  ring_slots: 76,
  heartbeat_us: 128,
  head: 192,
  books_used: 256,
  refused: 264,
} as const;
export const HEADER_BYTES = 512;

export const STATE = { live: 1, closed: 2, replaced: 3 } as const;

/** Byte offsets inside a book slot; its lock is odd while it is being written. */
export const BOOK = {
  lock: 0,
  checksum: 4,
  state: 16,
  flags: 20,
  bid_count: 24,
  ask_count: 28,
  price_decimals: 32,
  quantity_decimals: 36,
  event_sequence: 40,
  book_sequence: 48,
  last_update_id: 56,
  exchange_ms: 64,
  sent_ms: 72,
  received_us: 80,
  published_us: 88,
  venue: 96,
  symbol: 160,
  reason: 224,
} as const;
export const BOOK_HEAD_BYTES = 256;
/** The checksum covers a book slot from here. */
export const BOOK_CHECKED_FROM = 16;
export const BOOK_STATE = { empty: 0, in_sync: 1, out_of_sync: 2, removed: 3 } as const;
/** A quantity has more digits than a double keeps. */
export const FLAG_INEXACT = 1;

export const NAME_BYTES = 64;
export const REASON_BYTES = 32;

/** Byte offsets inside an event slot. Its lock is twice the sequence, modulo 2^32, plus one while it is being written. */
export const EVENT = {
  lock: 0,
  checksum: 4,
  sequence: 16,
  instrument: 24,
  /** kind | flags << 8 | length << 16; length counts from the slot's begin. */
  shape: 28,
  exchange_ms: 32,
  received_us: 40,
  published_us: 48,
  payload: 56,
} as const;
export const EVENT_SLOT_BYTES = 256;
/** The checksum covers an event slot from here to its length. */
export const EVENT_CHECKED_FROM = 16;

export const KIND = {
  trade: 1,
  quote: 2,
  book: 3,
  levels: 4,
  book_status: 5,
  ticker: 6,
  candle: 7,
  instrument: 8,
} as const;
export const KIND_NAMES = Object.fromEntries(Object.entries(KIND).map(([name, code]) => [code, name]));

/** Flags of a kind start above FLAG_INEXACT. */
export const FLAG = { buy: 2, sell: 4, ask_side: 2, last: 4, in_sync: 2, closed: 2, whole: 8 } as const;

/** Most levels in one `levels` event. */
export const LEVELS_PER_EVENT = (EVENT_SLOT_BYTES - EVENT.payload - 8) / 16;

/** The doubles of a ticker's payload, in this order. */
export { TICKER_FIELDS } from "../../market/event.ts";

/** The doubles of a candle's payload, in this order; the interval's text follows in 16 bytes. */
export const CANDLE_FIELDS = [
  "open",
  "high",
  "low",
  "close",
  "volume",
  "quote_volume",
  "trade_count",
  "open_time_ms",
  "close_time_ms",
] as const;
export const INTERVAL_BYTES = 16;
/** A trade id that is no number, after the doubles of a trade; a longer one is cut. */
export const VENUE_ID_BYTES = 48;

export interface Geometry {
  readonly book_slots: number;
  readonly book_depth: number;
  readonly book_slot_bytes: number;
  readonly books_offset: number;
  readonly ring_slots: number;
  readonly ring_offset: number;
  readonly total_bytes: number;
}

/** `ring_slots` a power of two. */
export function geometryOf(book_slots: number, book_depth: number, ring_slots: number): Geometry {
  // whole cache lines, so that two books never share one
  const book_slot_bytes = Math.ceil((BOOK_HEAD_BYTES + 2 * 16 * book_depth) / 64) * 64;
  const books_offset = HEADER_BYTES;
  const ring_offset = Math.ceil((books_offset + book_slots * book_slot_bytes) / 4096) * 4096;
  const total_bytes = ring_offset + ring_slots * EVENT_SLOT_BYTES;
  return { book_slots, book_depth, book_slot_bytes, books_offset, ring_slots, ring_offset, total_bytes };
}

/** Reads and believes nothing: throws a UserError naming what is wrong with a header. */
export function readGeometry(buffer: ArrayBuffer, name: string): Geometry {
  const refuse = (reason: string) => {
    throw new UserError(`read shared memory ${JSON.stringify(name)}: ${reason}`);
  };
  if (buffer.byteLength < HEADER_BYTES || !hasMagic(buffer)) refuse("no segment of mdg, want one");
  const view = new DataView(buffer);
  const u32 = (offset: number) => view.getUint32(offset, true);
  const version = u32(HEADER.version);
  if (version !== VERSION) refuse(`layout version ${version}, want ${VERSION}`);
  const geometry = geometryOf(u32(HEADER.book_slots), u32(HEADER.book_depth), u32(HEADER.ring_slots));
  const agrees = u32(HEADER.header_bytes) === HEADER_BYTES &&
    u32(HEADER.book_slot_bytes) === geometry.book_slot_bytes &&
    u32(HEADER.ring_slot_bytes) === EVENT_SLOT_BYTES &&
    view.getFloat64(HEADER.books_offset, true) === geometry.books_offset &&
    view.getFloat64(HEADER.ring_offset, true) === geometry.ring_offset &&
    view.getFloat64(HEADER.total_bytes, true) === geometry.total_bytes;
  const power_of_two = (geometry.ring_slots & (geometry.ring_slots - 1)) === 0 && geometry.ring_slots > 0;
  if (!agrees || !power_of_two || buffer.byteLength < geometry.total_bytes) {
    refuse("its header contradicts itself, want a whole segment");
  }
  return geometry;
}

export function hasMagic(buffer: ArrayBuffer): boolean {
  return new TextDecoder().decode(new Uint8Array(buffer, HEADER.magic, Math.min(8, buffer.byteLength))) ===
    MAGIC;
}
