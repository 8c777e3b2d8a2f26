/**
 * What a simulated book did, as reusable columns: the producer appends rows, the consumer reads `size` rows and clears.
 * Bound: producers stop once `full` (max_events rows); one action already under way may overshoot by what it touches
 * (at most one row per resting order and level), so the true ceiling is max_events + 2 × max_orders + 2.
 * Refuses to drop: a full buffer stops simulated time, it never loses a change.
 */
import type { Side } from "./side.ts";
import { grown } from "./grown.ts";

/** A level's new absolute quantity; 0 deletes the level. */
export const LEVEL = 0;
/** One fill of a taker order against one maker order. */
export const TRADE = 1;
/** Best bid and ask after an action that changed one of them, in price or quantity. */
export const QUOTE = 2;
export type EventKind = typeof LEVEL | typeof TRADE | typeof QUOTE;

const first_capacity = 256;

export class EventBuffer {
  /** Rows written since the last `clear`. */
  size = 0;
  /** LEVEL, TRADE or QUOTE: says which of the columns below are defined in a row. */
  kind = new Uint8Array(first_capacity);
  /** LEVEL: side of the level. TRADE: side of the aggressor. */
  side = new Uint8Array(first_capacity);
  /** LEVEL and TRADE: price. QUOTE: best bid price. Integer ticks. */
  price_ticks = new Float64Array(first_capacity);
  /** LEVEL: absolute quantity. TRADE: traded quantity. QUOTE: best bid quantity, 0 where no bid exists. Integer lots. */
  quantity_lots = new Float64Array(first_capacity);
  /** LEVEL: this change's id, strictly +1. QUOTE: id of the last change it reflects. TRADE: trade id, strictly +1. */
  id = new Float64Array(first_capacity);
  /** When, in milliseconds of the producer's time, with a fraction. All kinds. */
  time_ms = new Float64Array(first_capacity);
  /** TRADE: the resting order's id. QUOTE: best ask price in ticks. */
  #first_extra = new Float64Array(first_capacity);
  /** TRADE: the incoming order's id. QUOTE: best ask quantity in lots, 0 where no ask exists. */
  #second_extra = new Float64Array(first_capacity);

  /** @param max_events rows after which producers pause */
  constructor(readonly max_events = 65_536) {
    if (!Number.isInteger(max_events) || max_events < 1) {
      throw new RangeError(`event buffer bound: ${max_events}, want an integer ≥ 1`);
    }
  }
  get full(): boolean {
    return this.size >= this.max_events;
  }
  /** TRADE rows: id of the resting order. */
  makerId(row: number): number {
    return this.#first_extra[row];
  }
  /** TRADE rows: id of the incoming order. */
  takerId(row: number): number {
    return this.#second_extra[row];
  }
  /** QUOTE rows: best ask price in ticks. */
  askPriceTicks(row: number): number {
    return this.#first_extra[row];
  }
  /** QUOTE rows: best ask quantity in lots, 0 where no ask exists. */
  askQuantityLots(row: number): number {
    return this.#second_extra[row];
  }
  /** Forgets all rows, keeps the storage. */
  clear(): void {
    this.size = 0;
  }

  pushLevel(
    side: Side,
    price_ticks: number,
    quantity_lots: number,
    update_id: number,
    time_ms: number,
  ): void {
    const row = this.#next();
    this.kind[row] = LEVEL;
    this.side[row] = side;
    this.price_ticks[row] = price_ticks;
    this.quantity_lots[row] = quantity_lots;
    this.id[row] = update_id;
    this.time_ms[row] = time_ms;
  }
  pushTrade(
    aggressor: Side,
    price_ticks: number,
    quantity_lots: number,
    trade_id: number,
    maker_id: number,
    taker_id: number,
    time_ms: number,
  ): void {
    const row = this.#next();
    this.kind[row] = TRADE;
    this.side[row] = aggressor;
    this.price_ticks[row] = price_ticks;
    this.quantity_lots[row] = quantity_lots;
    this.id[row] = trade_id;
    this.time_ms[row] = time_ms;
    this.#first_extra[row] = maker_id;
    this.#second_extra[row] = taker_id;
  }
  pushQuote(
    bid_ticks: number,
    bid_lots: number,
    ask_ticks: number,
    ask_lots: number,
    update_id: number,
    time_ms: number,
  ): void {
    const row = this.#next();
    this.kind[row] = QUOTE;
    this.price_ticks[row] = bid_ticks;
    this.quantity_lots[row] = bid_lots;
    this.id[row] = update_id;
    this.time_ms[row] = time_ms;
    this.#first_extra[row] = ask_ticks;
    this.#second_extra[row] = ask_lots;
  }

  #next(): number {
    const row = this.size++;
    if (row === this.kind.length) this.#grow(row * 2);
    return row;
  }
  #grow(length: number): void {
    this.kind = grown(this.kind, length);
    this.side = grown(this.side, length);
    this.price_ticks = grown(this.price_ticks, length);
    this.quantity_lots = grown(this.quantity_lots, length);
    this.id = grown(this.id, length);
    this.time_ms = grown(this.time_ms, length);
    this.#first_extra = grown(this.#first_extra, length);
    this.#second_extra = grown(this.#second_extra, length);
  }
}
