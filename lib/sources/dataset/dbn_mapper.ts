/**
 * Records of DBN to events. Market-by-order goes through an L3 book per instrument, from which the levels that changed
 * until the end of each event become a delta, and the orders behind them follow it; market-by-price states its levels each time, and what differs becomes one.
 * Ids are ours and count events: such files have no chain, their vendor vouches for them. A file that begins without a
 * snapshot begins with an empty book; orders from before it are counted as anomalies of the L3 book.
 */
import { DBN_FLAG, DBN_HEAD_BYTES, DBN_KIND, DbnRecord } from "../../formats/dbn/record.ts";
import { EVENTS, type FrameOutcome, type Mapper } from "../../feeds/feed.ts";
import type { BookSnapshot, OrderEvents } from "../../market/event.ts";
import type { EventBatch } from "../../market/event_batch.ts";
import { LevelList } from "../../market/level_list.ts";
import {
  type BookSideName,
  type OrderAction,
  type OrderChange,
  type OrderId,
  OrderQueueBook,
  type RestingOrder,
} from "../../market/order_queue_book.ts";

const SIDES = ["bid", "ask"] as const;
const BYTES_OF: Readonly<Record<number, number>> = {
  [DBN_KIND.trades]: 48,
  [DBN_KIND.mbp_1]: 80,
  [DBN_KIND.mbp_10]: 368,
  [DBN_KIND.mbo]: 56,
};
const DECIMALS_OF_PRICES = 9;
const decoder = new TextDecoder();

interface Levels {
  bid: Map<number, number>;
  ask: Map<number, number>;
}

class InstrumentState {
  readonly changed: Record<BookSideName, Set<number>> = { bid: new Set(), ask: new Set() };
  readonly orders = new OrderQueueBook((side, price) => this.changed[side].add(price));
  /** What happened to orders since the last event's end. */
  order_changes: OrderChange[] = [];
  /** Orders said to be filled: what takes that off them follows within the event. */
  readonly filled = new Set<OrderId>();
  /** Of market-by-price, as last stated. */
  levels: Levels | undefined;
  last_id = 0;
  /** The next event tells the book whole. */
  is_new = true;

  constructor(readonly symbol: string) {}

  /** After the book of orders was changed: how this order stands now; `before` is how it stood. */
  note(action: OrderAction, before: RestingOrder | undefined, after: RestingOrder | undefined): void {
    const known = after ?? before;
    if (known === undefined) return;
    this.order_changes.push({ ...known, quantity: after?.quantity ?? 0, action });
  }
}

export class DbnMapper implements Mapper {
  readonly #record = new DbnRecord();
  readonly #instruments = new Map<number, InstrumentState>();
  readonly #symbols = new Map<number, string>();

  constructor(readonly venue: string) {}

