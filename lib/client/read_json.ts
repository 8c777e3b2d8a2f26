/**
 * JSON messages of the protocol as values whose numbers are exact. Fields and types it does not know it leaves alone;
 * what a market message must have and has not is an `UnreadableMessage`, and so is everything else that goes wrong.
 */
import { TICKER_FIELDS } from "../market/event.ts";
import { LevelList } from "../market/level_list.ts";
import {
  type BookSideName,
  ORDER_ACTIONS,
  type OrderChange,
  type RestingOrder,
} from "../market/order_queue_book.ts";
import {
  decimalsOf,
  type ExactNumber,
  exactNumber,
  isNumber,
  LongNumber,
  textOf,
  valueOf,
} from "./exact_number.ts";
import {
  type BboMessage,
  type BookMessage,
  type CandleMessage,
  channelOfType,
  type ControlMessage,
  type MarketMessage,
  type OrdersMessage,
  type TickerMessage,
  type TradeMessage,
  UnreadableMessage,
} from "./messages.ts";

/** Such a run of digits may be a number that a double does not hold; anything shorter surely is not. */
const LONG_DIGITS = /\d[\d.]{15}/;
type Reviver = (key: string, value: unknown, context: { source?: string }) => unknown;
const keepLong: Reviver = (_key, value, { source }) => {
  if (typeof value !== "number" || source === undefined || source.length < 16) return value;
  // An id of 16 digits is whole and exact.
  if (Number.isSafeInteger(value) && String(value) === source) return value;
  const read = exactNumber(source);
  return read instanceof LongNumber ? read : value;
};
type Fields = Readonly<Record<string, unknown>>;

export class JsonReader {
  readonly #bids = new LevelList();
  readonly #asks = new LevelList();

