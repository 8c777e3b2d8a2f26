/**
 * Binary market messages of the protocol, read by its text alone (servers/restream/README.md, "The binary form"): what
 * the server's encoder writes is thereby checked by something that shares nothing with it. A kind it does not know is
 * left alone; bytes after a message's last field belong to fields of tomorrow.
 */
import { TICKER_FIELDS } from "../market/event.ts";
import { LevelList } from "../market/level_list.ts";
import type { BookSideName, OrderAction, OrderChange, RestingOrder } from "../market/order_queue_book.ts";
import { ByteReader } from "./byte_reader.ts";
import { decimalsOf, type ExactNumber, scaled, textOf, valueOf } from "./exact_number.ts";
import { type MarketChannel, type MarketMessage, UnreadableMessage } from "./messages.ts";
import { extraOf, parseExact } from "./read_json.ts";

/** What a handle stands for, as `subscribed` told. */
export interface Handle {
  readonly venue: string;
  readonly symbol: string;
  readonly interval?: string;
}
export type FindHandle = (handle: number, channel: MarketChannel) => Handle | undefined;

const KINDS: readonly (MarketMessage["type"] | undefined)[] = [
  undefined,
  "snapshot",
  "delta",
  "trade",
  "bbo",
  "ticker",
  "candle",
  "orders_snapshot",
  "orders_delta",
];
const CHANNELS: readonly MarketChannel[] = [
  "book",
  "book",
  "book",
  "trades",
  "bbo",
  "ticker",
  "candles",
  "orders",
  "orders",
];
/** Flags of books, trades, quotes and candles, in this order. */
const BOOK = { as_decimals: 1, bid_bound: 2, ask_bound: 4 };
const TRADE = { maker_known: 1, maker: 2, number_id: 4, text_id: 8 };
const BBO = { is_quote: 1, bid: 2, ask: 4, bid_quantity: 8, ask_quantity: 16, update_id: 32 };
const CANDLE = { closed: 1, incomplete: 2, revised: 4, quote_volume: 8, trade_count: 16 };
/** Of a change to an order: its first two bits, then the side. */
const ACTIONS: readonly OrderAction[] = ["add", "modify", "cancel", "execute"];
const ORDER = { action: 3, ask: 4 };
/** Id, two decimals of two bytes, since when. */
const MIN_ORDER_BYTES = 6;
const SESSION_BIT = TICKER_FIELDS.length;
const EXTRA_BIT = SESSION_BIT + 1;

interface Head {
  readonly venue: string;
  readonly symbol: string;
  readonly seq: number;
  readonly timestamp: number;
}

export class BinaryReader {
  readonly #reader = new ByteReader();
  readonly #bids = new LevelList();
  readonly #asks = new LevelList();

  constructor(readonly find: FindHandle) {}

  /** Bytes after the last field of the message read last. */
  get rest(): number {
    return this.#reader.rest;
  }
  /** Undefined: a kind of tomorrow. @throws UnreadableMessage, and nothing else */
  read(bytes: Uint8Array): MarketMessage | undefined {
    const reader = this.#reader;
    reader.start(bytes);
    const kind = reader.byte();
    const type = KINDS[kind];
    if (type === undefined) return undefined;
    const handle = reader.varint();
    const found = this.find(handle, CHANNELS[kind]);
    if (found === undefined) throw new UnreadableMessage(`handle ${handle} of a ${type} was not told`);
    const { venue, symbol, interval } = found;
    const head: Head = { venue, symbol, seq: reader.varint(), timestamp: reader.varint() };
    switch (type) {
      case "snapshot":
      case "delta":
        return this.#book(type, head);
      case "trade":
        return this.#trade(head);
      case "bbo":
        return this.#bbo(head);
      case "ticker":
        return this.#ticker(head);
      case "candle":
        if (interval === undefined) throw new UnreadableMessage("a candle whose interval was not told");
        return this.#candle(head, interval);
      case "orders_snapshot":
        return this.#orders(head);
      case "orders_delta":
        return this.#orderChanges(head);
    }
  }

