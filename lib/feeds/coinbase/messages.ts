/**
 * Frames of Coinbase's Advanced Trade WebSocket: `{"channel":"l2_data","timestamp":"…","sequence_num":7,"events":[…]}`.
 * Books have no number of their own; a loss shows in the connection's count, and the frame that shows it says so.
 */
import type { EventBatch } from "../../market/event_batch.ts";
import type { Candle, Trade } from "../../market/event.ts";
import { LevelList } from "../../market/level_list.ts";
import { closeTimeMs } from "../../market/interval.ts";
import { CandleBars } from "../candle_bars.ts";
import { EVENTS, type FrameOutcome } from "../feed.ts";
import { pushLevel } from "../json/levels.ts";
import { JsonMapper, malformed, NO_NEWS, quoted, UNKNOWN_SYMBOL } from "../json/mapper.ts";
import { ARRAY } from "../json/tape.ts";
import { ConnectionSequence } from "./connection_sequence.ts";

export const VENUE = "coinbase";
/** Whole books come as one frame of several megabytes. */
export const MAX_FRAME_BYTES = 32 * 1024 * 1024;
/** The one length that the venue offers. */
export const CANDLE_INTERVAL = "5m";
const REPEATED: FrameOutcome = { kind: "unknown", what: "repeated frame" };
/** Those that come often first. */
const CHANNELS = ["l2_data", "market_trades", "ticker", "heartbeats"];

export class CoinbaseMapper extends JsonMapper {
  readonly #sequence = new ConnectionSequence();
  readonly #bars = new CandleBars();
  /** Symbol → id of its last book event. */
  readonly #book_ids = new Map<string, number>();

  constructor(symbols?: Iterable<string>) {
    super(symbols, MAX_FRAME_BYTES);
  }
  override removeSymbol(symbol: string): void {
    super.removeSymbol(symbol);
    this.#book_ids.delete(symbol);
  }

