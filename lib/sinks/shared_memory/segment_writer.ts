/**
 * Writes the segment: the latest book per instrument under a sequence lock, and the ring of events. It never waits and
 * never asks who reads. Order of stores: lock odd, content, lock even. Between the odd lock and the content the lock is
 * loaded back: an atomic load after an atomic store of the same word is the one pair that ARM keeps in order before
 * plain stores, and it shows a second writer. The checksum guards what language and compiler do not promise.
 */
import type { Candle, Quote, Ticker, Trade } from "../../market/event.ts";
import type { LevelList } from "../../market/level_list.ts";
import type { BookSide } from "../../market/book_side.ts";
import type { BookStatus, BookUpdate } from "../../market/update.ts";
import { checksum } from "./checksum.ts";
import {
  BOOK,
  BOOK_CHECKED_FROM,
  BOOK_HEAD_BYTES,
  BOOK_STATE,
  CANDLE_FIELDS,
  EVENT,
  EVENT_CHECKED_FROM,
  EVENT_SLOT_BYTES,
  FLAG,
  FLAG_INEXACT,
  type Geometry,
  HEADER,
  INTERVAL_BYTES,
  KIND,
  LEVELS_PER_EVENT,
  NAME_BYTES,
  REASON_BYTES,
  STATE,
  TICKER_FIELDS,
  VENUE_ID_BYTES,
} from "./layout.ts";

const EVENT_WORDS = EVENT_SLOT_BYTES / 4;
const PAYLOAD = EVENT.payload / 8;
const encoder = new TextEncoder();

/** The place of one instrument in the books area. */
interface Place {
  readonly index: number;
  /** Byte offset of its book slot. */
  readonly offset: number;
  readonly venue: string;
  readonly symbol: string;
}

export class SegmentWriter {
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #bytes: Uint8Array;
  readonly #places = new Map<string, Map<string, Place>>();
  /** Places of removed instruments, longest unused first. */
  readonly #free: number[] = [];
  #used = 0;
  /** The event being written or to be written next: sequence, lock without its lowest bit, word index of its slot. */
  #sequence = 1;
  #lock = 2;
  #slot: number;
  #last: Place | undefined;

  /** `now_us`: the machine's monotonic clock. The buffer holds a header already. */
  constructor(readonly buffer: ArrayBuffer, readonly geometry: Geometry, readonly now_us: () => number) {
    this.#words = new Int32Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#bytes = new Uint8Array(buffer);
    this.#slot = this.#slotOf(1);
    this.heartbeat();
  }

