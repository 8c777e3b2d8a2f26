/**
 * Frames of Deribit's JSON-RPC WebSocket: pushes are `{"method":"subscription","params":{"channel":"…","data":…}}`.
 * Numbers are JSON numbers. Books chain by `prev_change_id`; rows are `["new"|"change"|"delete", price, amount]`.
 */
import type { EventBatch } from "../../market/event_batch.ts";
import { LevelList } from "../../market/level_list.ts";
import { closeTimeMs } from "../../market/interval.ts";
import { CandleBars } from "../candle_bars.ts";
import { EVENTS, type FrameOutcome } from "../feed.ts";
import { FieldNames } from "../json/field_names.ts";
import { pushLevel } from "../json/levels.ts";
import { JsonMapper, malformed, NO_NEWS, quoted, UNKNOWN_SYMBOL } from "../json/mapper.ts";
import { ARRAY, OBJECT } from "../json/tape.ts";
import { INTERVAL_OF_RESOLUTION } from "./intervals.ts";

export const VENUE = "deribit";
/** Requests of ours that are no subscription carry this id; nobody waits for their answers. */
export const NO_REQUEST = 0;
const ALIVE: FrameOutcome = {
  kind: "reply",
  text: JSON.stringify({ jsonrpc: "2.0", id: NO_REQUEST, method: "public/test", params: {} }),
};
const CHART = "chart.trades.";

const BOOK = ["instrument_name", "type", "timestamp", "change_id", "prev_change_id", "bids", "asks"] as const;
const QUOTE = [
  ...[
    "instrument_name",
    "timestamp",
    "best_bid_price",
    "best_bid_amount",
    "best_ask_price",
    "best_ask_amount",
  ],
] as const;
const TRADE = [
  "instrument_name",
  "timestamp",
  "trade_seq",
  "trade_id",
  "price",
  "amount",
  "direction",
] as const;

export class DeribitMapper extends JsonMapper {
  readonly #bars = new CandleBars();
  readonly #book_fields = new FieldNames(BOOK);
  readonly #quote_fields = new FieldNames(QUOTE);
  readonly #trade_fields = new FieldNames(TRADE);

