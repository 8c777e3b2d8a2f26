/**
 * Market messages in the binary form of ../README.md: levels as differences of exact integers, two to five times smaller
 * than JSON. A number that is no integer of at most 53 bits at its message's decimals takes the whole message to the text
 * form: nothing is rounded.
 */
import { EXACT_MANTISSA_LIMIT, formatDecimal, POWERS_OF_TEN } from "../../../base/decimal.ts";
import type { BookSide } from "../../../market/book_side.ts";
import { type Candle, type Ticker, TICKER_FIELDS, type Trade } from "../../../market/event.ts";
import type { LevelList } from "../../../market/level_list.ts";
import { ORDER_ACTIONS, type OrderChange, type RestingOrder } from "../../../market/order_queue_book.ts";
import { ByteWriter } from "../../../wire/byte_writer.ts";
import { beginFrame, endBinaryFrame, type Frame } from "../../../wire/websocket_frame.ts";
import { BINARY_FORMAT } from "../stream_key.ts";
import {
  type Bbo,
  type BookStamp,
  type Encoding,
  type Head,
  type MessageType,
  orderIdOf,
  type OrdersStamp,
  type TopicName,
  tradeTimeMs,
} from "./encoding.ts";
import { writeText, writeVarint, writeZigzag } from "./varint.ts";

const KINDS: Readonly<Record<MessageType, number>> = {
  snapshot: 1,
  delta: 2,
  trade: 3,
  bbo: 4,
  ticker: 5,
  candle: 6,
  orders_snapshot: 7,
  orders_delta: 8,
};
const TEXT_DECIMALS = 255;
/** Differences of two mantissas stay exact below this. */
const MANTISSA_LIMIT = EXACT_MANTISSA_LIMIT;
const MAX_DECIMALS = 15;
const BOOK_TEXT = 1;
const BID_BOUND = 2;
const ASK_BOUND = 4;
const ASK_SIDE = 4;
const TICKER_SESSION = 2 ** 19;
const TICKER_EXTRA = 2 ** 20;

/** Levels of one side of a message, however they are stored. */
interface Levels {
  readonly size: number;
  price(i: number): number;
  quantity(i: number): number;
  exactQuantity(i: number): string | undefined;
}

export class BinaryEncoding implements Encoding {
  readonly format = BINARY_FORMAT;
  readonly #writer = new ByteWriter(16_384);
  /** Where a number's decimals were found last: the next one's are mostly the same. */
  #guess = 0;

