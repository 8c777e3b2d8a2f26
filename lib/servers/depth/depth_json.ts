/**
 * The `data` of MarketData messages, written straight from the book's columns: no object per level, numbers in their
 * shortest exact form. The prepared parts below are the wire format; README.md beside this file explains the fields.
 */
import { none } from "../../simulation/order_store.ts";
import type { SimulatedMarket } from "../../simulation/market.ts";
import { ASK, BID, type Side } from "../../simulation/side.ts";
import type { ByteWriter } from "../../wire/byte_writer.ts";
import { isoMicroseconds } from "../../wire/iso_time.ts";
import type { TapeTrade } from "./trade_tape.ts";

const bytesOf = (text: string) => new TextEncoder().encode(text);
const MBP_BIDS = bytesOf('{"format":"MBP","bids":[');
const MBO_BIDS = bytesOf('{"format":"MBO","bids":[');
const ASKS = bytesOf('],"asks":[');
const END = bytesOf("]}");
const PRICE = bytesOf('{"price":');
const QUANTITY = bytesOf(',"quantity":');
const ORDER_COUNT = bytesOf(',"order_count":');
const TOTAL_QUANTITY = bytesOf(',"total_quantity":');
const ORDER_ID = bytesOf('{"order_id":');
const BID_PRICE = bytesOf(',"side":"bid","price":');
const ASK_PRICE = bytesOf(',"side":"ask","price":');
const TIMESTAMP = bytesOf(',"timestamp":"');
const AGE = bytesOf('","age":');
const TRADES = bytesOf('{"format":"TRADES","trades":[');
const TRADE_ID = bytesOf('{"trade_id":');
const TRADE_PRICE = bytesOf(',"price":');
const UNNUMBERED_PRICE = bytesOf('{"price":');
const BUY = bytesOf(',"side":"buy"');
const SELL = bytesOf(',"side":"sell"');
const MAKER = bytesOf(',"maker_order_id":');
const TAKER = bytesOf(',"taker_order_id":');
const COMMA = ",".charCodeAt(0);
const CLOSE = "}".charCodeAt(0);
const AGE_DECIMALS = 3;

/** Up to `max_levels` aggregated levels of each side, best first. */
export function writeMbp(writer: ByteWriter, market: SimulatedMarket, max_levels: number): void {
  writer.raw(MBP_BIDS);
  writeLevels(writer, market, BID, max_levels);
  writer.raw(ASKS);
  writeLevels(writer, market, ASK, max_levels);
  writer.raw(END);
}

/** Every order of up to `max_levels` levels of each side, in price–time priority. `at_us`: what ages count up to. */
export function writeMbo(
  writer: ByteWriter,
  market: SimulatedMarket,
  max_levels: number,
  at_us: number,
): void {
  writer.raw(MBO_BIDS);
  writeOrders(writer, market, BID, max_levels, at_us);
  writer.raw(ASKS);
  writeOrders(writer, market, ASK, max_levels, at_us);
  writer.raw(END);
}

/** Trades in the order in which they happened. */
export function writeTrades(writer: ByteWriter, market: SimulatedMarket, trades: readonly TapeTrade[]): void {
  const { price_decimals, quantity_decimals } = market.instrument;
  writeTapeTrades(writer, price_decimals, quantity_decimals, trades);
}
/** The same of any tape; what a trade does not tell is left out. */
export function writeTapeTrades(
  writer: ByteWriter,
  price_decimals: number,
  quantity_decimals: number,
  trades: readonly TapeTrade[],
): void {
  writer.raw(TRADES);
  for (const [at, trade] of trades.entries()) {
    if (at > 0) writer.byte(COMMA);
    if (trade.trade_id === undefined) writer.raw(UNNUMBERED_PRICE);
    else {
      writer.raw(TRADE_ID);
      writer.integer(trade.trade_id);
      writer.raw(TRADE_PRICE);
    }
    writer.decimal(trade.price, price_decimals);
    writer.raw(QUANTITY);
    writer.decimal(trade.quantity, quantity_decimals);
    if (trade.side !== undefined) writer.raw(trade.side === "buy" ? BUY : SELL);
    if (trade.maker_order_id !== undefined) {
      writer.raw(MAKER);
      writer.integer(trade.maker_order_id);
    }
    if (trade.taker_order_id !== undefined) {
      writer.raw(TAKER);
      writer.integer(trade.taker_order_id);
    }
    writer.raw(TIMESTAMP);
    writer.text(isoMicroseconds(trade.time_us));
    writer.text('"}');
  }
  writer.raw(END);
}

