/**
 * Market messages as JSON text, version 1 (../README.md), written straight to bytes, numbers exact. One writer is reused,
 * each frame is bytes of its own.
 */
import type { BookSide } from "../../../market/book_side.ts";
import { type Candle, type Ticker, TICKER_FIELDS, type Trade } from "../../../market/event.ts";
import type { LevelList } from "../../../market/level_list.ts";
import type { OrderChange, RestingOrder } from "../../../market/order_queue_book.ts";
import { ByteWriter } from "../../../wire/byte_writer.ts";
import { beginFrame, endTextFrame, type Frame } from "../../../wire/websocket_frame.ts";
import { JSON_FORMAT } from "../stream_key.ts";
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

const encoder = new TextEncoder();
const SEQ = encoder.encode('"seq":');
const LAST_UPDATE_ID = encoder.encode(',"last_update_id":');
const TIMESTAMP = encoder.encode(',"timestamp":');
const BIDS = encoder.encode(',"bids":[');
const ASKS = encoder.encode('],"asks":[');
const CHANGES = encoder.encode(',"changes":[');
const END_LIST = encoder.encode("]}");
const COMMA = 44;
const OPEN = 91;
const CLOSE = 93;
const CLOSE_OBJECT = 125;

/** Hint only: more digits are printed exactly all the same. */
const USUAL_DECIMALS = 8;

const CANDLE_NUMBERS = ["open", "high", "low", "close", "volume", "quote_volume", "trade_count"] as const;

export class JsonEncoding implements Encoding {
  readonly format = JSON_FORMAT;
  readonly #writer = new ByteWriter(16_384);

