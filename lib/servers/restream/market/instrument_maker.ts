/**
 * All topics of one instrument that somebody wants, by handle. Turns each update of the hub into frames. Best bid and offer
 * come from the venue's own quotes where it gives them, else from the top of the in-sequence book when it changes.
 */
import type { BookState, Hub } from "../../../flow/hub.ts";
import type { Quote, Ticker } from "../../../market/event.ts";
import { type BookStatus, type BookUpdate, type HubUpdate, timestampMs } from "../../../market/update.ts";
import type { Frame } from "../../../wire/websocket_frame.ts";
import { jsonFrame } from "../json_frame.ts";
import { type Format, variantOf } from "../stream_key.ts";
import { BookMaker } from "./book_maker.ts";
import type { Bbo, TopicName } from "./encoding.ts";
import type { Maker, MakerContext, Output } from "./maker.ts";
import { Pace } from "./pace.ts";
import { OrdersMaker } from "./orders_maker.ts";
import { CandlesMaker, LatestMaker, TradesMaker } from "./value_makers.ts";

type Top = Omit<Bbo, "seq">;

export class InstrumentMaker {
  /** At most one per variant, and variants are a fixed list. */
  readonly #makers = new Map<number, Maker>();
  // The same, by what feeds them: the hot path looks nothing up.
  #books: BookMaker[] = [];
  #orders: OrdersMaker[] = [];
  #trades: TradesMaker[] = [];
  #candles: CandlesMaker[] = [];
  #bbos: LatestMaker[] = [];
  #tickers: LatestMaker[] = [];
  /** The venue gives quotes of its own for this instrument. */
  #has_quotes = false;
  #top: Top | undefined;
  #ticker: Ticker | undefined;

  constructor(
    readonly id: number,
    readonly venue: string,
    readonly symbol: string,
    readonly hub: Hub,
    readonly context: MakerContext,
    /** The first sequence of a new maker: larger than any that an earlier maker of the same topic reached. */
    readonly firstSeq: () => number,
  ) {}