  /** @throws UnreadableMessage, and nothing else */
  read(text: string): MarketMessage | ControlMessage {
    const value = parseExact(text);
    if (typeof value !== "object" || value === null || typeof (value as Fields).type !== "string") {
      throw new UnreadableMessage("no object with a type");
    }
    const fields = value as ControlMessage;
    switch (channelOfType(fields.type)) {
      case "book":
        return this.#book(fields);
      case "trades":
        return readTrade(fields);
      case "bbo":
        return readBbo(fields);
      case "ticker":
        return readTicker(fields);
      case "candles":
        return readCandle(fields);
      case "orders":
        return readOrders(fields);
      default:
        return fields;
    }
  }
  #book(fields: ControlMessage): BookMessage {
    readLevels(fields.bids, this.#bids);
    readLevels(fields.asks, this.#asks);
    const { bid_bound, ask_bound } = fields;
    return {
      type: fields.type as "snapshot" | "delta",
      ...headOf(fields),
      last_update_id: integerOf(fields, "last_update_id"),
      bids: this.#bids,
      asks: this.#asks,
      bid_bound: bid_bound === undefined ? undefined : valueOf(numberOf(fields, "bid_bound")),
      ask_bound: ask_bound === undefined ? undefined : valueOf(numberOf(fields, "ask_bound")),
    };
  }
}

/** Numbers that a double does not hold become a `LongNumber`. @throws UnreadableMessage */
export function parseExact(text: string): unknown {
  try {
    return LONG_DIGITS.test(text)
      ? JSON.parse(text, keepLong as (key: string, value: unknown) => unknown)
      : JSON.parse(text);
  } catch {
    throw new UnreadableMessage("not JSON");
  }
}

function readTrade(fields: ControlMessage): TradeMessage {
  const { trade_id, is_buyer_maker } = fields;
  return {
    type: "trade",
    ...headOf(fields),
    trade_id: trade_id === undefined || typeof trade_id === "string"
      ? trade_id
      : integerOf(fields, "trade_id"),
    price: numberOf(fields, "price"),
    quantity: numberOf(fields, "quantity"),
    is_buyer_maker: typeof is_buyer_maker === "boolean" ? is_buyer_maker : undefined,
  };
}

function readBbo(fields: ControlMessage): BboMessage {
  const [bid, bid_quantity] = pairOf(fields.bid);
  const [ask, ask_quantity] = pairOf(fields.ask);
  return {
    type: "bbo",
    ...headOf(fields),
    update_id: fields.update_id === undefined ? undefined : integerOf(fields, "update_id"),
    source: fields.source === "quote" ? "quote" : "book",
    bid,
    bid_quantity,
    ask,
    ask_quantity,
  };
}

function readTicker(fields: ControlMessage): TickerMessage {
  const numbers: Record<string, ExactNumber> = {};
  for (const name of TICKER_FIELDS) {
    const value = fields[name];
    if (isNumber(value)) numbers[name] = value;
  }
  return {
    type: "ticker",
    ...headOf(fields),
    fields: numbers,
    session: typeof fields.session === "string" ? fields.session : undefined,
    extra: extraOf(fields.extra),
  };
}

function readCandle(fields: ControlMessage): CandleMessage {
  const { interval } = fields;
  if (typeof interval !== "string") throw new UnreadableMessage('"interval" is no text');
  return {
    type: "candle",
    ...headOf(fields),
    interval,
    open_time_ms: integerOf(fields, "open_time_ms"),
    close_time_ms: integerOf(fields, "close_time_ms"),
    open: numberOf(fields, "open"),
    high: numberOf(fields, "high"),
    low: numberOf(fields, "low"),
    close: numberOf(fields, "close"),
    volume: numberOf(fields, "volume"),
    quote_volume: fields.quote_volume === undefined ? undefined : numberOf(fields, "quote_volume"),
    trade_count: fields.trade_count === undefined ? undefined : integerOf(fields, "trade_count"),
    closed: fields.closed === true,
    incomplete: fields.incomplete === true,
    revised: fields.revised === true,
  };
}

function readOrders(fields: ControlMessage): OrdersMessage {
  const head = { ...headOf(fields), last_update_id: integerOf(fields, "last_update_id") };
  if (fields.type === "orders_delta") {
    return { type: "orders_delta", ...head, changes: listOf(fields, "changes").map(orderChange) };
  }
  const side = (name: string, of: BookSideName) => listOf(fields, name).map((one) => order(of, one));
  return { type: "orders_snapshot", ...head, bids: side("bids", "bid"), asks: side("asks", "ask") };
}
function orderChange([action_name, side, ...rest]: unknown[]): OrderChange {
  const action = ORDER_ACTIONS.find((one) => one === action_name);
  if (action === undefined || (side !== "bid" && side !== "ask")) {
    throw new UnreadableMessage("a change of no order");
  }
  return { ...order(side, rest), action };
}
function order(side: BookSideName, [id, price, quantity, since_us]: unknown[]): RestingOrder {
  const is_id = typeof id === "string" || Number.isSafeInteger(id);
  if (!is_id || !isNumber(price) || !isNumber(quantity) || !Number.isSafeInteger(since_us)) {
    throw new UnreadableMessage("an order is none");
  }
  return {
    id: id as number | string,
    side,
    price: valueOf(price),
    quantity: valueOf(quantity),
    since_us: since_us as number,
  };
}

function headOf(fields: ControlMessage) {
  const { venue, symbol } = fields;
  if (typeof venue !== "string" || typeof symbol !== "string") {
    throw new UnreadableMessage("no venue or no symbol");
  }
  return { venue, symbol, seq: integerOf(fields, "seq"), timestamp: integerOf(fields, "timestamp") };
}

function readLevels(levels: unknown, list: LevelList): void {
  if (!Array.isArray(levels)) throw new UnreadableMessage("levels are no list");
  list.clear();
  let price_decimals = 0;
  let quantity_decimals = 0;
  for (const level of levels) {
    const [price, quantity] = Array.isArray(level) ? level : [];
    if (!isNumber(price) || !isNumber(quantity)) {
      throw new UnreadableMessage("a level is no pair of numbers");
    }
    const text = textOf(quantity);
    if (text !== undefined) (list.exact_quantities ??= new Map()).set(list.size, text);
    list.push(valueOf(price), valueOf(quantity));
    price_decimals = Math.max(price_decimals, decimalsOf(valueOf(price)));
    quantity_decimals = Math.max(quantity_decimals, decimalsOf(valueOf(quantity)));
  }
  list.noteDecimals(price_decimals, quantity_decimals);
}

/** Price and quantity of a side of a quote; what is not stated is absent. */
function pairOf(side: unknown): [ExactNumber | undefined, ExactNumber | undefined] {
  if (!Array.isArray(side)) return [undefined, undefined];
  const [price, quantity] = side;
  return [isNumber(price) ? price : undefined, isNumber(quantity) ? quantity : undefined];
}

/** The venue's own names; only numbers and texts. */
export function extraOf(value: unknown): Record<string, number | string> | undefined {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return undefined;
  const extra: [string, number | string][] = [];
  for (const [name, one] of Object.entries(value)) {
    if (typeof one === "string" || typeof one === "number") extra.push([name, one]);
    else if (one instanceof LongNumber) extra.push([name, one.text]);
  }
  return Object.fromEntries(extra);
}

function listOf(fields: Fields, name: string): unknown[][] {
  const list = fields[name];
  if (!Array.isArray(list) || !list.every(Array.isArray)) {
    throw new UnreadableMessage(`"${name}" is no list of lists`);
  }
  return list;
}
function numberOf(fields: Fields, name: string): ExactNumber {
  const value = fields[name];
  if (!isNumber(value)) throw new UnreadableMessage(`"${name}" is no number`);
  return value;
}
function integerOf(fields: Fields, name: string): number {
  const value = fields[name];
  if (!Number.isSafeInteger(value)) throw new UnreadableMessage(`"${name}" is no whole number`);
  return value as number;
}