  head(type: MessageType, { venue, symbol, depth, interval_ms, interval }: TopicName): Head {
    const fields = JSON.stringify({ type, venue, symbol, depth, interval_ms, interval });
    return encoder.encode(`${fields.slice(0, -1)},`);
  }
  /** All levels known for sure, best first; a side known only in part says where its knowledge ends. */
  snapshot(head: Head, stamp: BookStamp, bids: BookSide, asks: BookSide): Frame {
    this.#bookStart(head, stamp);
    this.#side(bids, stamp);
    this.#writer.raw(ASKS);
    this.#side(asks, stamp);
    this.#writer.byte(CLOSE);
    if (bids.bound_key !== -Infinity) this.#number('"bid_bound":', bids.bound_key, stamp.price_decimals);
    if (asks.bound_key !== -Infinity) this.#number('"ask_bound":', -asks.bound_key, stamp.price_decimals);
    this.#writer.byte(CLOSE_OBJECT);
    return endTextFrame(this.#writer);
  }
  /** Absolute quantities, 0 deletes; also a snapshot, when the head says so and the lists are whole. */
  changes(head: Head, stamp: BookStamp, bids: LevelList, asks: LevelList): Frame {
    this.#bookStart(head, stamp);
    this.#list(bids, stamp);
    this.#writer.raw(ASKS);
    this.#list(asks, stamp);
    this.#writer.raw(END_LIST);
    return endTextFrame(this.#writer);
  }
  trade(head: Head, seq: number, trade: Trade): Frame {
    const writer = this.#start(head, seq);
    if (trade.trade_id !== undefined) this.#number('"trade_id":', trade.trade_id, 0);
    else if (trade.venue_trade_id !== undefined) {
      writer.text(',"trade_id":');
      writer.jsonString(trade.venue_trade_id);
    }
    this.#number('"price":', trade.price, USUAL_DECIMALS);
    if (trade.exact_quantity !== undefined) writer.text(`,"quantity":${trade.exact_quantity}`);
    else this.#number('"quantity":', trade.quantity, USUAL_DECIMALS);
    this.#number('"timestamp":', tradeTimeMs(trade), 0);
    if (trade.aggressor === undefined) writer.byte(CLOSE_OBJECT);
    else writer.text(trade.aggressor === "sell" ? ',"is_buyer_maker":true}' : ',"is_buyer_maker":false}');
    return endTextFrame(writer);
  }
  bbo(head: Head, bbo: Bbo): Frame {
    const writer = this.#start(head, bbo.seq);
    if (bbo.update_id !== undefined) this.#number('"update_id":', bbo.update_id, 0);
    this.#number('"timestamp":', bbo.timestamp, 0);
    writer.text(`,"source":"${bbo.source}"`);
    if (bbo.bid !== undefined) this.#pair(',"bid":', bbo.bid, bbo.bid_quantity);
    if (bbo.ask !== undefined) this.#pair(',"ask":', bbo.ask, bbo.ask_quantity);
    writer.byte(CLOSE_OBJECT);
    return endTextFrame(writer);
  }
  ticker(head: Head, seq: number, ticker: Ticker, timestamp: number): Frame {
    const writer = this.#start(head, seq);
    this.#number('"timestamp":', timestamp, 0);
    for (const field of TICKER_FIELDS) {
      const value = ticker[field];
      if (value !== undefined) this.#number(`"${field}":`, value, USUAL_DECIMALS);
    }
    if (ticker.session !== undefined) writer.text(`,"session":"${ticker.session}"`);
    if (ticker.extra !== undefined) writer.text(`,"extra":${JSON.stringify(ticker.extra)}`);
    writer.byte(CLOSE_OBJECT);
    return endTextFrame(writer);
  }

  candle(head: Head, seq: number, candle: Candle, timestamp: number): Frame {
    const writer = this.#start(head, seq);
    this.#number('"timestamp":', timestamp, 0);
    this.#number('"open_time_ms":', candle.open_time_ms, 0);
    this.#number('"close_time_ms":', candle.close_time_ms, 0);
    for (const field of CANDLE_NUMBERS) {
      const value = candle[field];
      if (value !== undefined) this.#number(`"${field}":`, value, USUAL_DECIMALS);
    }
    writer.text(candle.closed ? ',"closed":true' : ',"closed":false');
    if (candle.incomplete) writer.text(',"incomplete":true');
    if (candle.revised) writer.text(',"revised":true');
    writer.byte(CLOSE_OBJECT);
    return endTextFrame(writer);
  }
  orders(
    head: Head,
    stamp: OrdersStamp,
    bids: readonly RestingOrder[],
    asks: readonly RestingOrder[],
  ): Frame {
    const writer = this.#stamped(head, stamp);
    for (const [label, side] of [[BIDS, bids], [ASKS, asks]] as const) {
      writer.raw(label);
      for (let i = 0; i < side.length; i++) {
        writer.text(i > 0 ? ",[" : "[");
        this.#order(side[i]);
      }
    }
    writer.raw(END_LIST);
    return endTextFrame(writer);
  }
  orderChanges(head: Head, stamp: OrdersStamp, changes: readonly OrderChange[]): Frame {
    const writer = this.#stamped(head, stamp);
    writer.raw(CHANGES);
    for (let i = 0; i < changes.length; i++) {
      writer.text(`${i > 0 ? "," : ""}["${changes[i].action}","${changes[i].side}",`);
      this.#order(changes[i]);
    }
    writer.raw(END_LIST);
    return endTextFrame(writer);
  }

  #start(head: Head, seq: number): ByteWriter {
    const writer = this.#writer;
    beginFrame(writer);
    writer.raw(head);
    writer.raw(SEQ);
    writer.integer(seq);
    return writer;
  }
  #number(name: string, value: number, decimals: number): void {
    this.#writer.byte(COMMA);
    this.#writer.text(name);
    this.#writer.decimal(value, decimals);
  }
  #pair(name: string, price: number, quantity: number | undefined): void {
    const writer = this.#writer;
    writer.text(name);
    writer.byte(OPEN);
    writer.decimal(price, USUAL_DECIMALS);
    writer.byte(COMMA);
    if (quantity === undefined) writer.text("null");
    else writer.decimal(quantity, USUAL_DECIMALS);
    writer.byte(CLOSE);
  }
  #order({ id, price, quantity, since_us }: RestingOrder): void {
    const writer = this.#writer;
    writer.text(JSON.stringify(orderIdOf(id)));
    writer.byte(COMMA);
    writer.decimal(price, USUAL_DECIMALS);
    writer.byte(COMMA);
    writer.decimal(quantity, USUAL_DECIMALS);
    writer.byte(COMMA);
    writer.integer(Math.floor(since_us));
    writer.byte(CLOSE);
  }
  #stamped(head: Head, stamp: OrdersStamp): ByteWriter {
    const writer = this.#start(head, stamp.seq);
    writer.raw(LAST_UPDATE_ID);
    writer.integer(stamp.last_update_id);
    writer.raw(TIMESTAMP);
    writer.integer(stamp.timestamp);
    return writer;
  }
  #bookStart(head: Head, stamp: BookStamp): void {
    this.#stamped(head, stamp).raw(BIDS);
  }
  #side(side: BookSide, stamp: BookStamp): void {
    for (let i = 0, count = side.known; i < count; i++) {
      this.#level(i, side.price(i), side.quantity(i), side.exactQuantity(i), stamp);
    }
  }
  #list(list: LevelList, stamp: BookStamp): void {
    const { prices, quantities, size, exact_quantities } = list;
    for (let i = 0; i < size; i++) this.#level(i, prices[i], quantities[i], exact_quantities?.get(i), stamp);
  }
  #level(i: number, price: number, quantity: number, exact: string | undefined, stamp: BookStamp): void {
    const writer = this.#writer;
    if (i > 0) writer.byte(COMMA);
    writer.byte(OPEN);
    writer.decimal(price, stamp.price_decimals);
    writer.byte(COMMA);
    if (exact !== undefined) writer.text(exact);
    else writer.decimal(quantity, stamp.quantity_decimals);
    writer.byte(CLOSE);
  }
}