  addSymbol(): void {}
  removeSymbol(): void {}
  /** The L3 book of an instrument, as far as market-by-order was read. */
  orders(symbol: string): OrderQueueBook | undefined {
    for (const one of this.#instruments.values()) if (one.symbol === symbol) return one.orders;
    return undefined;
  }

  map(frame: Uint8Array, received_us: number, batch: EventBatch): FrameOutcome {
    if (frame[0] === 0x7b) return this.#nameInstruments(frame);
    if (frame.length < DBN_HEAD_BYTES) return { kind: "malformed", why: `record of ${frame.length} bytes` };
    const record = this.#record.take(frame);
    const wanted = BYTES_OF[record.kind];
    if (wanted === undefined) return { kind: "unknown", what: `record of kind ${record.kind}` };
    if (frame.length < wanted) {
      return { kind: "malformed", why: `record of ${frame.length} bytes, want ${wanted}` };
    }
    const state = this.#state(record.instrument);
    if (record.action === "T") this.#trade(record, state, received_us, batch);
    if (record.kind === DBN_KIND.mbo) this.#order(record, state, received_us, batch);
    else if (record.kind === DBN_KIND.mbp_1) {
      this.#stated(record, 1, state, received_us, batch);
      this.#quote(record, state, received_us, batch);
    } else if (record.kind === DBN_KIND.mbp_10) this.#stated(record, 10, state, received_us, batch);
    return EVENTS;
  }

  /** What the file's head says, as whoever reads the file hands it on. */
  #nameInstruments(frame: Uint8Array): FrameOutcome {
    const { symbols } = JSON.parse(decoder.decode(frame)) as { symbols: [number, string][] };
    for (const [number, symbol] of symbols) this.#symbols.set(number, symbol);
    return { kind: "pong" };
  }
  #state(instrument: number): InstrumentState {
    let state = this.#instruments.get(instrument);
    if (state === undefined) {
      state = new InstrumentState(this.#symbols.get(instrument) ?? String(instrument));
      this.#instruments.set(instrument, state);
    }
    return state;
  }
  #trade(record: DbnRecord, { symbol }: InstrumentState, received_us: number, batch: EventBatch): void {
    const { price, size, side } = record;
    if (price === undefined) return;
    batch.push({
      kind: "trade",
      venue: this.venue,
      symbol,
      received_us,
      exchange_ms: record.event_ms,
      price,
      quantity: size,
      aggressor: side === "B" ? "buy" : side === "A" ? "sell" : undefined,
    });
  }
  #order(record: DbnRecord, state: InstrumentState, received_us: number, batch: EventBatch): void {
    const { action, flags } = record;
    const side = record.side === "B" ? "bid" as const : record.side === "A" ? "ask" as const : undefined;
    if (action === "R") {
      state.orders.clear(side);
      state.is_new = true;
      // A trade and a fill change nothing by themselves: the cancel or modify that follows does.
    } else if (action === "F") state.filled.add(record.order_id);
    else if (action !== "T") this.#changeOrder(record, state, side, received_us);
    if (flags & DBN_FLAG.last) this.#tell(record, state, received_us, batch);
  }
  #changeOrder(
    { action, price, size, flags, order_id: id }: DbnRecord,
    state: InstrumentState,
    side: BookSideName | undefined,
    received_us: number,
  ): void {
    const { orders } = state;
    if (action === "A" && side !== undefined && flags & DBN_FLAG.top_of_book) {
      for (const gone of orders.orders(side)) state.note("cancel", gone, undefined);
      orders.clear(side);
    }
    const before = orders.order(id);
    const reduced = state.filled.has(id) ? "execute" : "cancel";
    if (action === "A" && side !== undefined && price !== undefined) {
      orders.add(id, side, price, size, received_us);
      if (before !== undefined) state.note("cancel", before, undefined);
      state.note("add", undefined, orders.order(id));
    } else if (action === "C") {
      orders.cancel(id, size);
      state.note(reduced, before, orders.order(id));
    } else if (action === "M" && price !== undefined) {
      orders.modify(id, price, size, received_us, side);
      const after = orders.order(id);
      const is_fill = reduced === "execute" && price === before?.price && size <= before.quantity;
      state.note(before === undefined ? "add" : is_fill ? "execute" : "modify", before, after);
    }
  }
  /** The event is over: what changed since the last one. */
  #tell(record: DbnRecord, state: InstrumentState, received_us: number, batch: EventBatch): void {
    const { orders, changed, order_changes } = state;
    state.order_changes = [];
    state.filled.clear();
    if (state.is_new) {
      state.is_new = false;
      for (const side of SIDES) changed[side].clear();
      const levels = (side: BookSideName) => listOf(orders.levels(side));
      batch.push(this.#snapshot(record, state, received_us, levels("bid"), levels("ask")));
      const all = SIDES.flatMap((side) => [...orders.orders(side)]);
      const added = all.map((order): OrderChange => ({ ...order, action: "add" }));
      batch.push({ ...this.#orderEvents(record, state, received_us, added), whole: true });
      return;
    }
    if (changed.bid.size + changed.ask.size === 0) return;
    this.#delta(record, state, received_us, batch, (side, list) => {
      for (const price of changed[side]) list.push(price, orders.levelAt(side, price).quantity);
      changed[side].clear();
    });
    batch.push(this.#orderEvents(record, state, received_us, order_changes));
  }
  /** Beside the book event just told. */
  #orderEvents(
    record: DbnRecord,
    { symbol, last_id }: InstrumentState,
    received_us: number,
    changes: readonly OrderChange[],
  ): OrderEvents {
    return {
      kind: "orders",
      venue: this.venue,
      symbol,
      received_us,
      exchange_ms: record.event_ms,
      last_id,
      changes,
    };
  }
  /** Market-by-price: the best `count` levels, all of them. */
  #stated(
    record: DbnRecord,
    count: number,
    state: InstrumentState,
    received_us: number,
    batch: EventBatch,
  ): void {
    const next = { bid: levelMap(record.levels(count, "bid")), ask: levelMap(record.levels(count, "ask")) };
    const before = state.levels;
    state.levels = next;
    if (before === undefined || record.action === "R") {
      const [bids, asks] = SIDES.map((side) =>
        listOf([...next[side]].map(([price, quantity]) => ({ price, quantity })))
      );
      batch.push({ ...this.#snapshot(record, state, received_us, bids, asks), depth_limit: count });
      return;
    }
    const is_same = SIDES.every((side) =>
      before[side].size === next[side].size &&
      [...next[side]].every(([price, quantity]) => before[side].get(price) === quantity)
    );
    if (is_same) return;
    this.#delta(record, state, received_us, batch, (side, list) => {
      for (const price of before[side].keys()) if (!next[side].has(price)) list.push(price, 0);
      for (const [price, quantity] of next[side]) {
        if (before[side].get(price) !== quantity) list.push(price, quantity);
      }
    }, count);
  }
  #quote(record: DbnRecord, { symbol }: InstrumentState, received_us: number, batch: EventBatch): void {
    const [bid] = record.levels(1, "bid");
    const [ask] = record.levels(1, "ask");
    if (bid === undefined && ask === undefined) return;
    const quote = batch.pushQuote();
    quote.venue = this.venue;
    quote.symbol = symbol;
    quote.received_us = received_us;
    quote.exchange_ms = record.event_ms;
    quote.sent_ms = quote.update_id = undefined;
    quote.bid = bid?.price;
    quote.bid_quantity = bid?.quantity;
    quote.ask = ask?.price;
    quote.ask_quantity = ask?.quantity;
  }
  #snapshot(
    record: DbnRecord,
    state: InstrumentState,
    received_us: number,
    bids: LevelList,
    asks: LevelList,
  ): BookSnapshot {
    return {
      kind: "book_snapshot",
      venue: this.venue,
      symbol: state.symbol,
      received_us,
      exchange_ms: record.event_ms,
      last_id: ++state.last_id,
      resets: true,
      bids,
      asks,
    };
  }
  #delta(
    record: DbnRecord,
    state: InstrumentState,
    received_us: number,
    batch: EventBatch,
    fill: (side: BookSideName, list: LevelList) => void,
    depth_limit?: number,
  ): void {
    const delta = batch.freeDelta();
    delta.venue = this.venue;
    delta.symbol = state.symbol;
    delta.received_us = received_us;
    delta.exchange_ms = record.event_ms;
    delta.sent_ms = undefined;
    delta.previous_id = state.last_id;
    delta.first_id = delta.last_id = ++state.last_id;
    delta.depth_limit = depth_limit;
    delta.checksum = undefined;
    delta.precision = undefined;
    for (const [side, list] of [["bid", delta.bids], ["ask", delta.asks]] as const) {
      fill(side, list);
      list.noteDecimals(decimalsIn(list), 0);
    }
    batch.pushDelta(delta);
  }
}

function levelMap(levels: readonly { price: number; quantity: number }[]): Map<number, number> {
  return new Map(levels.map(({ price, quantity }) => [price, quantity]));
}
function listOf(levels: readonly { price: number; quantity: number }[]): LevelList {
  const list = new LevelList(Math.max(1, levels.length));
  for (const { price, quantity } of levels) list.push(price, quantity);
  list.noteDecimals(decimalsIn(list), 0);
  return list;
}
/** Most digits after the point among the prices, which have nine at most. */
function decimalsIn({ prices, size }: LevelList): number {
  let decimals = 0;
  for (let i = 0; i < size; i++) {
    let mantissa = Math.round(prices[i] * 1e9);
    let digits = mantissa === 0 ? 0 : DECIMALS_OF_PRICES;
    while (digits > decimals && mantissa % 10 === 0) {
      mantissa /= 10;
      digits--;
    }
    if (digits > decimals) decimals = digits;
  }
  return decimals;
}