  head(type: MessageType, { handle }: TopicName): Head {
    const writer = new ByteWriter(16);
    writer.byte(KINDS[type]);
    writeVarint(writer, handle);
    return writer.copy();
  }
  snapshot(head: Head, stamp: BookStamp, bids: BookSide, asks: BookSide): Frame {
    const bid_bound = bids.bound_key === -Infinity ? undefined : bids.bound_key;
    const ask_bound = asks.bound_key === -Infinity ? undefined : -asks.bound_key;
    return this.#book(head, stamp, knownLevels(bids), knownLevels(asks), bid_bound, ask_bound);
  }
  changes(head: Head, stamp: BookStamp, bids: LevelList, asks: LevelList): Frame {
    return this.#book(head, stamp, listed(bids), listed(asks), undefined, undefined);
  }
  trade(head: Head, seq: number, trade: Trade): Frame {
    const writer = this.#start(head, seq, tradeTimeMs(trade));
    const known = trade.aggressor === undefined ? 0 : trade.aggressor === "sell" ? 3 : 1;
    const has_id = trade.trade_id !== undefined;
    const has_text_id = !has_id && trade.venue_trade_id !== undefined;
    writer.byte(known | (has_id ? 4 : 0) | (has_text_id ? 8 : 0));
    if (has_id) writeVarint(writer, trade.trade_id!);
    if (has_text_id) writeText(writer, trade.venue_trade_id!);
    this.#decimal(trade.price);
    if (trade.exact_quantity === undefined) this.#decimal(trade.quantity);
    else this.#decimalText(trade.exact_quantity);
    return endBinaryFrame(writer);
  }
  bbo(head: Head, bbo: Bbo): Frame {
    const writer = this.#start(head, bbo.seq, bbo.timestamp);
    writer.byte(
      (bbo.source === "quote" ? 1 : 0) | (bbo.bid === undefined ? 0 : 2) | (bbo.ask === undefined ? 0 : 4) |
        (bbo.bid_quantity === undefined ? 0 : 8) | (bbo.ask_quantity === undefined ? 0 : 16) |
        (bbo.update_id === undefined ? 0 : 32),
    );
    if (bbo.update_id !== undefined) writeVarint(writer, bbo.update_id);
    for (const value of [bbo.bid, bbo.bid_quantity, bbo.ask, bbo.ask_quantity]) {
      if (value !== undefined) this.#decimal(value);
    }
    return endBinaryFrame(writer);
  }
  ticker(head: Head, seq: number, ticker: Ticker, timestamp: number): Frame {
    const writer = this.#start(head, seq, timestamp);
    let fields = 0;
    for (let i = 0; i < TICKER_FIELDS.length; i++) {
      if (ticker[TICKER_FIELDS[i]] !== undefined) fields += 2 ** i;
    }
    if (ticker.session !== undefined) fields += TICKER_SESSION;
    if (ticker.extra !== undefined) fields += TICKER_EXTRA;
    writeVarint(writer, fields);
    for (const field of TICKER_FIELDS) {
      const value = ticker[field];
      if (value !== undefined) this.#decimal(value);
    }
    if (ticker.session !== undefined) writeText(writer, ticker.session);
    if (ticker.extra !== undefined) writeText(writer, JSON.stringify(ticker.extra));
    return endBinaryFrame(writer);
  }
  candle(head: Head, seq: number, candle: Candle, timestamp: number): Frame {
    const writer = this.#start(head, seq, timestamp);
    writer.byte(
      (candle.closed ? 1 : 0) | (candle.incomplete ? 2 : 0) | (candle.revised ? 4 : 0) |
        (candle.quote_volume === undefined ? 0 : 8) | (candle.trade_count === undefined ? 0 : 16),
    );
    writeVarint(writer, candle.open_time_ms);
    writeVarint(writer, candle.close_time_ms);
    for (const value of [candle.open, candle.high, candle.low, candle.close, candle.volume]) {
      this.#decimal(value);
    }
    if (candle.quote_volume !== undefined) this.#decimal(candle.quote_volume);
    if (candle.trade_count !== undefined) writeVarint(writer, candle.trade_count);
    return endBinaryFrame(writer);
  }
  orders(
    head: Head,
    stamp: OrdersStamp,
    bids: readonly RestingOrder[],
    asks: readonly RestingOrder[],
  ): Frame {
    const writer = this.#start(head, stamp.seq, stamp.timestamp);
    writeVarint(writer, stamp.last_update_id);
    for (const side of [bids, asks]) {
      writeVarint(writer, side.length);
      for (const order of side) this.#order(order, stamp.timestamp);
    }
    return endBinaryFrame(writer);
  }
  orderChanges(head: Head, stamp: OrdersStamp, changes: readonly OrderChange[]): Frame {
    const writer = this.#start(head, stamp.seq, stamp.timestamp);
    writeVarint(writer, stamp.last_update_id);
    writeVarint(writer, changes.length);
    for (const change of changes) {
      writer.byte(ORDER_ACTIONS.indexOf(change.action) | (change.side === "ask" ? ASK_SIDE : 0));
      this.#order(change, stamp.timestamp);
    }
    return endBinaryFrame(writer);
  }

