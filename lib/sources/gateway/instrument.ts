/**
 * One instrument of the other gateway, as its messages tell it: book messages become snapshots and deltas that chain by
 * the venue's ids, and the protocol's own sequence proves that none is missing. What the other side had to skip is not
 * passed over: a book without its deltas is interrupted, lost trades are counted.
 */
import { type Ticker, TICKER_FIELDS } from "../../market/event.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import { LevelList } from "../../market/level_list.ts";
import { isNumber, type JsonNumber, type Message, readLevels, textOf, valueOf } from "./read_message.ts";

export class PeerInstrument {
  /** A snapshot is on its way, or the other side has none to give now. */
  awaits_snapshot = true;
  #book_seq = 0;
  #last_update_id = 0;
  #trade_seq: number | undefined;

  constructor(readonly venue: string, readonly symbol: string) {}

  /** @throws an Error when the message is not as the protocol has it */
  snapshot(message: Message, received_us: number, batch: EventBatch): void {
    const bids = new LevelList();
    const asks = new LevelList();
    readLevels(message.bids, bids);
    readLevels(message.asks, asks);
    // The event has one limit for both sides. A side that reaches it counts as known to its last level only: with a
    // bound on one side the other may be taken for known to less than it is, never to more.
    const bounded = [
      message.bid_bound === undefined ? Infinity : bids.size,
      message.ask_bound === undefined ? Infinity : asks.size,
    ];
    const limit = Math.min(...bounded);
    this.#book_seq = integerOf(message, "seq");
    this.#last_update_id = integerOf(message, "last_update_id");
    this.awaits_snapshot = false;
    batch.push({
      kind: "book_snapshot",
      venue: this.venue,
      symbol: this.symbol,
      sent_ms: integerOf(message, "timestamp"),
      received_us,
      last_id: this.#last_update_id,
      depth_limit: limit === Infinity ? undefined : limit,
      bids,
      asks,
    });
  }
  /** @throws an Error also where a delta is missing, which the protocol says can't be */
  delta(message: Message, received_us: number, batch: EventBatch): void {
    if (this.awaits_snapshot) return;
    const seq = integerOf(message, "seq");
    if (seq !== this.#book_seq + 1) throw new Error(`seq ${seq} follows ${this.#book_seq}`);
    const delta = batch.freeDelta();
    readLevels(message.bids, delta.bids);
    readLevels(message.asks, delta.asks);
    delta.venue = this.venue;
    delta.symbol = this.symbol;
    delta.exchange_ms = undefined;
    delta.sent_ms = integerOf(message, "timestamp");
    delta.received_us = received_us;
    delta.previous_id = this.#last_update_id;
    delta.last_id = integerOf(message, "last_update_id");
    delta.first_id = delta.previous_id + 1;
    this.#book_seq = seq;
    this.#last_update_id = delta.last_id;
    batch.pushDelta(delta);
  }
  /** Returns how many trades went by unseen since the last one. */
  trade(message: Message, received_us: number, batch: EventBatch): number {
    const seq = integerOf(message, "seq");
    const missed = this.#trade_seq === undefined ? 0 : Math.max(0, seq - this.#trade_seq - 1);
    this.#trade_seq = seq;
    const quantity = numberOf(message, "quantity");
    const { trade_id, is_buyer_maker } = message;
    batch.push({
      kind: "trade",
      venue: this.venue,
      symbol: this.symbol,
      exchange_ms: integerOf(message, "timestamp"),
      received_us,
      trade_id: typeof trade_id === "number" ? integerOf(message, "trade_id") : undefined,
      venue_trade_id: typeof trade_id === "string" ? trade_id : undefined,
      price: valueOf(numberOf(message, "price")),
      quantity: valueOf(quantity),
      exact_quantity: textOf(quantity),
      aggressor: typeof is_buyer_maker === "boolean" ? (is_buyer_maker ? "sell" : "buy") : undefined,
    });
    return missed;
  }
  /** Only what the venue itself stated; the other side's own view of its book is ours, too. */
  quote(message: Message, received_us: number, batch: EventBatch): void {
    if (message.source !== "quote") return;
    const [bid, bid_quantity] = sideOf(message.bid);
    const [ask, ask_quantity] = sideOf(message.ask);
    const quote = batch.pushQuote();
    quote.venue = this.venue;
    quote.symbol = this.symbol;
    quote.exchange_ms = undefined;
    quote.sent_ms = integerOf(message, "timestamp");
    quote.received_us = received_us;
    quote.update_id = message.update_id === undefined ? undefined : integerOf(message, "update_id");
    quote.bid = bid;
    quote.bid_quantity = bid_quantity;
    quote.ask = ask;
    quote.ask_quantity = ask_quantity;
  }
  ticker(message: Message, received_us: number, batch: EventBatch): void {
    const sent_ms = integerOf(message, "timestamp");
    const ticker: Ticker = { kind: "ticker", venue: this.venue, symbol: this.symbol, sent_ms, received_us };
    for (const field of TICKER_FIELDS) {
      const value = message[field];
      if (isNumber(value)) ticker[field] = valueOf(value);
    }
    batch.push(ticker);
  }
  /** Quotes were skipped: which one stood between two others is unknown. */
  quotesSkipped(received_us: number, batch: EventBatch): void {
    batch.push({ kind: "damage", venue: this.venue, symbol: this.symbol, received_us });
  }
  /** A new connection: `same_epoch` means that the other side counts on where it was. */
  reconnected(same_epoch: boolean): void {
    this.awaits_snapshot = true;
    if (!same_epoch) this.#trade_seq = undefined;
  }
}

function numberOf(message: Message, field: string): JsonNumber {
  const value = message[field];
  if (!isNumber(value)) throw new Error(`"${field}" is no number`);
  return value;
}
function integerOf(message: Message, field: string): number {
  const value = message[field];
  if (!Number.isSafeInteger(value)) throw new Error(`"${field}" is no whole number`);
  return value as number;
}
/** Price and quantity of a side of a quote; what is not stated is absent. */
function sideOf(side: unknown): [number | undefined, number | undefined] {
  if (!Array.isArray(side)) return [undefined, undefined];
  const [price, quantity] = side.map((part) => isNumber(part) ? valueOf(part) : undefined);
  return [price, quantity];
}