  protected read(received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const method = tape.field(0, "method");
    if (method < 0) return this.#answer();
    const params = tape.field(0, "params");
    if (tape.is(method, "heartbeat")) {
      return tape.is(tape.field(params, "type"), "test_request") ? ALIVE : NO_NEWS;
    }
    if (!tape.is(method, "subscription")) {
      return { kind: "unknown", what: `method ${quoted(tape.text(method))}` };
    }
    const channel = tape.field(params, "channel");
    const data = tape.field(params, "data");
    if (channel < 0 || data < 0) return malformed("subscription without channel or data");
    if (tape.startsWith(channel, "book.")) return this.#book(data, received_us, batch);
    if (tape.startsWith(channel, "quote.")) return this.#quote(data, received_us, batch);
    if (tape.startsWith(channel, "trades.")) return this.#trades(data, received_us, batch);
    if (tape.startsWith(channel, "ticker.")) return this.#ticker(data, received_us, batch);
    if (tape.startsWith(channel, CHART)) return this.#candle(tape.text(channel), data, received_us, batch);
    return { kind: "unknown", what: `channel ${quoted(tape.text(channel))}` };
  }
  #symbolOf(row: number): string | FrameOutcome {
    return this.#symbolAt(this.tape.field(row, "instrument_name"));
  }
  #symbolAt(node: number): string | FrameOutcome {
    return node < 0 ? malformed("no instrument_name") : this.symbol(node) ?? UNKNOWN_SYMBOL;
  }
  #time(row: number): number | undefined {
    return this.milliseconds(this.tape.field(row, "timestamp"));
  }

  /** `{"type":"change","timestamp":…,"instrument_name":"…","change_id":2,"prev_change_id":1,"bids":[["new",64010.5,100]],"asks":[]}` */
  #book(data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    tape.fields(data, this.#book_fields);
    const { at } = this.#book_fields;
    const symbol = this.#symbolAt(at[0]);
    if (typeof symbol !== "string") return symbol;
    const is_snapshot = tape.is(at[1], "snapshot");
    // The grouped books of a few levels have no type: they are whole each time and not what was asked for.
    if (at[1] < 0) return { kind: "unknown", what: "grouped book" };
    if (!is_snapshot && !tape.is(at[1], "change")) return malformed("book of an unknown type");
    const last_id = tape.integer(at[3]);
    const previous_id = tape.integer(at[4]);
    if (!(last_id >= 0) || (!is_snapshot && !(previous_id <= last_id))) {
      return malformed("book without change ids");
    }
    const delta = is_snapshot ? undefined : batch.freeDelta();
    const bids = delta?.bids ?? new LevelList();
    const asks = delta?.asks ?? new LevelList();
    if (!this.#levels(at[5], bids)) return malformed("book: bad bids");
    if (!this.#levels(at[6], asks)) return malformed("book: bad asks");
    const exchange_ms = this.milliseconds(at[2]);
    if (delta === undefined) {
      batch.push({
        kind: "book_snapshot",
        venue: VENUE,
        symbol,
        received_us,
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
    delta.exchange_ms = exchange_ms;
    delta.sent_ms = undefined;
    delta.first_id = delta.last_id = last_id;
    delta.previous_id = previous_id;
    delta.depth_limit = delta.checksum = undefined;
    delta.precision = undefined;
    batch.pushDelta(delta);
    return EVENTS;
  }
  #levels(node: number, list: LevelList): boolean {
    const { tape } = this;
    list.clear();
    if (tape.kind(node) !== ARRAY) return false;
    for (let row = node + 1, end = tape.next(node); row < end; row = tape.next(row)) {
      if (tape.kind(row) !== ARRAY || tape.next(row) - row < 4) return false;
      if (!pushLevel(tape, row + 2, row + 3, list)) return false;
      if (tape.is(row + 1, "delete")) list.quantities[list.size - 1] = 0;
      else if (!tape.is(row + 1, "change") && !tape.is(row + 1, "new")) return false;
    }
    return true;
  }

  /** `{"timestamp":…,"instrument_name":"…","best_bid_price":64010,"best_bid_amount":4120,"best_ask_price":…,"best_ask_amount":…}` */
  #quote(data: number, received_us: number, batch: EventBatch): FrameOutcome {
    this.tape.fields(data, this.#quote_fields);
    const { at } = this.#quote_fields;
    const symbol = this.#symbolAt(at[0]);
    if (typeof symbol !== "string") return symbol;
    const bid = this.#price(at[2], at[3]);
    const ask = this.#price(at[4], at[5]);
    const quote = batch.pushQuote();
    quote.venue = VENUE;
    quote.symbol = symbol;
    quote.received_us = received_us;
    quote.sent_ms = undefined;
    quote.exchange_ms = this.milliseconds(at[1]);
    quote.update_id = undefined;
    quote.bid = bid;
    quote.bid_quantity = bid === undefined ? undefined : this.amount(at[3]);
    quote.ask = ask;
    quote.ask_quantity = ask === undefined ? undefined : this.amount(at[5]);
    return EVENTS;
  }
  /** Where nobody bids or offers the venue writes null, or a price and an amount of 0: the side is absent. */
  #price(price_node: number, amount_node: number): number | undefined {
    const price = this.amount(price_node);
    return price === 0 && !this.amount(amount_node) ? undefined : price;
  }

  /** `[{"trade_seq":30289442,"trade_id":"48079269","timestamp":…,"price":…,"instrument_name":"…","direction":"sell","amount":10}]` */
  #trades(data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    if (tape.kind(data) !== ARRAY || tape.next(data) === data + 1) return malformed("no trades");
    for (let row = data + 1, end = tape.next(data); row < end; row = tape.next(row)) {
      tape.fields(row, this.#trade_fields);
      const { at } = this.#trade_fields;
      const symbol = this.#symbolAt(at[0]);
      if (symbol === UNKNOWN_SYMBOL) continue;
      if (typeof symbol !== "string") return symbol;
      // The number within the instrument; `trade_id` is a name ("ETH-34066").
      const trade_id = tape.integer(at[2]);
      const price = tape.decimal(at[4]);
      const quantity = tape.decimal(at[5]);
      const exact_quantity = tape.exact_text;
      const is_buy = tape.is(at[6], "buy");
      if (!(trade_id >= 0) || !(price >= 0) || !(quantity >= 0) || (!is_buy && !tape.is(at[6], "sell"))) {
        return malformed("trade without number, price, amount or direction");
      }
      batch.push({
        kind: "trade",
        venue: VENUE,
        symbol,
        received_us,
        exchange_ms: this.milliseconds(at[1]),
        trade_id,
        venue_trade_id: quoted(tape.text(at[3])) || undefined,
        price,
        quantity,
        exact_quantity,
        aggressor: is_buy ? "buy" : "sell",
      });
    }
    return EVENTS;
  }

  /** `{"timestamp":…,"stats":{"volume":…,"price_change":1.28,"low":…,"high":…},"last_price":…,"best_bid_price":…,…}` */
  #ticker(data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    if (tape.kind(data) !== OBJECT) return malformed("ticker without data");
    const symbol = this.#symbolOf(data);
    if (typeof symbol !== "string") return symbol;
    const stats = tape.field(data, "stats");
    this.tape.fields(data, this.#quote_fields);
    const { at } = this.#quote_fields;
    const bid_price = this.#price(at[2], at[3]);
    const ask_price = this.#price(at[4], at[5]);
    batch.push({
      kind: "ticker",
      venue: VENUE,
      symbol,
      received_us,
      exchange_ms: this.#time(data),
      price_change_percent: this.decimal(tape.field(stats, "price_change")),
      last_price: this.amount(tape.field(data, "last_price")),
      bid_price,
      bid_quantity: bid_price === undefined ? undefined : this.amount(at[3]),
      ask_price,
      ask_quantity: ask_price === undefined ? undefined : this.amount(at[5]),
      high_price: this.amount(tape.field(stats, "high")),
      low_price: this.amount(tape.field(stats, "low")),
      volume: this.amount(tape.field(stats, "volume")),
    });
    return EVENTS;
  }

  /** Channel "chart.trades.BTC-PERPETUAL.1"; `{"tick":1793628600000,"open":…,"high":…,"low":…,"close":…,"volume":…,"cost":…}` */
  #candle(channel: string, data: number, received_us: number, batch: EventBatch): FrameOutcome {
    const { tape } = this;
    const dot = channel.lastIndexOf(".");
    const interval = INTERVAL_OF_RESOLUTION.get(channel.slice(dot + 1));
    if (interval === undefined) return { kind: "unknown", what: "candle interval" };
    const symbol = this.symbols.find(channel.slice(CHART.length, dot));
    if (symbol === undefined) return UNKNOWN_SYMBOL;
    const open_time_ms = this.milliseconds(tape.field(data, "tick"));
    const values = ["open", "high", "low", "close", "volume"].map((name) =>
      this.amount(tape.field(data, name))
    );
    if (open_time_ms === undefined || values.includes(undefined)) {
      return malformed("candle without time, prices or volume");
    }
    const [open, high, low, close, volume] = values as number[];
    const bar = {
      interval,
      open_time_ms,
      close_time_ms: closeTimeMs(interval, open_time_ms),
      open,
      high,
      low,
      close,
    };
    const quote_volume = this.amount(tape.field(data, "cost"));
    const head = { venue: VENUE, symbol, received_us };
    this.#bars.push([{ kind: "candle", ...head, ...bar, volume, quote_volume, closed: false }], batch);
    return EVENTS;
  }

  /** `{"jsonrpc":"2.0","id":1,"result":["book.BTC-PERPETUAL.100ms"]}`, `{"id":1,"error":{"message":"…","code":10028}}` */
  #answer(): FrameOutcome {
    const { tape } = this;
    const id = this.count(tape.field(0, "id"));
    const error = tape.field(0, "error");
    const result = tape.field(0, "result");
    if (error >= 0) {
      const message = quoted(
        `${tape.text(tape.field(error, "code"))}: ${tape.text(tape.field(error, "message"))}`,
      );
      return id === undefined || id === NO_REQUEST
        ? { kind: "error", message }
        : { kind: "ack", id, error: message };
    }
    if (result < 0) return malformed("neither a push nor an answer");
    if (tape.kind(result) !== ARRAY || id === NO_REQUEST) return NO_NEWS;
    // What the venue does not know it leaves out.
    const is_empty = tape.next(result) === result + 1;
    return { kind: "ack", id, error: is_empty ? "none of these channels exists" : undefined };
  }
}
