/**
 * Messages of the other gateway as market events. Book messages become snapshots and deltas that chain by the venue's
 * ids; that none is missing, the client has proven by the protocol's own sequence.
 */
import { textOf, valueOf } from "../../client/exact_number.ts";
import { depthLimitOf } from "../../client/kept_book.ts";
import type {
  BboMessage,
  BookMessage,
  CandleMessage,
  MarketMessage,
  TickerMessage,
  TradeMessage,
} from "../../client/messages.ts";
import { type Candle, type Ticker, TICKER_FIELDS } from "../../market/event.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import { LevelList } from "../../market/level_list.ts";

const SESSIONS: readonly string[] = ["pre", "regular", "post", "extended", "overnight"];

export class ToEvents {
  /** Symbol → venue's id that its book stands at. */
  readonly #last_ids = new Map<string, number>();

  push(message: MarketMessage, received_us: number, batch: EventBatch): void {
    switch (message.type) {
      case "snapshot":
        return this.#snapshot(message, received_us, batch);
      case "delta":
        return this.#delta(message, received_us, batch);
      case "trade":
        return pushTrade(message, received_us, batch);
      case "bbo":
        return pushQuote(message, received_us, batch);
      case "ticker":
        return pushTicker(message, received_us, batch);
      case "candle":
        return pushCandle(message, received_us, batch);
    }
  }
  forget(symbol: string): void {
    this.#last_ids.delete(symbol);
  }

  #snapshot(message: BookMessage, received_us: number, batch: EventBatch): void {
    const { venue, symbol, timestamp, last_update_id } = message;
    const bids = new LevelList(message.bids.size);
    const asks = new LevelList(message.asks.size);
    bids.copyFrom(message.bids);
    asks.copyFrom(message.asks);
    this.#last_ids.set(symbol, last_update_id);
    batch.push({
      kind: "book_snapshot",
      venue,
      symbol,
      sent_ms: timestamp,
      received_us,
      last_id: last_update_id,
      depth_limit: depthLimitOf(message),
      bids,
      asks,
    });
  }
  #delta(message: BookMessage, received_us: number, batch: EventBatch): void {
    const delta = batch.freeDelta();
    const previous_id = this.#last_ids.get(message.symbol)!;
    delta.bids.copyFrom(message.bids);
    delta.asks.copyFrom(message.asks);
    delta.venue = message.venue;
    delta.symbol = message.symbol;
    delta.exchange_ms = undefined;
    delta.sent_ms = message.timestamp;
    delta.received_us = received_us;
    delta.previous_id = previous_id;
    delta.last_id = message.last_update_id;
    delta.first_id = previous_id + 1;
    this.#last_ids.set(message.symbol, message.last_update_id);
    batch.pushDelta(delta);
  }
}

function pushTrade(message: TradeMessage, received_us: number, batch: EventBatch): void {
  const { venue, symbol, timestamp, trade_id, is_buyer_maker, price, quantity } = message;
  batch.push({
    kind: "trade",
    venue,
    symbol,
    exchange_ms: timestamp,
    received_us,
    trade_id: typeof trade_id === "number" ? trade_id : undefined,
    venue_trade_id: typeof trade_id === "string" ? trade_id : undefined,
    price: valueOf(price),
    quantity: valueOf(quantity),
    exact_quantity: textOf(quantity),
    aggressor: is_buyer_maker === undefined ? undefined : is_buyer_maker ? "sell" : "buy",
  });
}

/** Only what the venue itself stated; the other side's own view of its book is ours, too. */
function pushQuote(message: BboMessage, received_us: number, batch: EventBatch): void {
  if (message.source !== "quote") return;
  const { bid, bid_quantity, ask, ask_quantity } = message;
  const quote = batch.pushQuote();
  quote.venue = message.venue;
  quote.symbol = message.symbol;
  quote.exchange_ms = undefined;
  quote.sent_ms = message.timestamp;
  quote.received_us = received_us;
  quote.update_id = message.update_id;
  quote.bid = bid && valueOf(bid);
  quote.bid_quantity = bid_quantity && valueOf(bid_quantity);
  quote.ask = ask && valueOf(ask);
  quote.ask_quantity = ask_quantity && valueOf(ask_quantity);
}

function pushTicker(message: TickerMessage, received_us: number, batch: EventBatch): void {
  const { venue, symbol, timestamp, fields, session, extra } = message;
  const ticker: Ticker = { kind: "ticker", venue, symbol, sent_ms: timestamp, received_us };
  for (const field of TICKER_FIELDS) {
    if (fields[field] !== undefined) ticker[field] = valueOf(fields[field]);
  }
  if (session !== undefined && SESSIONS.includes(session)) ticker.session = session as Ticker["session"];
  if (extra !== undefined) ticker.extra = extra;
  batch.push(ticker);
}

function pushCandle(message: CandleMessage, received_us: number, batch: EventBatch): void {
  const { venue, symbol, timestamp, quote_volume, incomplete, revised } = message;
  const candle: Candle = {
    kind: "candle",
    venue,
    symbol,
    sent_ms: timestamp,
    received_us,
    interval: message.interval,
    open_time_ms: message.open_time_ms,
    close_time_ms: message.close_time_ms,
    open: valueOf(message.open),
    high: valueOf(message.high),
    low: valueOf(message.low),
    close: valueOf(message.close),
    volume: valueOf(message.volume),
    quote_volume: quote_volume && valueOf(quote_volume),
    trade_count: message.trade_count,
    closed: message.closed,
  };
  if (incomplete) candle.incomplete = true;
  if (revised) candle.revised = true;
  batch.push(candle);
}