  book(update: BookUpdate, with_levels: boolean): void {
    const place = this.#placeOf(update.venue, update.symbol);
    const { book, delta } = update;
    const published_us = this.now_us();
    const levels = with_levels && delta ? delta : undefined;
    const level_events = levels ? eventsFor(levels.bids) + eventsFor(levels.asks) : 0;
    this.#writeBook(place, update, published_us, this.#sequence + level_events);
    if (levels) {
      this.#levels(place, update, levels.bids, 0, published_us);
      this.#levels(place, update, levels.asks, FLAG.ask_side, published_us);
    }
    const at = this.#begin(place.index, update.exchange_ms, update.received_us, published_us);
    const doubles = this.#doubles;
    const { bids, asks } = book;
    const has_bid = bids.size > 0;
    const has_ask = asks.size > 0;
    doubles[at] = has_bid ? bids.price(0) : NaN;
    doubles[at + 1] = has_bid ? bids.quantity(0) : NaN;
    doubles[at + 2] = has_ask ? asks.price(0) : NaN;
    doubles[at + 3] = has_ask ? asks.quantity(0) : NaN;
    doubles[at + 4] = update.sequence;
    doubles[at + 5] = update.last_update_id;
    doubles[at + 6] = update.sent_ms ?? NaN;
    const inexact = book.bids.exact_quantities || book.asks.exact_quantities ? FLAG_INEXACT : 0;
    this.#end(KIND.book, inexact | (delta ? 0 : FLAG.whole), 7);
  }
  trade(trade: Trade): void {
    const place = this.#placeOf(trade.venue, trade.symbol);
    const at = this.#begin(place.index, trade.exchange_ms, trade.received_us, this.now_us());
    const doubles = this.#doubles;
    doubles[at] = trade.price;
    doubles[at + 1] = trade.quantity;
    doubles[at + 2] = trade.trade_id ?? NaN;
    doubles[at + 3] = trade.first_fill_id ?? NaN;
    doubles[at + 4] = trade.last_fill_id ?? NaN;
    let flags = trade.exact_quantity === undefined ? 0 : FLAG_INEXACT;
    if (trade.aggressor !== undefined) flags |= trade.aggressor === "buy" ? FLAG.buy : FLAG.sell;
    if (trade.venue_trade_id === undefined) return this.#end(KIND.trade, flags, 5);
    this.#text((at + 5) * 8, VENUE_ID_BYTES, trade.venue_trade_id);
    this.#end(KIND.trade, flags, 5 + VENUE_ID_BYTES / 8);
  }
  quote(quote: Quote): void {
    const place = this.#placeOf(quote.venue, quote.symbol);
    const at = this.#begin(place.index, quote.exchange_ms, quote.received_us, this.now_us());
    const doubles = this.#doubles;
    doubles[at] = quote.bid ?? NaN;
    doubles[at + 1] = quote.bid_quantity ?? NaN;
    doubles[at + 2] = quote.ask ?? NaN;
    doubles[at + 3] = quote.ask_quantity ?? NaN;
    doubles[at + 4] = quote.update_id ?? NaN;
    this.#end(KIND.quote, 0, 5);
  }
  ticker(ticker: Ticker): void {
    const place = this.#placeOf(ticker.venue, ticker.symbol);
    const at = this.#begin(place.index, ticker.exchange_ms, ticker.received_us, this.now_us());
    TICKER_FIELDS.forEach((field, i) => this.#doubles[at + i] = ticker[field] ?? NaN);
    this.#end(KIND.ticker, 0, TICKER_FIELDS.length);
  }
  candle(candle: Candle): void {
    const place = this.#placeOf(candle.venue, candle.symbol);
    const at = this.#begin(place.index, candle.exchange_ms, candle.received_us, this.now_us());
    CANDLE_FIELDS.forEach((field, i) => this.#doubles[at + i] = candle[field] ?? NaN);
    this.#text((at + CANDLE_FIELDS.length) * 8, INTERVAL_BYTES, candle.interval);
    this.#end(KIND.candle, candle.closed ? FLAG.closed : 0, CANDLE_FIELDS.length + INTERVAL_BYTES / 8);
  }
  /** Out of sync: the latest book is taken away before the event tells it. In sync: the book itself follows. */
  status(status: BookStatus): void {
    const place = this.#placeOf(status.venue, status.symbol);
    const published_us = this.now_us();
    const removed = status.reason === "removed";
    if (!status.in_sync) {
      this.#takeBookAway(place, removed ? BOOK_STATE.removed : BOOK_STATE.out_of_sync, status, published_us);
    }
    const at = this.#begin(place.index, undefined, status.received_us, published_us);
    const doubles = this.#doubles;
    doubles[at] = status.missing_from_id ?? NaN;
    doubles[at + 1] = status.missing_to_id ?? NaN;
    doubles[at + 2] = status.out_of_sync_ms ?? NaN;
    this.#text((at + 3) * 8, REASON_BYTES, status.reason);
    this.#end(KIND.book_status, status.in_sync ? FLAG.in_sync : 0, 3 + REASON_BYTES / 8);
    if (removed) this.#forget(place);
  }
  /** An update that found no room; readers see the count in the header. */
  refused(): void {
    this.#doubles[HEADER.refused / 8]++;
  }
  heartbeat(): void {
    this.#doubles[HEADER.heartbeat_us / 8] = this.now_us();
  }
  close(): void {
    this.heartbeat();
    Atomics.store(this.#words, HEADER.state / 4, STATE.closed);
  }

  #placeOf(venue: string, symbol: string): Place {
    const last = this.#last;
    if (last !== undefined && last.symbol === symbol && last.venue === venue) return last;
    const place = this.#places.get(venue)?.get(symbol) ?? this.#newPlace(venue, symbol);
    this.#last = place;
    return place;
  }
  #newPlace(venue: string, symbol: string): Place {
    for (const [what, text] of [["venue", venue], ["symbol", symbol]] as const) {
      if (encoder.encode(text).length > NAME_BYTES) {
        throw new RangeError(`place ${what} ${JSON.stringify(text)}: longer than ${NAME_BYTES} bytes`);
      }
    }
    const { book_slots, books_offset, book_slot_bytes } = this.geometry;
    if (this.#used === book_slots && this.#free.length === 0) {
      throw new RangeError(
        `place ${symbol}: all ${book_slots} places are taken, want a larger max_instruments`,
      );
    }
    const index = this.#used < book_slots ? this.#used++ : this.#free.shift()!;
    const place = { index, offset: books_offset + index * book_slot_bytes, venue, symbol };
    let symbols = this.#places.get(venue);
    if (!symbols) this.#places.set(venue, symbols = new Map());
    symbols.set(symbol, place);
    this.#announce(place);
    return place;
  }
  /** Its names in the books area, then an event, so that a reader in mid-ring learns what the index means from now on. */
  #announce(place: Place): void {
    const { offset } = place;
    const published_us = this.now_us();
    const lock = this.#lockBook(offset);
    this.#bytes.fill(0, offset + BOOK_CHECKED_FROM, offset + BOOK_HEAD_BYTES);
    this.#text(offset + BOOK.venue, NAME_BYTES, place.venue);
    this.#text(offset + BOOK.symbol, NAME_BYTES, place.symbol);
    this.#bookTimes(offset, published_us, this.#sequence, undefined);
    this.#unlockBook(offset, lock, 0, 0);
    Atomics.store(this.#words, HEADER.books_used / 4, this.#used);
    const at = this.#begin(place.index, undefined, NaN, published_us);
    this.#text(at * 8, NAME_BYTES, place.venue);
    this.#text(at * 8 + NAME_BYTES, NAME_BYTES, place.symbol);
    this.#doubles[at + 2 * NAME_BYTES / 8] = 0;
    this.#end(KIND.instrument, 0, 2 * NAME_BYTES / 8 + 1);
  }
  #forget(place: Place): void {
    this.#places.get(place.venue)?.delete(place.symbol);
    this.#last = undefined;
    this.#free.push(place.index);
  }