  #book(type: "snapshot" | "delta", head: Head): MarketMessage {
    const reader = this.#reader;
    const flags = reader.byte();
    const last_update_id = reader.varint();
    const price_decimals = reader.byte();
    const quantity_decimals = reader.byte();
    for (const list of [this.#bids, this.#asks]) {
      list.clear();
      if (flags & BOOK.as_decimals) this.#decimalLevels(list);
      else this.#unitLevels(list, price_decimals, quantity_decimals);
    }
    const bid_bound = flags & BOOK.bid_bound ? valueOf(reader.decimal()) : undefined;
    const ask_bound = flags & BOOK.ask_bound ? valueOf(reader.decimal()) : undefined;
    return { type, ...head, last_update_id, bids: this.#bids, asks: this.#asks, bid_bound, ask_bound };
  }
  #orders(head: Head): MarketMessage {
    const reader = this.#reader;
    const last_update_id = reader.varint();
    const side = (name: BookSideName) =>
      Array.from({ length: reader.count(MIN_ORDER_BYTES) }, () => this.#order(name, head.timestamp));
    return { type: "orders_snapshot", ...head, last_update_id, bids: side("bid"), asks: side("ask") };
  }
  #orderChanges(head: Head): MarketMessage {
    const reader = this.#reader;
    const last_update_id = reader.varint();
    const changes = Array.from({ length: reader.count(MIN_ORDER_BYTES + 1) }, (): OrderChange => {
      const flags = reader.byte();
      const order = this.#order(flags & ORDER.ask ? "ask" : "bid", head.timestamp);
      return { ...order, action: ACTIONS[flags & ORDER.action] };
    });
    return { type: "orders_delta", ...head, last_update_id, changes };
  }
  #order(side: BookSideName, timestamp: number): RestingOrder {
    const reader = this.#reader;
    const number = reader.varint();
    const id = number > 0 ? number - 1 : reader.text();
    const price = valueOf(reader.decimal());
    const quantity = valueOf(reader.decimal());
    const since_us = timestamp * 1_000 - reader.zigzag();
    if (!Number.isSafeInteger(since_us)) throw new UnreadableMessage("a time beyond 2^53");
    return { id, side, price, quantity, since_us };
  }
  #unitLevels(list: LevelList, price_decimals: number, quantity_decimals: number): void {
    const reader = this.#reader;
    const count = reader.count(2);
    list.reserve(count);
    let units = 0;
    for (let i = 0; i < count; i++) {
      units += reader.zigzag();
      if (!Number.isSafeInteger(units)) throw new UnreadableMessage("a price beyond 2^53 units");
      push(list, scaled(units, price_decimals), scaled(reader.varint(), quantity_decimals));
    }
    list.noteDecimals(price_decimals, quantity_decimals);
  }
  #decimalLevels(list: LevelList): void {
    const reader = this.#reader;
    const count = reader.count(4);
    list.reserve(count);
    for (let i = 0; i < count; i++) {
      const price = reader.decimal();
      const quantity = reader.decimal();
      push(list, price, quantity);
      list.noteDecimals(decimalsOf(valueOf(price)), decimalsOf(valueOf(quantity)));
    }
  }
  #trade(head: Head): MarketMessage {
    const reader = this.#reader;
    const flags = reader.byte();
    let trade_id: number | string | undefined;
    if (flags & TRADE.number_id) trade_id = reader.varint();
    if (flags & TRADE.text_id) trade_id = reader.text();
    return {
      type: "trade",
      ...head,
      trade_id,
      price: reader.decimal(),
      quantity: reader.decimal(),
      is_buyer_maker: flags & TRADE.maker_known ? (flags & TRADE.maker) !== 0 : undefined,
    };
  }
  #bbo(head: Head): MarketMessage {
    const reader = this.#reader;
    const flags = reader.byte();
    const optional = (flag: number) => flags & flag ? reader.decimal() : undefined;
    return {
      type: "bbo",
      ...head,
      update_id: flags & BBO.update_id ? reader.varint() : undefined,
      source: flags & BBO.is_quote ? "quote" : "book",
      bid: optional(BBO.bid),
      bid_quantity: optional(BBO.bid_quantity),
      ask: optional(BBO.ask),
      ask_quantity: optional(BBO.ask_quantity),
    };
  }
  #ticker(head: Head): MarketMessage {
    const reader = this.#reader;
    const present = reader.varint();
    const has = (bit: number) => Math.floor(present / 2 ** bit) % 2 === 1;
    const fields: Record<string, ExactNumber> = {};
    TICKER_FIELDS.forEach((name, bit) => {
      if (has(bit)) fields[name] = reader.decimal();
    });
    const session = has(SESSION_BIT) ? reader.text() : undefined;
    const extra = has(EXTRA_BIT) ? extraOf(parseExact(reader.text())) : undefined;
    return { type: "ticker", ...head, fields, session, extra };
  }
  #candle(head: Head, interval: string): MarketMessage {
    const reader = this.#reader;
    const flags = reader.byte();
    return {
      type: "candle",
      ...head,
      interval,
      open_time_ms: reader.varint(),
      close_time_ms: reader.varint(),
      open: reader.decimal(),
      high: reader.decimal(),
      low: reader.decimal(),
      close: reader.decimal(),
      volume: reader.decimal(),
      quote_volume: flags & CANDLE.quote_volume ? reader.decimal() : undefined,
      trade_count: flags & CANDLE.trade_count ? reader.varint() : undefined,
      closed: (flags & CANDLE.closed) !== 0,
      incomplete: (flags & CANDLE.incomplete) !== 0,
      revised: (flags & CANDLE.revised) !== 0,
    };
  }
}

function push(list: LevelList, price: ExactNumber | undefined, quantity: ExactNumber | undefined): void {
  if (price === undefined || quantity === undefined) throw new UnreadableMessage("a level is no number");
  const text = textOf(quantity);
  if (text !== undefined) (list.exact_quantities ??= new Map()).set(list.size, text);
  list.push(valueOf(price), valueOf(quantity));
}
