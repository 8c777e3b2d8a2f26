/**
 * What changed in the shown part of a book between two publications: for clients that asked for changes. A level or
 * order that left the part shown counts as removed, one that moved up into it as new, so a client that applies every
 * message always has exactly what a full message would have said. Bound: the part shown, which the book bounds.
 */
import type { SimulatedMarket } from "../../simulation/market.ts";
import { none } from "../../simulation/order_store.ts";
import { ASK, BID, type Side } from "../../simulation/side.ts";
import type { ByteWriter } from "../../wire/byte_writer.ts";
import { writeLevelChange, writeOrder } from "./depth_json.ts";

/** Remembers a publication and tells the next one's difference from it. */
export interface BookChanges {
  /** Appends the `data` of a change message and remembers the present book instead of the old one. */
  write(writer: ByteWriter, at_us: number): void;
}

interface ShownLevel {
  lots: number;
  order_count: number;
}

export class MbpChanges implements BookChanges {
  #shown: readonly [Map<number, ShownLevel>, Map<number, ShownLevel>];

  constructor(readonly market: SimulatedMarket, readonly max_levels: number) {
    this.#shown = [this.#look(BID), this.#look(ASK)];
  }
  write(writer: ByteWriter): void {
    const now = [this.#look(BID), this.#look(ASK)] as const;
    writer.text('{"format":"MBP_DELTA","bids":[');
    this.#writeSide(writer, this.#shown[BID], now[BID]);
    writer.text('],"asks":[');
    this.#writeSide(writer, this.#shown[ASK], now[ASK]);
    writer.text("]}");
    this.#shown = now;
  }
  #look(side: Side): Map<number, ShownLevel> {
    const ladder = this.market.book.ladders[side];
    const shown = new Map<number, ShownLevel>();
    for (let rank = 0; rank < ladder.size && rank < this.max_levels; rank++) {
      const level = ladder.levelAt(rank);
      shown.set(ladder.price_ticks[level], {
        lots: ladder.quantity_lots[level],
        order_count: ladder.order_count[level],
      });
    }
    return shown;
  }
  #writeSide(writer: ByteWriter, before: Map<number, ShownLevel>, now: Map<number, ShownLevel>): void {
    let separator = "";
    const write = (ticks: number, lots: number, order_count: number) => {
      writer.text(separator);
      separator = ",";
      writeLevelChange(writer, this.market, ticks, lots, order_count);
    };
    for (const ticks of before.keys()) if (!now.has(ticks)) write(ticks, 0, 0);
    for (const [ticks, { lots, order_count }] of now) {
      const old = before.get(ticks);
      if (old?.lots !== lots || old.order_count !== order_count) write(ticks, lots, order_count);
    }
  }
}

interface ShownOrder {
  side: Side;
  slot: number;
  ticks: number;
  lots: number;
  time_ms: number;
}

export class MboChanges implements BookChanges {
  #shown: Map<number, ShownOrder>;

  constructor(readonly market: SimulatedMarket, readonly max_levels: number) {
    this.#shown = this.#look();
  }
  write(writer: ByteWriter, at_us: number): void {
    const now = this.#look();
    writer.text('{"format":"MBO_DELTA","removed":[');
    let separator = "";
    for (const id of this.#shown.keys()) {
      if (now.has(id)) continue;
      writer.text(separator);
      separator = ",";
      writer.integer(id);
    }
    writer.text('],"bids":[');
    this.#writeSide(writer, BID, now, at_us);
    writer.text('],"asks":[');
    this.#writeSide(writer, ASK, now, at_us);
    writer.text("]}");
    this.#shown = now;
  }
  /** By order id, in price–time priority within a side. */
  #look(): Map<number, ShownOrder> {
    const { orders, ladders } = this.market.book;
    const shown = new Map<number, ShownOrder>();
    for (const side of [BID, ASK] as const) {
      const ladder = ladders[side];
      for (let rank = 0; rank < ladder.size && rank < this.max_levels; rank++) {
        const level = ladder.levelAt(rank);
        for (let slot = ladder.head[level]; slot !== none; slot = orders.next[slot]) {
          shown.set(orders.id[slot], {
            side,
            slot,
            ticks: ladder.price_ticks[level],
            lots: orders.quantity_lots[slot],
            time_ms: orders.time_ms[slot],
          });
        }
      }
    }
    return shown;
  }
  #writeSide(writer: ByteWriter, side: Side, now: ReadonlyMap<number, ShownOrder>, at_us: number): void {
    let separator = "";
    for (const [id, order] of now) {
      if (order.side !== side) continue;
      const old = this.#shown.get(id);
      if (old?.lots === order.lots && old.ticks === order.ticks && old.time_ms === order.time_ms) continue;
      writer.text(separator);
      separator = ",";
      writeOrder(writer, this.market, side, order.slot, at_us);
    }
  }
}
