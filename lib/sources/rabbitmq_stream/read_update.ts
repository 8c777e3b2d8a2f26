/**
 * One message of the normalised model (schema `mdg.update/1`, flow/update_json.ts) as an event. Fields that are not there
 * stay absent; what an event can't do without and has not is said in words.
 */
import {
  type Candle,
  type MarketEvent,
  type Quote,
  type Ticker,
  TICKER_FIELDS,
  type Trade,
} from "../../market/event.ts";
import { decimalOf, isId, parseFields, readSides } from "../own_payload.ts";

/** The publisher's book left sync. */
export interface OutOfSync {
  readonly kind: "out_of_sync";
  readonly symbol: string;
  readonly reason: string;
}
/** Of another venue, or a kind that is no event. */
export interface Foreign {
  readonly kind: "foreign";
}
const FOREIGN: Foreign = { kind: "foreign" };

const QUOTE_FIELDS = ["bid", "bid_quantity", "ask", "ask_quantity"] as const;
const BAR_FIELDS = ["open", "high", "low", "close", "volume"] as const;
const SESSIONS: readonly string[] = ["pre", "regular", "post", "extended", "overnight"];

type Fields = Record<string, unknown>;
type Head = Pick<Trade, "venue" | "symbol" | "received_us" | "exchange_ms" | "sent_ms">;

/** The event, or why it is none. `received_us`: when we got it, Unix epoch, microseconds. */
export function readUpdate(
  text: string,
  venue: string,
  received_us: number,
): MarketEvent | OutOfSync | Foreign | string {
  const fields = parseFields(text);
  if (typeof fields === "string") return fields;
  const { symbol } = fields;
  if (fields.venue !== venue) return FOREIGN;
  if (typeof symbol !== "string" || symbol === "") return "no symbol";
  const head: Head = {
    venue,
    symbol,
    received_us,
    exchange_ms: numberOf(fields.exchange_ms),
    sent_ms: numberOf(fields.sent_ms),
  };
  switch (fields.kind) {
    case "book":
      return readBook(head, fields);
    case "trade":
      return readTrade(head, fields);
    case "quote":
      return readQuote(head, fields);
    case "ticker":
      return readTicker(head, fields);
    case "candle":
      return readCandle(head, fields);
    case "book_status":
      if (fields.in_sync !== false) return FOREIGN;
      return { kind: "out_of_sync", symbol, reason: String(fields.reason) };
    default:
      return FOREIGN;
  }
}

function readBook(head: Head, fields: Fields): MarketEvent | string {
  const { last_update_id } = fields;
  if (!isId(last_update_id)) return "no last_update_id";
  const sides = readSides(fields);
  if (sides === undefined) return "no list of [price, quantity]";
  return { kind: "book_snapshot", ...head, last_id: last_update_id, ...sides };
}

function readTrade(head: Head, fields: Fields): MarketEvent | string {
  const price = decimalOf(fields.price);
  const quantity = decimalOf(fields.quantity);
  if (!price || price.text !== undefined) return "no price";
  if (!quantity) return "no quantity";
  const trade: Trade = { kind: "trade", ...head, price: price.value, quantity: quantity.value };
  if (quantity.text !== undefined) trade.exact_quantity = quantity.text;
  const { trade_id, venue_trade_id, first_fill_id, last_fill_id, aggressor } = fields;
  if (isId(trade_id)) trade.trade_id = trade_id;
  if (typeof venue_trade_id === "string") trade.venue_trade_id = venue_trade_id;
  if (isId(first_fill_id)) trade.first_fill_id = first_fill_id;
  if (isId(last_fill_id)) trade.last_fill_id = last_fill_id;
  if (aggressor === "buy" || aggressor === "sell") trade.aggressor = aggressor;
  return trade;
}

function readQuote(head: Head, fields: Fields): MarketEvent {
  const quote: Quote = { kind: "quote", ...head };
  if (isId(fields.update_id)) quote.update_id = fields.update_id;
  for (const name of QUOTE_FIELDS) {
    const value = numberOf(fields[name]);
    if (value !== undefined) quote[name] = value;
  }
  return quote;
}

function readTicker(head: Head, fields: Fields): MarketEvent {
  const ticker: Ticker = { kind: "ticker", ...head };
  for (const name of TICKER_FIELDS) {
    const value = numberOf(fields[name]);
    if (value !== undefined) ticker[name] = value;
  }
  const { session, extra } = fields;
  if (typeof session === "string" && SESSIONS.includes(session)) {
    ticker.session = session as Ticker["session"];
  }
  if (typeof extra === "object" && extra !== null) ticker.extra = extra as Ticker["extra"];
  return ticker;
}

function readCandle(head: Head, fields: Fields): MarketEvent | string {
  const { interval, open_time_ms, close_time_ms, closed } = fields;
  if (typeof interval !== "string" || !isId(open_time_ms) || !isId(close_time_ms)) return "no candle";
  const prices: Record<string, number> = {};
  for (const name of BAR_FIELDS) {
    const value = numberOf(fields[name]);
    if (value === undefined) return `no ${name}`;
    prices[name] = value;
  }
  const candle = {
    kind: "candle",
    ...head,
    interval,
    open_time_ms,
    close_time_ms,
    ...prices,
    closed: closed === true,
  } as Candle;
  const quote_volume = numberOf(fields.quote_volume);
  if (quote_volume !== undefined) candle.quote_volume = quote_volume;
  if (isId(fields.trade_count)) candle.trade_count = fields.trade_count;
  if (fields.incomplete === true) candle.incomplete = true;
  if (fields.revised === true) candle.revised = true;
  return candle;
}

/** Also of a text, which is what a number becomes that a double does not hold. */
function numberOf(value: unknown): number | undefined {
  if (typeof value !== "number" && typeof value !== "string") return undefined;
  const number = Number(value);
  return Number.isFinite(number) && value !== "" ? number : undefined;
}
