/**
 * Reads the segment as any process may: copy, then believe only what lock and checksum confirm. Knows when it was lapped
 * and says how much it lost; never returns half of anything. Reads only, so a reader can hurt nobody.
 */
import { UserError } from "../../base/errors.ts";
import { SharedSegment } from "../../os/shared_memory.ts";
import { checksum } from "./checksum.ts";
import {
  BOOK,
  BOOK_CHECKED_FROM,
  BOOK_HEAD_BYTES,
  EVENT,
  EVENT_CHECKED_FROM,
  EVENT_SLOT_BYTES,
  type Geometry,
  HEADER,
  readGeometry,
} from "./layout.ts";

/** Copies of a book being written again and again that are thrown away before the reader gives up for now. */
const MAX_BOOK_TRIES = 1_000;
/** An event whose lock says complete and whose checksum says no, so often: it is damaged, not torn. */
const MAX_EVENT_TRIES = 100;

export interface SegmentHeader {
  readonly state: number;
  readonly writer_pid: number;
  readonly epoch: number;
  readonly heartbeat_us: number;
  readonly heartbeat_interval_ms: number;
  /** Sequence of the newest event, 0 when there is none. */
  readonly head: number;
  readonly books_used: number;
  readonly refused: number;
}

/** Sequences first … last were overwritten before they were read. */
export interface Lapped {
  readonly lapped: true;
  readonly first: number;
  readonly last: number;
}

export class SegmentReader implements Disposable {
  readonly geometry: Geometry;
  /** Sequence of the event that `next` looks for. */
  position: number;
  /** Copies thrown away because lock or checksum did not confirm them. */
  torn = 0;
  /** Events whose checksum never fitted: a writer without order, or broken memory. */
  damaged = 0;
  readonly #words: Int32Array;
  readonly #doubles: Float64Array;
  readonly #copy: ArrayBuffer;
  readonly #copy_words: Int32Array;
  readonly #fence = new Int32Array(1);

  private constructor(readonly segment: SharedSegment) {
    const { buffer } = segment;
    this.geometry = readGeometry(buffer, segment.name);
    const { book_slot_bytes } = this.geometry;
    this.#words = new Int32Array(buffer);
    this.#doubles = new Float64Array(buffer);
    this.#copy = new ArrayBuffer(Math.max(book_slot_bytes, EVENT_SLOT_BYTES));
    this.#copy_words = new Int32Array(this.#copy);
    this.position = this.header().head + 1;
  }
  /** Throws a UserError when there is no such segment or it is none of mdg's. */
  static open(name: string): SegmentReader {
    const segment = SharedSegment.open(name);
    if (segment === undefined) {
      throw new UserError(
        `read shared memory ${JSON.stringify(name)}: nothing there, want a running writer`,
        {
          hint: "a sink of kind shared_memory makes it",
        },
      );
    }
    try {
      return new SegmentReader(segment);
    } catch (error) {
      segment.close();
      throw error;
    }
  }
  header(): SegmentHeader {
    const word = (offset: number) => Atomics.load(this.#words, offset / 4) >>> 0;
    const double = (offset: number) => this.#doubles[offset / 8];
    return {
      state: word(HEADER.state),
      writer_pid: word(HEADER.writer_pid),
      epoch: double(HEADER.epoch),
      heartbeat_us: double(HEADER.heartbeat_us),
      heartbeat_interval_ms: word(HEADER.heartbeat_interval_ms),
      head: double(HEADER.head),
      books_used: Math.min(word(HEADER.books_used), this.geometry.book_slots),
      refused: double(HEADER.refused),
    };
  }
  /** The oldest event that is still there: a place to begin where history is wanted. */
  oldest(): number {
    return Math.max(1, this.header().head - this.geometry.ring_slots + 1);
  }

  /**
   * A confirmed copy of a book slot, valid until the next call; undefined while it was never written, or was being
   * written at every try.
   */
  book(index: number): DataView | undefined {
    const { books_offset, book_slot_bytes } = this.geometry;
    const slot = (books_offset + index * book_slot_bytes) / 4;
    const words = this.#words;
    for (let tries = 0; tries < MAX_BOOK_TRIES; tries++) {
      const lock = Atomics.load(words, slot);
      if (lock === 0) return undefined;
      if (lock & 1) continue;
      this.#copy_words.set(words.subarray(slot, slot + book_slot_bytes / 4));
      this.#loadFence();
      if (Atomics.load(words, slot) === lock && this.#bookFits()) return new DataView(this.#copy);
      this.torn++;
    }
    return undefined;
  }
  /**
   * The event at `position`, which then moves on; undefined when it is not there yet. The view is valid until the next
   * call. A damaged event is counted and passed over.
   */
  next(): DataView | Lapped | undefined {
    for (;;) {
      const found = this.#read();
      if (found !== "damaged") return found;
      this.damaged++;
      this.position++;
    }
  }
  [Symbol.dispose](): void {
    this.segment.close();
  }

  #read(): DataView | Lapped | undefined | "damaged" {
    const { ring_offset, ring_slots } = this.geometry;
    const words = this.#words;
    const copy = this.#copy_words;
    const slot = ring_offset / 4 + (this.position & (ring_slots - 1)) * EVENT_SLOT_BYTES / 4;
    for (let tries = 0; tries < MAX_EVENT_TRIES; tries++) {
      const lock = Atomics.load(words, slot);
      const ahead = (lock - 2 * (this.position % 2 ** 31)) | 0;
      if (ahead < 0 || ahead === 1) return undefined;
      if (ahead > 1) return this.#lapped();
      copy.set(words.subarray(slot, slot + EVENT_SLOT_BYTES / 4));
      this.#loadFence();
      if (Atomics.load(words, slot) === lock && this.#eventFits()) {
        this.position++;
        return new DataView(this.#copy);
      }
      this.torn++;
    }
    return "damaged";
  }
  /** Goes on in the middle of what is there, so that it is not lapped again at once. */
  #lapped(): Lapped {
    const first = this.position;
    const { head } = this.header();
    this.position = Math.max(first + 1, head - this.geometry.ring_slots / 2);
    return { lapped: true, first, last: this.position - 1 };
  }
  #bookFits(): boolean {
    const copy = this.#copy_words;
    const { book_depth } = this.geometry;
    const bids = copy[BOOK.bid_count / 4];
    const asks = copy[BOOK.ask_count / 4];
    if (bids < 0 || bids > book_depth || asks < 0 || asks > book_depth) return false;
    const levels = BOOK_HEAD_BYTES / 4;
    const of_bids = checksum(copy, BOOK_CHECKED_FROM / 4, levels + 4 * bids);
    const from = levels + 4 * book_depth;
    return checksum(copy, from, from + 4 * asks, of_bids) === copy[BOOK.checksum / 4];
  }
  #eventFits(): boolean {
    const copy = this.#copy_words;
    const length = copy[EVENT.shape / 4] >>> 16;
    if (length < EVENT.payload || length > EVENT_SLOT_BYTES || length % 16 !== 0) return false;
    return checksum(copy, EVENT_CHECKED_FROM / 4, length / 4) === copy[EVENT.checksum / 4] &&
      new Float64Array(this.#copy, EVENT.sequence, 1)[0] === this.position;
  }
  /** Loads before it stay before loads after it: an exchange orders both ways on processors that need it. */
  #loadFence(): void {
    Atomics.exchange(this.#fence, 0, 0);
  }
}