/** One level without its cumulative quantity, as changes carry it; quantity 0 removes the level. */
export function writeLevelChange(
  writer: ByteWriter,
  market: SimulatedMarket,
  price_ticks: number,
  quantity_lots: number,
  order_count: number,
): void {
  writeLevelStart(writer, market, price_ticks, quantity_lots, order_count);
  writer.byte(CLOSE);
}

/** One resting order, by its storage slot. */
export function writeOrder(
  writer: ByteWriter,
  market: SimulatedMarket,
  side: Side,
  slot: number,
  at_us: number,
): void {
  const { instrument, book } = market;
  const { orders } = book;
  const time_us = Math.floor(orders.time_ms[slot] * 1000);
  writer.raw(ORDER_ID);
  writer.integer(orders.id[slot]);
  writer.raw(side === BID ? BID_PRICE : ASK_PRICE);
  writer.decimal(instrument.price(book.priceOfSlot(slot)), instrument.price_decimals);
  writer.raw(QUANTITY);
  writer.decimal(instrument.quantity(orders.quantity_lots[slot]), instrument.quantity_decimals);
  writer.raw(TIMESTAMP);
  writer.text(isoMicroseconds(time_us));
  writer.raw(AGE);
  writer.decimal(Math.max(0, at_us - time_us) / 1000, AGE_DECIMALS);
  writer.byte(CLOSE);
}

function writeLevels(writer: ByteWriter, market: SimulatedMarket, side: Side, max_levels: number): void {
  const { instrument } = market;
  const ladder = market.book.ladders[side];
  const count = Math.min(max_levels, ladder.size);
  let total_lots = 0;
  for (let rank = 0; rank < count; rank++) {
    const level = ladder.levelAt(rank);
    const lots = ladder.quantity_lots[level];
    total_lots += lots;
    if (rank > 0) writer.byte(COMMA);
    writeLevelStart(writer, market, ladder.price_ticks[level], lots, ladder.order_count[level]);
    writer.raw(TOTAL_QUANTITY);
    writer.decimal(instrument.quantity(total_lots), instrument.quantity_decimals);
    writer.byte(CLOSE);
  }
}

function writeLevelStart(
  writer: ByteWriter,
  { instrument }: SimulatedMarket,
  price_ticks: number,
  quantity_lots: number,
  order_count: number,
): void {
  writer.raw(PRICE);
  writer.decimal(instrument.price(price_ticks), instrument.price_decimals);
  writer.raw(QUANTITY);
  writer.decimal(instrument.quantity(quantity_lots), instrument.quantity_decimals);
  writer.raw(ORDER_COUNT);
  writer.integer(order_count);
}

function writeOrders(
  writer: ByteWriter,
  market: SimulatedMarket,
  side: Side,
  max_levels: number,
  at_us: number,
): void {
  const { orders, ladders } = market.book;
  const ladder = ladders[side];
  const count = Math.min(max_levels, ladder.size);
  let is_first = true;
  for (let rank = 0; rank < count; rank++) {
    for (let slot = ladder.head[ladder.levelAt(rank)]; slot !== none; slot = orders.next[slot]) {
      if (!is_first) writer.byte(COMMA);
      is_first = false;
      writeOrder(writer, market, side, slot, at_us);
    }
  }
}
