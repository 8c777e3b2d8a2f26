/**
 * Compares our book's top with the venue's own best bid and offer at the same update id, all the time. Quotes come at
 * every change of the top, so the last quote at or before a book's id is the truth at that id, once a later quote proves
 * that none lies between. Exact when the ids are equal, bracketed otherwise. Refuses: comparing what it cannot place.
 */
import type { Quote } from "../market/event.ts";
import type { BookView } from "../market/order_book.ts";

/** A book delta may come 250 ms after the quotes inside it; the busiest capture has 200 quotes a second. */
export const MAX_QUOTES = 1_024;
export const MAX_PENDING = 256;
const TOP = 4;

/** Best bid price, its quantity, best ask price, its quantity. */
export type Top = readonly [bid: number, bid_quantity: number, ask: number, ask_quantity: number];

export interface AuditDifference {
  update_id: number;
  ours: Top;
  venue: Top;
  exact: boolean;
}

export class BookAudit {
  readonly #quote_ids = new Float64Array(MAX_QUOTES);
  readonly #quote_tops = new Float64Array(MAX_QUOTES * TOP);
  #quotes = 0;
  #first_quote = 0;
  readonly #pending_ids = new Float64Array(MAX_PENDING);
  readonly #pending_tops = new Float64Array(MAX_PENDING * TOP);
  #pending = 0;
  #first_pending = 0;
  compared_exact = 0;
  compared_bracketed = 0;
  differed = 0;
  /** Differences in a row; a lost quote makes one bracketed difference, a wrong book makes many. */
  differed_in_a_row = 0;

  constructor(readonly onDifference: (difference: AuditDifference) => void) {}

  get compared(): number {
    return this.compared_exact + this.compared_bracketed;
  }
  get equal(): number {
    return this.compared - this.differed;
  }
  /** Forgets what waits: call when either stream was interrupted. Totals stay. */
  reset(): void {
    this.#quotes =
      this.#first_quote =
      this.#pending =
      this.#first_pending =
        0;
    this.differed_in_a_row = 0;
  }
  /** Forgets our own tops (the book left sync); the venue's quotes stay true. */
  resetBook(): void {
    this.#pending = this.#first_pending = 0;
    this.differed_in_a_row = 0;
  }

  /** Quotes without an id, or with a side missing, can't be placed and are passed over. */
  onQuote(quote: Quote): void {
    const { update_id } = quote;
    if (update_id === undefined || quote.bid === undefined || quote.ask === undefined) return;
    const last_id = this.#quotes > 0 ? this.#quote_ids[this.#quoteSlot(this.#quotes - 1)] : -1;
    if (update_id <= last_id) return;
    while (this.#pending > 0) {
      const slot = this.#first_pending;
      const book_id = this.#pending_ids[slot];
      if (book_id >= update_id) break;
      // A book older than the quote before was never bracketed: it can't be placed.
      if (last_id >= 0 && book_id >= last_id) {
        this.#compare(this.#pending_tops, slot * TOP, this.#quoteSlot(this.#quotes - 1), book_id);
      }
      this.#dropPending();
    }
    const slot = this.#pushQuote(update_id, quote.bid, quote.bid_quantity, quote.ask, quote.ask_quantity);
    if (this.#pending > 0 && this.#pending_ids[this.#first_pending] === update_id) {
      this.#compare(this.#pending_tops, this.#first_pending * TOP, slot, update_id);
      this.#dropPending();
    }
  }

  onBook(update_id: number, book: BookView): void {
    if (book.bids.size === 0 || book.asks.size === 0) return;
    if (this.#pending === MAX_PENDING) this.#dropPending();
    const at = (this.#first_pending + this.#pending) % MAX_PENDING;
    const tops = this.#pending_tops;
    tops[at * TOP] = book.bids.price(0);
    tops[at * TOP + 1] = book.bids.quantity(0);
    tops[at * TOP + 2] = book.asks.price(0);
    tops[at * TOP + 3] = book.asks.quantity(0);
    const newest = this.#quotes - 1;
    if (newest >= 0 && this.#quote_ids[this.#quoteSlot(newest)] >= update_id) {
      const index = this.#lastQuoteAtOrBefore(update_id);
      if (index >= 0) this.#compare(tops, at * TOP, this.#quoteSlot(index), update_id);
      return;
    }
    this.#pending_ids[at] = update_id;
    this.#pending++;
  }

  #compare(tops: Float64Array, at: number, quote_slot: number, update_id: number): void {
    const exact = this.#quote_ids[quote_slot] === update_id;
    if (exact) this.compared_exact++;
    else this.compared_bracketed++;
    const theirs = quote_slot * TOP;
    const quotes = this.#quote_tops;
    if (
      tops[at] === quotes[theirs] && sameSize(tops[at + 1], quotes[theirs + 1]) &&
      tops[at + 2] === quotes[theirs + 2] && sameSize(tops[at + 3], quotes[theirs + 3])
    ) {
      this.differed_in_a_row = 0;
      return;
    }
    this.differed++;
    this.differed_in_a_row++;
    this.onDifference({
      update_id,
      ours: [tops[at], tops[at + 1], tops[at + 2], tops[at + 3]],
      venue: [quotes[theirs], quotes[theirs + 1], quotes[theirs + 2], quotes[theirs + 3]],
      exact,
    });
  }
  /** Index (oldest 0) of the last quote with an id at or before `update_id`; −1 when it was already forgotten. */
  #lastQuoteAtOrBefore(update_id: number): number {
    let low = 0;
    let high = this.#quotes;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#quote_ids[this.#quoteSlot(middle)] <= update_id) low = middle + 1;
      else high = middle;
    }
    return low - 1;
  }
  #pushQuote(
    update_id: number,
    bid: number,
    bid_quantity: number | undefined,
    ask: number,
    ask_quantity: number | undefined,
  ): number {
    if (this.#quotes === MAX_QUOTES) {
      this.#first_quote = (this.#first_quote + 1) % MAX_QUOTES;
      this.#quotes--;
    }
    const slot = this.#quoteSlot(this.#quotes++);
    this.#quote_ids[slot] = update_id;
    this.#quote_tops[slot * TOP] = bid;
    this.#quote_tops[slot * TOP + 1] = bid_quantity ?? NaN;
    this.#quote_tops[slot * TOP + 2] = ask;
    this.#quote_tops[slot * TOP + 3] = ask_quantity ?? NaN;
    return slot;
  }
  #quoteSlot(index: number): number {
    return (this.#first_quote + index) % MAX_QUOTES;
  }
  #dropPending(): void {
    this.#first_pending = (this.#first_pending + 1) % MAX_PENDING;
    this.#pending--;
  }
}

/** A size that the venue did not state (NaN) contradicts nothing. */
function sameSize(ours: number, theirs: number): boolean {
  return ours === theirs || Number.isNaN(theirs);
}