  #writeBook(place: Place, update: BookUpdate, published_us: number, event_sequence: number): void {
    const { offset } = place;
    const { book } = update;
    const { book_depth } = this.geometry;
    const lock = this.#lockBook(offset);
    const words = this.#words;
    const bid_count = Math.min(book_depth, book.bids.known);
    const ask_count = Math.min(book_depth, book.asks.known);
    words[(offset + BOOK.state) / 4] = BOOK_STATE.in_sync;
    words[(offset + BOOK.flags) / 4] = book.bids.exact_quantities || book.asks.exact_quantities
      ? FLAG_INEXACT
      : 0;
    words[(offset + BOOK.price_decimals) / 4] = book.price_decimals;
    words[(offset + BOOK.quantity_decimals) / 4] = book.quantity_decimals;
    this.#bookTimes(offset, published_us, event_sequence, update);
    const reason = (offset + BOOK.reason) / 8;
    for (let i = 0; i < REASON_BYTES / 8; i++) this.#doubles[reason + i] = 0;
    const levels = offset + BOOK_HEAD_BYTES;
    this.#writeSide(levels / 8, book.bids, bid_count);
    this.#writeSide(levels / 8 + 2 * book_depth, book.asks, ask_count);
    this.#unlockBook(offset, lock, bid_count, ask_count);
  }
  #writeSide(at: number, side: BookSide, count: number): void {
    const doubles = this.#doubles;
    for (let i = 0; i < count; i++) {
      doubles[at++] = side.price(i);
      doubles[at++] = side.quantity(i);
    }
  }
  /** No levels stay to be taken for true. */
  #takeBookAway(place: Place, state: number, status: BookStatus, published_us: number): void {
    const { offset } = place;
    const lock = this.#lockBook(offset);
    this.#words[(offset + BOOK.state) / 4] = state;
    this.#words[(offset + BOOK.flags) / 4] = 0;
    this.#text(offset + BOOK.reason, REASON_BYTES, status.reason);
    this.#bookTimes(offset, published_us, this.#sequence, { received_us: status.received_us });
    this.#unlockBook(offset, lock, 0, 0);
  }
  #bookTimes(
    offset: number,
    published_us: number,
    event_sequence: number,
    of: Partial<BookUpdate> | undefined,
  ): void {
    const doubles = this.#doubles;
    const at = (offset + BOOK.event_sequence) / 8;
    doubles[at] = event_sequence;
    doubles[at + 1] = of?.sequence ?? NaN;
    doubles[at + 2] = of?.last_update_id ?? NaN;
    doubles[at + 3] = of?.exchange_ms ?? NaN;
    doubles[at + 4] = of?.sent_ms ?? NaN;
    doubles[at + 5] = of?.received_us ?? NaN;
    doubles[at + 6] = published_us;
  }
  /** Returns the lock that ends the writing. */
  #lockBook(offset: number): number {
    const word = (offset + BOOK.lock) / 4;
    const writing = (this.#words[word] + 1) | 1;
    this.#take(word, writing);
    return (writing + 1) | 0;
  }
  #unlockBook(offset: number, lock: number, bid_count: number, ask_count: number): void {
    const words = this.#words;
    const at = offset / 4;
    words[at + BOOK.bid_count / 4] = bid_count;
    words[at + BOOK.ask_count / 4] = ask_count;
    const levels = at + BOOK_HEAD_BYTES / 4;
    const of_bids = checksum(words, at + BOOK_CHECKED_FROM / 4, levels + 4 * bid_count);
    const asks = levels + 4 * this.geometry.book_depth;
    words[at + BOOK.checksum / 4] = checksum(words, asks, asks + 4 * ask_count, of_bids);
    Atomics.store(words, at + BOOK.lock / 4, lock);
  }

  #levels(place: Place, update: BookUpdate, list: LevelList, side: number, published_us: number): void {
    const doubles = this.#doubles;
    for (let from = 0; from < list.size; from += LEVELS_PER_EVENT) {
      const count = Math.min(LEVELS_PER_EVENT, list.size - from);
      const at = this.#begin(place.index, update.exchange_ms, update.received_us, published_us);
      doubles[at] = update.sequence;
      for (let i = 0; i < count; i++) {
        doubles[at + 1 + 2 * i] = list.prices[from + i];
        doubles[at + 2 + 2 * i] = list.quantities[from + i];
      }
      const inexact = list.exact_quantities ? FLAG_INEXACT : 0;
      const last = from + count === list.size ? FLAG.last : 0;
      this.#end(KIND.levels, side | last | inexact, 1 + 2 * count);
    }
  }
  /** Returns where the payload begins among the doubles. */
  #begin(
    instrument: number,
    exchange_ms: number | undefined,
    received_us: number,
    published_us: number,
  ): number {
    const slot = this.#slot;
    this.#take(slot, this.#lock | 1);
    this.#words[slot + EVENT.instrument / 4] = instrument;
    const at = slot >> 1;
    const doubles = this.#doubles;
    doubles[at + EVENT.sequence / 8] = this.#sequence;
    doubles[at + EVENT.exchange_ms / 8] = exchange_ms ?? NaN;
    doubles[at + EVENT.received_us / 8] = received_us;
    doubles[at + EVENT.published_us / 8] = published_us;
    return at + PAYLOAD;
  }
  /** `payload` doubles were written, an odd number: what the checksum covers is a multiple of 16 bytes. */
  #end(kind: number, flags: number, payload: number): void {
    const slot = this.#slot;
    const words = this.#words;
    const length = EVENT.payload + 8 * payload;
    words[slot + EVENT.shape / 4] = kind | flags << 8 | length << 16;
    words[slot + EVENT.checksum / 4] = checksum(words, slot + EVENT_CHECKED_FROM / 4, slot + length / 4);
    Atomics.store(words, slot, this.#lock);
    this.#doubles[HEADER.head / 8] = this.#sequence;
    this.#sequence++;
    this.#lock = (this.#lock + 2) | 0;
    this.#slot = this.#slotOf(this.#sequence);
  }
  #take(word: number, lock: number): void {
    Atomics.store(this.#words, word, lock);
    if (Atomics.load(this.#words, word) !== lock) {
      throw new Error("write shared memory: another writer is in it, want one");
    }
  }
  #slotOf(sequence: number): number {
    const { ring_offset, ring_slots } = this.geometry;
    return ring_offset / 4 + (sequence & (ring_slots - 1)) * EVENT_WORDS;
  }
  /** NUL-padded, cut at a character. */
  #text(offset: number, length: number, text: string): void {
    const field = this.#bytes.subarray(offset, offset + length);
    const { written } = encoder.encodeInto(text, field);
    field.fill(0, written);
  }
}

function eventsFor(list: LevelList): number {
  return Math.ceil(list.size / LEVELS_PER_EVENT);
}
