/**
 * The cargo between a source and its consumer: events in order, with pools for the frequent kinds so that steady state
 * allocates nothing. The producer fills it, the consumer reads it synchronously, `clear` takes everything back.
 */
import type { BookDelta, MarketEvent, Quote } from "./event.ts";
import { LevelList } from "./level_list.ts";

/** A delta with lists of its own and every field in place, so that all deltas have one shape. */
export function emptyDelta(): BookDelta {
  return {
    kind: "book_delta",
    venue: "",
    symbol: "",
    exchange_ms: undefined,
    sent_ms: undefined,
    received_us: 0,
    first_id: 0,
    last_id: 0,
    previous_id: undefined,
    depth_limit: undefined,
    checksum: undefined,
    precision: undefined,
    bids: new LevelList(),
    asks: new LevelList(),
  };
}

export class EventBatch {
  readonly events: MarketEvent[] = [];
  readonly #deltas: BookDelta[] = [];
  readonly #quotes: Quote[] = [];
  #deltas_used = 0;
  #quotes_used = 0;

  get size(): number {
    return this.events.length;
  }
  push(event: MarketEvent): void {
    this.events.push(event);
  }
  /** The next free delta of the pool, its lists empty, not yet part of the batch: fill it, then `push` it. */
  freeDelta(): BookDelta {
    const found = this.#deltas[this.#deltas_used];
    if (found) {
      found.bids.clear();
      found.asks.clear();
      return found;
    }
    const made = emptyDelta();
    this.#deltas.push(made);
    return made;
  }
  /** Puts the delta last returned by `freeDelta` into the batch. */
  pushDelta(delta: BookDelta): void {
    this.#deltas_used++;
    this.events.push(delta);
  }
  /** A quote from the pool, already part of the batch; the caller sets every field. */
  pushQuote(): Quote {
    let quote = this.#quotes[this.#quotes_used];
    if (!quote) {
      quote = {
        kind: "quote",
        venue: "",
        symbol: "",
        exchange_ms: undefined,
        sent_ms: undefined,
        received_us: 0,
        update_id: undefined,
        bid: undefined,
        bid_quantity: undefined,
        ask: undefined,
        ask_quantity: undefined,
      };
      this.#quotes.push(quote);
    }
    this.#quotes_used++;
    this.events.push(quote);
    return quote;
  }
  /** Takes back whatever was added after the batch had `size` events: a frame that turned out bad halfway. */
  truncate(size: number): void {
    while (this.events.length > size) {
      const event = this.events.pop();
      if (event === this.#deltas[this.#deltas_used - 1]) this.#deltas_used--;
      else if (event === this.#quotes[this.#quotes_used - 1]) this.#quotes_used--;
    }
  }
  /** Empties the batch; pooled events may now be reused. */
  clear(): void {
    this.events.length = 0;
    this.#deltas_used = 0;
    this.#quotes_used = 0;
  }
}