  #start(head: Head, seq: number, timestamp: number): ByteWriter {
    const writer = this.#writer;
    beginFrame(writer);
    writer.raw(head);
    writeVarint(writer, seq);
    writeVarint(writer, timestamp);
    return writer;
  }
  #book(
    head: Head,
    stamp: BookStamp,
    bids: Levels,
    asks: Levels,
    bid_bound: number | undefined,
    ask_bound: number | undefined,
  ): Frame {
    const writer = this.#start(head, stamp.seq, stamp.timestamp);
    const bounds = (bid_bound === undefined ? 0 : BID_BOUND) | (ask_bound === undefined ? 0 : ASK_BOUND);
    const flags_at = writer.length;
    const begin = (flags: number, p: number, q: number) => {
      writer.length = flags_at;
      writer.byte(flags);
      writeVarint(writer, stamp.last_update_id);
      writer.byte(p);
      writer.byte(q);
    };
    const { price_decimals: p, quantity_decimals: q } = stamp;
    const fits = p <= MAX_DECIMALS && q <= MAX_DECIMALS;
    if (fits) begin(bounds, p, q);
    if (!fits || !this.#numbers(bids, p, q) || !this.#numbers(asks, p, q)) {
      begin(bounds | BOOK_TEXT, 0, 0);
      this.#texts(bids);
      this.#texts(asks);
    }
    if (bid_bound !== undefined) this.#decimal(bid_bound);
    if (ask_bound !== undefined) this.#decimal(ask_bound);
    return endBinaryFrame(writer);
  }
  /** False when a number does not fit: what was written so far is void. */
  #numbers(levels: Levels, p: number, q: number): boolean {
    const writer = this.#writer;
    const price_scale = POWERS_OF_TEN[p];
    const quantity_scale = POWERS_OF_TEN[q];
    writeVarint(writer, levels.size);
    let last = 0;
    for (let i = 0; i < levels.size; i++) {
      const price = levels.price(i);
      const quantity = levels.quantity(i);
      const price_units = Math.round(price * price_scale);
      const quantity_units = Math.round(quantity * quantity_scale);
      const exact = Math.abs(price_units) < MANTISSA_LIMIT && price_units / price_scale === price &&
        quantity_units < MANTISSA_LIMIT && quantity_units / quantity_scale === quantity && quantity >= 0;
      if (!exact || levels.exactQuantity(i) !== undefined) return false;
      writeZigzag(writer, price_units - last);
      writeVarint(writer, quantity_units);
      last = price_units;
    }
    return true;
  }
  #texts(levels: Levels): void {
    writeVarint(this.#writer, levels.size);
    for (let i = 0; i < levels.size; i++) {
      this.#decimal(levels.price(i));
      const exact = levels.exactQuantity(i);
      if (exact === undefined) this.#decimal(levels.quantity(i));
      else this.#decimalText(exact);
    }
  }
  #order({ id, price, quantity, since_us }: RestingOrder, timestamp: number): void {
    const writer = this.#writer;
    const told_id = orderIdOf(id);
    writeVarint(writer, typeof told_id === "number" ? told_id + 1 : 0);
    if (typeof told_id === "string") writeText(writer, told_id);
    this.#decimal(price);
    this.#decimal(quantity);
    writeZigzag(writer, timestamp * 1_000 - Math.floor(since_us));
  }
  #decimal(value: number): void {
    const guess = this.#guess;
    for (let i = 0; i <= MAX_DECIMALS; i++) {
      // The guess first, then from the shortest on.
      const decimals = i === 0 ? guess : i <= guess ? i - 1 : i;
      const scale = POWERS_OF_TEN[decimals];
      const units = Math.round(value * scale);
      if (!(Math.abs(units) < MANTISSA_LIMIT) || units / scale !== value) continue;
      this.#guess = decimals;
      this.#writer.byte(decimals);
      return writeZigzag(this.#writer, units);
    }
    this.#decimalText(formatDecimal(value));
  }
  #decimalText(text: string): void {
    this.#writer.byte(TEXT_DECIMALS);
    writeText(this.#writer, text);
  }
}

function knownLevels(side: BookSide): Levels {
  const size = side.known;
  return {
    size,
    price: (i) => side.price(i),
    quantity: (i) => side.quantity(i),
    exactQuantity: (i) => side.exactQuantity(i),
  };
}

function listed(list: LevelList): Levels {
  const { prices, quantities, exact_quantities, size } = list;
  return {
    size,
    price: (i) => prices[i],
    quantity: (i) => quantities[i],
    exactQuantity: (i) => exact_quantities?.get(i),
  };
}