  protected read(received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const channel_node = tape.field(0, "channel");
    if (channel_node < 0) return this.#error();
    const channel = CHANNELS.find((name) => tape.is(channel_node, name)) ?? tape.text(channel_node);
    const number = tape.integer(tape.field(0, "sequence_num"));
    const events = tape.field(0, "events");
    if (!(number >= 0) || tape.kind(events) !== ARRAY) return malformed("no sequence_num or events");
    const order = this.#sequence.accept(channel, number);
    if (order === "repeated") return REPEATED;
    if (order === "lost") {
      return { kind: "lost", why: `sequence_num ${number} of ${quoted(channel)} came too early` };
    }
    const sent_us = this.isoMicroseconds(tape.field(0, "timestamp"));
    const sent_ms = sent_us > 0 ? sent_us / 1000 : undefined;
    if (channel === "l2_data") {
      return this.#each(events, (event) => this.#book(event, sent_us, received_us, batch));
    }
    if (channel === "market_trades") return this.#trades(events, sent_ms, received_us, batch);
    if (channel === "ticker") {
      return this.#rows(events, "tickers", (row) => this.#quote(row, sent_ms, received_us, batch));
    }
    if (channel === "ticker_batch") {
      return this.#rows(events, "tickers", (row) => this.#ticker(row, sent_ms, received_us, batch));
    }
    if (channel === "candles") return this.#candles(events, sent_ms, received_us, batch);
    if (channel === "heartbeats") return NO_NEWS;
    // One answer a request, in their order; it lists all that the connection has.
    if (channel === "subscriptions") return { kind: "ack" };
    return { kind: "unknown", what: `channel ${quoted(channel)}` };
  }
  #each(list: number, read: (item: number) => FrameOutcome): FrameOutcome {
    const { tape } = this;
    if (tape.kind(list) !== ARRAY) return malformed("no list of rows");
    for (let item = list + 1, end = tape.next(list); item < end; item = tape.next(item)) {
      const outcome = read(item);
      if (outcome !== EVENTS && outcome !== UNKNOWN_SYMBOL) return outcome;
    }
    return EVENTS;
  }
  /** The rows of all events of a frame. */
  #rows(events: number, name: string, read: (row: number) => FrameOutcome): FrameOutcome {
    return this.#each(events, (event) => this.#each(this.tape.field(event, name), read));
  }
  #symbolOf(row: number): string | FrameOutcome {
    const node = this.tape.field(row, "product_id");
    return node < 0 ? malformed("no product_id") : this.symbol(node) ?? UNKNOWN_SYMBOL;
  }

  /** `{"type":"update","product_id":"BTC-USD","updates":[{"side":"bid","event_time":"…","price_level":"…","new_quantity":"…"}]}` */
  #book(event: number, sent_us: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const symbol = this.#symbolOf(event);
    if (typeof symbol !== "string") return symbol;
    const type = tape.field(event, "type");
    const is_snapshot = tape.is(type, "snapshot");
    if (!is_snapshot && !tape.is(type, "update")) return malformed("book of an unknown type");
    const delta = is_snapshot ? undefined : batch.freeDelta();
    const bids = delta?.bids ?? new LevelList();
    const asks = delta?.asks ?? new LevelList();
    const newest_us = this.#levels(tape.field(event, "updates"), bids, asks);
    if (Number.isNaN(newest_us)) return malformed("book: bad updates");
    // Times of the levels are the same on every connection, those of frames are not. Snapshots may have none (1970).
    const time_us = newest_us > 0 ? newest_us : sent_us > 0 ? sent_us : 0;
    // The order of one connection is the truth: a later event never gets a lower id.
    const last_id = Math.max(time_us, (this.#book_ids.get(symbol) ?? 0) + 1);
    this.#book_ids.set(symbol, last_id);
    const exchange_ms = newest_us > 0 ? newest_us / 1000 : undefined;
    const sent_ms = sent_us > 0 ? sent_us / 1000 : undefined;
    if (delta === undefined) {
      batch.push({
        kind: "book_snapshot",
        venue: VENUE,
        symbol,
        received_us,
        sent_ms,
        exchange_ms,
        last_id,
        bids,
        asks,
      });
      return EVENTS;
    }
    delta.venue = VENUE;
    delta.symbol = symbol;
    delta.received_us = received_us;
    delta.sent_ms = sent_ms;
    delta.exchange_ms = exchange_ms;
    delta.first_id = delta.last_id = last_id;
    delta.previous_id = delta.depth_limit = delta.checksum = undefined;
    delta.precision = undefined;
    batch.pushDelta(delta);
    return EVENTS;
  }
  /** Fills both sides; the newest time of a level in microseconds, 0 where none has one, NaN where a level is none. */
  #levels(node: number, bids: LevelList, asks: LevelList): number {
    const { tape } = this;
    if (tape.kind(node) !== ARRAY) return NaN;
    let newest_us = 0;
    let newest_node = -1;
    for (let row = node + 1, end = tape.next(node); row < end; row = tape.next(row)) {
      // Rows are written alike: look where the fields stand in all rows so far, and search only where they don't.
      const in_order = tape.next(row) - row === 9 && tape.is(row + 1, "side") &&
        tape.is(row + 3, "event_time") &&
        tape.is(row + 5, "price_level") && tape.is(row + 7, "new_quantity");
      const side = in_order ? row + 2 : tape.field(row, "side");
      const time = in_order ? row + 4 : tape.field(row, "event_time");
      const price = in_order ? row + 6 : tape.field(row, "price_level");
      const quantity = in_order ? row + 8 : tape.field(row, "new_quantity");
      const list = tape.is(side, "bid") ? bids : tape.is(side, "offer") ? asks : undefined;
      if (list === undefined || !pushLevel(tape, price, quantity, list)) return NaN;
      // Levels of one match share their time.
      if (newest_node >= 0 && tape.same(time, newest_node)) continue;
      const time_us = this.isoMicroseconds(time);
      if (time_us > newest_us) {
        newest_us = time_us;
        newest_node = time;
      }
    }
    return newest_us;
  }

  #trades(events: number, sent_ms: number | undefined, received_us: number, batch: EventBatch): FrameOutcome {
    const trades: Trade[] = [];
    const outcome = this.#rows(events, "trades", (row) => this.#trade(row, sent_ms, received_us, trades));
    if (outcome !== EVENTS) return outcome;
    // History comes newest first.
    const [first, last] = [trades[0]?.trade_id, trades.at(-1)?.trade_id];
    if (first !== undefined && last !== undefined && first > last) trades.reverse();
    for (const trade of trades) batch.push(trade);
    return EVENTS;
  }
  /**
   * `{"trade_id":"881","product_id":"BTC-USD","price":"…","size":"…","side":"BUY","time":"…"}`. Sources disagree whether
   * `side` is the maker's or the taker's, so who took liquidity stays unsaid.
   */
  #trade(row: number, sent_ms: number | undefined, received_us: number, trades: Trade[]): FrameOutcome {
    const { tape } = this;
    const symbol = this.#symbolOf(row);
    if (typeof symbol !== "string") return symbol;
    const id = tape.field(row, "trade_id");
    const price = tape.decimal(tape.field(row, "price"));
    const quantity = tape.decimal(tape.field(row, "size"));
    const exact_quantity = tape.exact_text;
    if (id < 0 || !(price >= 0) || !(quantity >= 0)) return malformed("trade without id, price or size");
    const trade_id = this.count(id);
    trades.push({
      kind: "trade",
      venue: VENUE,
      symbol,
      received_us,
      exchange_ms: this.isoMilliseconds(tape.field(row, "time")),
      sent_ms,
      trade_id,
      venue_trade_id: trade_id === undefined ? quoted(tape.text(id)) : undefined,
      price,
      quantity,
      exact_quantity,
    });
    return EVENTS;
  }

  /** The channel `ticker` comes with every match and tells the best bid and offer. */
  #quote(row: number, sent_ms: number | undefined, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const symbol = this.#symbolOf(row);
    if (typeof symbol !== "string") return symbol;
    const amount = (name: string) => this.amount(tape.field(row, name));
    const bid = amount("best_bid");
    const ask = amount("best_ask");
    if (bid === undefined && ask === undefined) return malformed("ticker without best bid and ask");
    const quote = batch.pushQuote();
    quote.venue = VENUE;
    quote.symbol = symbol;
    quote.received_us = received_us;
    quote.sent_ms = sent_ms;
    quote.exchange_ms = undefined;
    quote.update_id = undefined;
    quote.bid = bid;
    quote.bid_quantity = amount("best_bid_quantity");
    quote.ask = ask;
    quote.ask_quantity = amount("best_ask_quantity");
    return EVENTS;
  }

  /** `{"product_id":"BTC-USD","price":"…","volume_24_h":"…","low_24_h":"…","high_24_h":"…","price_percent_chg_24_h":"…"}` */
  #ticker(row: number, sent_ms: number | undefined, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const symbol = this.#symbolOf(row);
    if (typeof symbol !== "string") return symbol;
    const amount = (name: string) => this.amount(tape.field(row, name));
    const last_price = amount("price");
    if (last_price === undefined) return malformed("ticker without price");
    batch.push({
      kind: "ticker",
      venue: VENUE,
      symbol,
      received_us,
      sent_ms,
      price_change_percent: this.decimal(tape.field(row, "price_percent_chg_24_h")),
      last_price,
      // Documented, yet production leaves them out.
      bid_price: amount("best_bid"),
      bid_quantity: amount("best_bid_quantity"),
      ask_price: amount("best_ask"),
      ask_quantity: amount("best_ask_quantity"),
      high_price: amount("high_24_h"),
      low_price: amount("low_24_h"),
      volume: amount("volume_24_h"),
    });
    return EVENTS;
  }

  #candles(
    events: number,
    sent_ms: number | undefined,
    received_us: number,
    batch: EventBatch,
  ): FrameOutcome {
    const bars: Candle[] = [];
    const outcome = this.#rows(events, "candles", (row) => this.#candle(row, sent_ms, received_us, bars));
    if (outcome === EVENTS) this.#bars.push(bars, batch);
    return outcome;
  }
  /** `{"start":"1688998200","high":"…","low":"…","open":"…","close":"…","volume":"…","product_id":"ETH-USD"}`, start in seconds */
  #candle(row: number, sent_ms: number | undefined, received_us: number, bars: Candle[]): FrameOutcome {
    const { tape } = this;
    const symbol = this.#symbolOf(row);
    if (typeof symbol !== "string") return symbol;
    const start_s = this.milliseconds(tape.field(row, "start"));
    const values = ["open", "high", "low", "close", "volume"].map((name) =>
      this.amount(tape.field(row, name))
    );
    if (start_s === undefined || start_s > 1e10 || values.includes(undefined)) {
      return malformed("candle without start, prices or volume");
    }
    const open_time_ms = start_s * 1000;
    const [open, high, low, close, volume] = values as number[];
    const times = { open_time_ms, close_time_ms: closeTimeMs(CANDLE_INTERVAL, open_time_ms) };
    const head = { venue: VENUE, symbol, received_us, sent_ms, interval: CANDLE_INTERVAL };
    bars.push({ kind: "candle", ...head, ...times, open, high, low, close, volume, closed: false });
    return EVENTS;
  }

  /** `{"type":"error","message":"…"}`: about the oldest request that waits. */
  #error(): FrameOutcome {
    const { tape } = this;
    if (!tape.is(tape.field(0, "type"), "error")) return malformed("neither a channel nor an error");
    return { kind: "ack", error: quoted(tape.text(tape.field(0, "message"))) || "refused without a reason" };
  }
}