  open(handle: number, format: Format): void {
    let maker = this.#makers.get(handle);
    if (maker === undefined) {
      maker = this.#make({ handle, venue: this.venue, symbol: this.symbol, ...variantOf(handle) });
      if (maker === undefined) return;
      this.#makers.set(handle, maker);
      this.#index();
    }
    maker.open(format);
  }
  close(handle: number, format: Format): void {
    if (!this.#makers.get(handle)?.close(format)) return;
    this.#makers.delete(handle);
    this.#index();
  }
  tellSnapshot(handle: number, format: Format): void {
    this.#makers.get(handle)?.tellSnapshot(format);
  }
  tellStatus(): void {
    this.context.inbox.statusNow(this.id, this.#state()?.in_sync ?? false, this.#currentStatus());
  }
  /** To one that was away: how it stands now is news. */
  retellStatus(): void {
    const { inbox } = this.context;
    const state = this.#state();
    inbox.instrument(this.id, this.venue, this.symbol, state?.withheld);
    inbox.status(this.id, state?.in_sync ?? false, this.#currentStatus());
  }
  retell(handle: number, format: Format): void {
    this.#makers.get(handle)?.retell(format);
  }
  stop(): void {
    for (const maker of this.#makers.values()) maker.stop();
  }

  offer(update: HubUpdate): void {
    switch (update.kind) {
      case "book":
        for (const maker of this.#books) maker.onUpdate(update);
        if (!this.#has_quotes) this.#onTop(update);
        return;
      case "orders":
        for (const maker of this.#orders) maker.onUpdate(update);
        return;
      case "quote":
        return this.#onQuote(update);
      case "trade":
        for (const maker of this.#trades) maker.onTrade(update);
        return;
      case "candle":
        for (const maker of this.#candles) {
          if (maker.topic.interval === update.interval) maker.onCandle(update);
        }
        return;
      case "ticker":
        this.#ticker = update;
        for (const maker of this.#tickers) maker.onValue();
        return;
      case "book_status":
        return this.#onStatus(update);
    }
  }

  #make(topic: TopicName): Maker | undefined {
    const { context, hub } = this;
    const pace = topic.interval_ms === undefined
      ? undefined
      : new Pace(hub.clock, topic.interval_ms, () => context.inbox.flush());
    // The whole book goes by the hub's own sequence, in levels and in orders.
    const is_whole = (topic.channel === "book" || topic.channel === "orders") && topic.depth === undefined;
    const seq = is_whole ? this.#state()?.sequence ?? 0 : this.firstSeq();
    switch (topic.channel) {
      case "book":
        return new BookMaker(topic, context, seq, () => this.#state(), pace);
      case "orders":
        return new OrdersMaker(topic, context, seq, () => this.#state()?.orders);
      case "trades":
        return new TradesMaker(topic, context, seq);
      case "candles":
        return new CandlesMaker(topic, context, seq);
      case "bbo":
        return new LatestMaker(
          { ...topic, channel: "bbo" },
          context,
          seq,
          (out, at) => this.#bbo(out, at),
          pace,
        );
      case "ticker": {
        const encode = (out: Output, at: number) => this.#tickerFrame(out, at);
        return new LatestMaker({ ...topic, channel: "ticker" }, context, seq, encode, pace);
      }
      case "status":
        return undefined;
    }
  }
  #index(): void {
    const makers = [...this.#makers.values()];
    this.#books = makers.filter((one) => one instanceof BookMaker);
    this.#orders = makers.filter((one) => one instanceof OrdersMaker);
    this.#trades = makers.filter((one) => one instanceof TradesMaker);
    this.#candles = makers.filter((one) => one instanceof CandlesMaker);
    const latest = makers.filter((one) => one instanceof LatestMaker);
    this.#bbos = latest.filter(({ topic }) => topic.channel === "bbo");
    this.#tickers = latest.filter(({ topic }) => topic.channel === "ticker");
  }
  #onStatus(status: BookStatus): void {
    this.context.inbox.status(this.id, status.in_sync, this.#statusFrame(status));
    if (status.in_sync) return;
    for (const maker of [...this.#books, ...this.#orders]) maker.onOutOfSync();
    if (!this.#has_quotes) { for (const maker of this.#bbos) maker.onOutOfSync(); }
    this.#top = undefined;
    // The quotes may come from the stream that broke: until the next one, the book speaks when it is back.
    this.#has_quotes = false;
  }
  #currentStatus(): Frame {
    const state = this.#state();
    return this.#statusFrame({
      in_sync: state?.in_sync ?? false,
      reason: state?.reason ?? "removed",
      received_us: state?.since_us ?? this.hub.clock.now_us(),
    });
  }
  #statusFrame(status: Pick<BookStatus, "in_sync" | "reason" | "received_us"> & Partial<BookStatus>): Frame {
    const { in_sync, reason, missing_from_id, missing_to_id, out_of_sync_ms, received_us } = status;
    return jsonFrame({
      type: "status",
      venue: this.venue,
      symbol: this.symbol,
      in_sync,
      reason,
      missing_from_id,
      missing_to_id,
      out_of_sync_ms: out_of_sync_ms === undefined ? undefined : Math.round(out_of_sync_ms),
      timestamp: Math.floor(received_us / 1000),
    });
  }
  #onTop(update: BookUpdate): void {
    const { bids, asks } = update.book;
    const bid = bids.size > 0 ? bids.price(0) : undefined;
    const ask = asks.size > 0 ? asks.price(0) : undefined;
    const bid_quantity = bid === undefined ? undefined : bids.quantity(0);
    const ask_quantity = ask === undefined ? undefined : asks.quantity(0);
    const last = this.#top;
    if (
      last && last.bid === bid && last.bid_quantity === bid_quantity && last.ask === ask &&
      last.ask_quantity === ask_quantity
    ) return;
    const timestamp = Math.floor(timestampMs(update));
    const update_id = update.last_update_id;
    this.#top = { update_id, timestamp, source: "book", bid, bid_quantity, ask, ask_quantity };
    for (const maker of this.#bbos) maker.onValue();
  }
  #onQuote(quote: Quote): void {
    this.#has_quotes = true;
    const { update_id, bid, bid_quantity, ask, ask_quantity } = quote;
    // A copy: quotes come from a pool.
    this.#top = {
      update_id,
      timestamp: Math.floor(timestampMs(quote)),
      source: "quote",
      bid,
      bid_quantity,
      ask,
      ask_quantity,
    };
    for (const maker of this.#bbos) maker.onValue();
  }
  #bbo({ encoding, head }: Output, seq: number): Frame | undefined {
    const top = this.#top;
    return top && encoding.bbo(head, { seq, ...top });
  }
  #tickerFrame({ encoding, head }: Output, seq: number): Frame | undefined {
    const ticker = this.#ticker;
    return ticker && encoding.ticker(head, seq, ticker, Math.floor(timestampMs(ticker)));
  }
  #state(): BookState | undefined {
    return this.hub.book(this.venue, this.symbol);
  }
}
