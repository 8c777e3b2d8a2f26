/**
 * All topics of one instrument. Turns each update of the hub into frames for whoever subscribed. Best bid and offer come
 * from the venue's own quotes where it gives them, else from the top of the in-sequence book when it changes.
 */
import type { BookState, Hub } from "../../flow/hub.ts";
import type { Quote, Ticker } from "../../market/event.ts";
import { type BookStatus, type BookUpdate, type MarketUpdate, timestampMs } from "../../market/update.ts";
import type { Frame } from "../../wire/websocket_frame.ts";
import { BookTopic } from "./book_topic.ts";
import { type Bbo, type Head, type MessageEncoder, messageHead } from "./messages.ts";
import type { ChannelName } from "./protocol.ts";
import type { Subscription, Topic } from "./topic.ts";
import { LatestTopic, StatusTopic, TradesTopic } from "./value_topics.ts";

type Top = Pick<Bbo, "bid" | "bid_quantity" | "ask" | "ask_quantity">;

export class InstrumentStream {
  /** Depth → topic; 0 is the whole book. Only those with subscribers, so at most as many as there are depths. */
  readonly #books = new Map<number, BookTopic>();
  readonly #trades: TradesTopic;
  readonly #bbo: LatestTopic;
  readonly #ticker: LatestTopic;
  readonly #status: StatusTopic;
  readonly #bbo_head: Head;
  readonly #ticker_head: Head;
  /** The venue gives quotes of its own for this instrument. */
  #has_quotes = false;
  #top: Top | undefined;

  constructor(
    readonly venue: string,
    readonly symbol: string,
    readonly hub: Hub,
    readonly encoder: MessageEncoder,
  ) {
    this.#bbo_head = messageHead("bbo", venue, symbol);
    this.#ticker_head = messageHead("ticker", venue, symbol);
    this.#trades = new TradesTopic(venue, symbol, encoder);
    this.#bbo = new LatestTopic("bbo", venue, symbol, encoder, (seq) => this.#currentBbo(seq));
    this.#ticker = new LatestTopic("ticker", venue, symbol, encoder);
    this.#status = new StatusTopic(venue, symbol, () => this.#currentStatus());
  }

  topic(channel: ChannelName, depth?: number): Topic {
    switch (channel) {
      case "trades":
        return this.#trades;
      case "bbo":
        return this.#bbo;
      case "ticker":
        return this.#ticker;
      case "status":
        return this.#status;
      case "book": {
        const found = this.#books.get(depth ?? 0);
        if (found) return found;
        const readBook = () => this.hub.book(this.venue, this.symbol);
        const made = new BookTopic(this.venue, this.symbol, depth, this.encoder, readBook);
        this.#books.set(depth ?? 0, made);
        return made;
      }
    }
  }
  /** First frames of a new subscription; a book out of sync says so at once. */
  start(subscription: Subscription): void {
    const { topic } = subscription;
    topic.subscriptions.add(subscription);
    topic.start(subscription);
    if (topic.channel === "book" && !this.#state()?.in_sync) {
      subscription.recipient.send(this.#currentStatus());
    }
  }
  end(subscription: Subscription): void {
    const { topic } = subscription;
    topic.subscriptions.delete(subscription);
    if (topic.channel === "book" && topic.subscriptions.size === 0) this.#books.delete(topic.depth ?? 0);
  }
  *subscriptions(): Iterable<Subscription> {
    for (const topic of [this.#trades, this.#bbo, this.#ticker, this.#status, ...this.#books.values()]) {
      yield* topic.subscriptions;
    }
  }

  offer(update: MarketUpdate): void {
    switch (update.kind) {
      case "book":
        for (const topic of this.#books.values()) topic.onUpdate(update);
        if (!this.#has_quotes) this.#onTop(update);
        return;
      case "quote":
        return this.#onQuote(update);
      case "trade":
        return this.#trades.onTrade(update);
      case "ticker":
        return this.#onTicker(update);
      case "book_status":
        return this.#onStatus(update);
    }
  }

  #onStatus(status: BookStatus): void {
    const frame = this.encoder.json({
      type: "status",
      venue: this.venue,
      symbol: this.symbol,
      in_sync: status.in_sync,
      reason: status.reason,
      missing_from_id: status.missing_from_id,
      missing_to_id: status.missing_to_id,
      out_of_sync_ms: status.out_of_sync_ms === undefined ? undefined : Math.round(status.out_of_sync_ms),
      timestamp: Math.floor(status.received_us / 1000),
    });
    this.#status.onStatus(frame);
    for (const topic of this.#books.values()) {
      if (!status.in_sync) topic.onOutOfSync();
      for (const subscription of topic.subscriptions) subscription.recipient.send(frame);
    }
    if (status.in_sync) return;
    if (!this.#has_quotes) this.#bbo.forget();
    this.#top = undefined;
    // The quotes may come from the stream that broke: until the next one, the book speaks when it is back.
    this.#has_quotes = false;
  }
  #onTop(update: BookUpdate): void {
    const top = topOf(update);
    const last = this.#top;
    if (
      last && last.bid === top.bid && last.bid_quantity === top.bid_quantity && last.ask === top.ask &&
      last.ask_quantity === top.ask_quantity
    ) return;
    this.#top = top;
    this.#bbo.onValue((seq) => this.encoder.bbo(this.#bbo_head, bookBbo(seq, update, top)), false);
  }
  #onQuote(quote: Quote): void {
    this.#has_quotes = true;
    this.#bbo.onValue((seq) =>
      this.encoder.bbo(this.#bbo_head, {
        seq,
        update_id: quote.update_id,
        timestamp: Math.floor(timestampMs(quote)),
        source: "quote",
        bid: quote.bid,
        bid_quantity: quote.bid_quantity,
        ask: quote.ask,
        ask_quantity: quote.ask_quantity,
      }), false);
  }
  #onTicker(ticker: Ticker): void {
    const timestamp = Math.floor(timestampMs(ticker));
    this.#ticker.onValue((seq) => this.encoder.ticker(this.#ticker_head, seq, ticker, timestamp), true);
  }

  #state(): BookState | undefined {
    return this.hub.book(this.venue, this.symbol);
  }
  #currentBbo(seq: number): Frame | undefined {
    const state = this.#state();
    if (this.#has_quotes || this.#top === undefined || !state?.in_sync) return undefined;
    return this.encoder.bbo(this.#bbo_head, bookBbo(seq, state, this.#top));
  }
  #currentStatus(): Frame {
    const state = this.#state();
    return this.encoder.json({
      type: "status",
      venue: this.venue,
      symbol: this.symbol,
      in_sync: state?.in_sync ?? false,
      reason: state?.reason ?? "removed",
      timestamp: Math.floor((state?.since_us ?? this.hub.clock.now_us()) / 1000),
    });
  }
}

function topOf({ book: { bids, asks } }: BookUpdate): Top {
  const top: Top = {};
  if (bids.size > 0) {
    top.bid = bids.price(0);
    top.bid_quantity = bids.quantity(0);
  }
  if (asks.size > 0) {
    top.ask = asks.price(0);
    top.ask_quantity = asks.quantity(0);
  }
  return top;
}

function bookBbo(seq: number, at: Omit<BookUpdate, "kind" | "venue" | "symbol">, top: Top): Bbo {
  return {
    seq,
    update_id: at.last_update_id,
    timestamp: Math.floor(timestampMs(at)),
    source: "book",
    ...top,
  };
}
